// Identify: tells peers who we are and what we speak, and learns the same of them. Every new connection is asked once;
// what changes afterwards is pushed, both ways: the host's events say when, and what changes together is told together,
// also to peers of which it is known only later that they take pushes. What a peer says goes to the host's Peerstore
// (protocols, agent, addresses with an expiry) and to Host::report_identified. A signed peer record counts only when
// its signature and its subject are the peer's; then its addresses stand for the unsigned ones. Addresses that cannot
// lead to the peer are not kept.
//
// Owner: the application; destroyed before its Host; it outlives the calls into it. Thread: the network thread. Bounds:
// message parts, their number and size; inbound streams per peer; how often a peer may push and ask, since a record
// costs a signature; pushes at the same time; what is kept of a peer, to the bounds of the Peerstore. Source: libp2p
// specification "identify"; op-node surface, sections 2 and 14.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libp2p/base/live_count.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/base/token_bucket.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/protocols/identify/identify.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/serving_count.hpp"

namespace libp2p {

struct IdentifyConfig {
  std::string protocol_version;       // op-node says nothing here
  std::vector<Multiaddr> announced;   // addresses besides those that we listen at
  Nanos timeout = Seconds(10);        // for one exchange
  Nanos push_delay = Millis(100);     // what changes within this time is told together
  std::size_t inbound_per_peer = 16;  // streams of both protocols
  std::size_t pushes_at_once = 32;
  std::size_t max_addresses_per_peer = 32;
  // Pushes of a peer, and its requests, beyond these are reset before they are read. An honest peer pushes each
  // change once.
  double push_rate = 0.2;  // a second
  double push_burst = 8;
  double ask_rate = 1;
  double ask_burst = 16;
};

// What was turned away, by cause.
struct IdentifyCounters {
  std::uint64_t refused_pushes = 0;    // above push_rate, or inbound_per_peer
  std::uint64_t refused_requests = 0;  // above ask_rate, or inbound_per_peer
};

// What a peer has told.
struct Identified {
  std::string agent;
  std::string protocol_version;
  std::vector<std::string> protocols;
  std::vector<Multiaddr> addresses;   // believable ones
  std::optional<Multiaddr> observed;  // where it sees us
  bool signed_record = false;         // its record is there and is its own
  bool pushed = false;                // it told so by itself
  Identified() = default;
};

class IdentifyService final : LiveCounted<IdentifyService> {
 public:
  using IdentifiedFn = std::function<void(const PeerId&, const Identified&)>;
  using FailedFn = std::function<void(const PeerId&, const Error&)>;

  explicit IdentifyService(libp2p::Host& host, IdentifyConfig config = IdentifyConfig());
  ~IdentifyService();
  IdentifyService(const IdentifyService&) = delete;
  IdentifyService& operator=(const IdentifyService&) = delete;

  void on_identified(IdentifiedFn heard) { identified_ = std::move(heard); }
  void on_failed(FailedFn heard) { failed_ = std::move(heard); }

  // Asks the peer now. Errc::unsupported when it does not speak identify, Errc::mismatch when it shows another peer's
  // key.
  runtime::Task<Result<Identified>> identify(PeerId peer);

  // Tells connected peers what has changed, within IdentifyConfig::push_delay, later when that would be more often than
  // peers like us take it (push_rate). Called by itself when the host's handlers or addresses change.
  void push();
  void set_announced(std::vector<Multiaddr> addresses);

  // Where connected peers see us, with how many of them; the most frequent first.
  std::vector<std::pair<Multiaddr, std::size_t>> observed_addresses() const;
  // What we would tell a peer now. With an empty id: what does not depend on the peer.
  std::vector<Multiaddr> own_addresses(const PeerId& peer) const;

  const IdentifyCounters& counters() const { return counters_; }

  // Stops answering and ends every coroutine of the service.
  runtime::Task<void> close();

 private:
  struct Known {
    std::optional<Multiaddr> observed;
    std::vector<Multiaddr> addresses;
  };
  // How often a connected peer comes to us.
  struct Visits {
    TokenBucket pushes;
    TokenBucket requests;
  };
  Visits& visits_of(const PeerId& peer);
  class Asking;
  // What all peers are told alike; pushed when it changes.
  struct Told {
    std::vector<std::string> protocols;
    std::vector<Multiaddr> addresses;
    friend bool operator==(const Told&, const Told&) = default;
  };

  void on(const ConnectionOpened& event);
  void on(const PeerDisconnected& event);
  void on(const ProtocolsChanged&) { push(); }
  void on(const AddressesChanged&) { push(); }
  template <class Other>
  void on(const Other&) {}

  void shut();
  Told told_now() const;
  // Takes note of what there is to tell. True when it is something else than before.
  bool refresh();
  bool needs_push(const PeerId& peer) const;
  Bytes own_message(const PeerId& peer);
  std::optional<Bytes> own_record(const std::vector<Multiaddr>& addresses);
  Result<Identified> learn(const PeerId& peer, const identify::Message& message, bool pushed);
  std::vector<Multiaddr> told_addresses(const PeerId& peer, const identify::Message& message, Identified& result);
  void push_all();
  void start_pushing();

  runtime::Task<void> answer(libp2p::Stream stream);
  runtime::Task<void> take_push(libp2p::Stream stream);
  runtime::Task<void> ask_and_report(PeerId peer);
  runtime::Task<void> watch_changes();
  runtime::Task<void> push_some();
  runtime::Task<Result<void>> push_to(PeerId peer);

  libp2p::Host& host_;
  IdentifyConfig config_;
  IdentifiedFn identified_;
  FailedFn failed_;
  ServingCount serving_;
  IdentifyCounters counters_;
  std::map<PeerId, Known> known_;    // connected peers that have told
  std::map<PeerId, Visits> visits_;  // of connected peers
  std::set<PeerId> asking_;          // exchanges of ours that are under way
  std::set<PeerId> to_push_;         // peers that wait to be told
  std::size_t pushing_ = 0;          // coroutines that tell them
  Told last_told_;
  std::uint64_t version_ = 1;  // of last_told_
  std::uint64_t pushed_version_ = 1;
  bool missed_ =
      false;  // a peer was answered before a change, and was not yet known to take pushes when that was pushed
  std::map<PeerId, std::uint64_t> versions_told_;  // to connected peers
  TokenBucket push_rounds_;
  std::uint64_t last_seq_ = 0;       // of our signed record
  std::optional<Bytes> own_record_;  // the last that was sealed, of these addresses
  std::vector<Multiaddr> told_in_record_;
  bool shut_ = false;
  runtime::Event change_;
  Subscription events_;
  runtime::TaskScope scope_;  // last: its coroutines use the members above
};

}  // namespace libp2p
