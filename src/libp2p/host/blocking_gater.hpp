// BlockingGater: what an operator blocks, by peer, by address and by subnet (go-libp2p's basic gater, S§3). Its hooks
// answer as that one's do: peers are asked about when they are dialled and when they have proved themselves on an
// inbound connection, addresses when they are dialled and when they connect. permits() holds for both directions, so a
// blocked peer that answers a dial to an unknown peer is refused too. Blocking closes what is open: the host asks
// permits() again (gater.hpp).
//
// An address has one meaning in all its spellings (multiformats/cidr.hpp); an IPv6 address that leads to an IPv4 one is
// judged by both (multiformats::ips_to_judge). An address without an IP (memory, Unix) is no matter of any rule.
//
// The lists can be kept in a Datastore, as go-libp2p's own records (storage/records/gater_records.hpp): keep_in().
//
// Owner: the application. Thread: the network thread. Bounds: max_rules of each list; a look-up costs the logarithm of
// that. Re-entrancy: blocking emits GaterStricter inside the call, and a change GaterRuleChanged.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/host/gater.hpp"
#include "libp2p/multiformats/cidr_set.hpp"

namespace libp2p {

namespace storage {
class BatchWriter;
struct GaterRecord;
}  // namespace storage

// What BlockingGater::keep_in has found.
struct GaterLoad {
  static constexpr std::size_t kMaxProblems = 16;
  std::size_t peers = 0;
  std::size_t ips = 0;
  std::size_t subnets = 0;
  std::size_t skipped = 0;            // records that are no rule, or have no room in their list
  std::vector<std::string> problems;  // of the first of those: the key and what is wrong
};

// A rule was added to a list, or removed from it.
struct GaterRuleChanged {
  std::string_view list;  // "peer", "address", "subnet"
  std::string rule;       // canonical
  bool blocked = false;   // from now on
};

class BlockingGater : public Gater {
 public:
  static constexpr std::size_t kMaxRules = 65536;
  // Called when the change is durable, from the runtime's queue, or when it is not: the error says whether it is tried
  // again (BatchWriter::Done). The rule itself counts until the process ends. Without a store there is nothing to wait
  // for, and `done` is called inside the call that got it.
  using Durable = std::function<void(Result<void>)>;

  explicit BlockingGater(std::size_t max_rules = kMaxRules) : max_rules_(max_rules) {}

  // Adds the rules that the writer's store has, and writes every change to it from here on. Before the first rule. The
  // writer must outlive this. A record that is no rule is skipped and told; one under another key than its value's,
  // which go-libp2p reads too, is moved. An error: the store cannot be read; no rule is added then.
  Result<GaterLoad> keep_in(storage::BatchWriter& writer);

  Result<void> intercept_peer_dial(const PeerId& peer) override;
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override;
  Result<void> intercept_accept(const Multiaddr& remote) override;
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override;
  Result<void> intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) override;
  Result<void> permits(const PeerId& peer, const Multiaddr& remote) const override;

  // A rule counts at once. The answers say whether something changed. Errc::malformed for a text that is no address or
  // subnet, Errc::exhausted when a list is full; `done` is not called then.
  Result<bool> block_peer(const PeerId& peer, Durable done = {});
  bool unblock_peer(const PeerId& peer, Durable done = {});
  Result<bool> block_ip(std::string_view ip, Durable done = {});
  Result<bool> unblock_ip(std::string_view ip, Durable done = {});
  Result<bool> block_subnet(std::string_view cidr, Durable done = {});
  Result<bool> unblock_subnet(std::string_view cidr, Durable done = {});

  // Tells GaterRuleChanged, inside the call that changed it; not the rules that keep_in() has found.
  [[nodiscard]] Subscription subscribe(std::function<void(const GaterRuleChanged&)> listener) {
    return changes_.subscribe(std::move(listener));
  }

  // For people: peers by their bytes, addresses and subnets by number, IPv4 first. Canonical texts.
  std::vector<PeerId> blocked_peers() const;
  std::vector<std::string> blocked_ips() const;
  std::vector<std::string> blocked_subnets() const;
  bool is_blocked(const PeerId& peer) const { return peers_.contains(peer); }
  std::size_t peer_rules() const { return peers_.size(); }
  std::size_t ip_rules() const { return ips_.size(); }
  std::size_t subnet_rules() const { return subnets_.size(); }

 private:
  Result<void> check_ip(const Multiaddr& address) const;
  Result<bool> add(multiformats::CidrSet& list, const Cidr& block, Durable done);
  bool remove(multiformats::CidrSet& list, const Cidr& block, Durable done);
  storage::GaterRecord record_of(const multiformats::CidrSet& list, const Cidr& block) const;
  void save(storage::GaterRecord record, bool is_rule, Durable done);

  void tell(const multiformats::CidrSet& list, const Cidr& block, bool blocked);

  const std::size_t max_rules_;
  EventSource<GaterRuleChanged> changes_;
  storage::BatchWriter* writer_ = nullptr;
  std::set<PeerId> peers_;
  multiformats::CidrSet ips_;  // single addresses
  multiformats::CidrSet subnets_;
};

}  // namespace libp2p
