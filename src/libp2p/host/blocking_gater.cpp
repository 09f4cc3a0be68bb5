#include "libp2p/host/blocking_gater.hpp"

#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "libp2p/storage/records/gater_records.hpp"

namespace libp2p {

using multiformats::CidrSet;

namespace {

Result<Cidr> single_address(std::string_view ip) {
  if (ip.find('/') != std::string_view::npos)
    return fail(Errc::malformed, "'" + std::string(ip) + "' is not an IP address; block it as a subnet");
  OPP2P_TRY(const std::string canonical, canonical_ip(ip));
  return Cidr::from_text(canonical);
}

Result<Cidr> subnet(std::string_view cidr) {
  if (cidr.find('/') == std::string_view::npos)
    return fail(Errc::malformed, "'" + std::string(cidr) + "' is not a subnet: it has no /LENGTH");
  return Cidr::from_text(cidr);
}

Error list_full(std::string_view what, std::size_t most) {
  return fail(Errc::exhausted, "the list of blocked " + std::string(what) + " is full: it has " + std::to_string(most) +
                                   " rules; unblock some, or block a subnet instead of its addresses");
}

}  // namespace

Result<void> BlockingGater::check_ip(const Multiaddr& address) const {
  for (const Bytes& ip : multiformats::ips_to_judge(address)) {
    if (const auto rule = ips_.covering(ip))
      return fail(Errc::denied, "the address " + rule->ip_text() + " is blocked");
    if (const auto rule = subnets_.covering(ip)) {
      return fail(Errc::denied,
                  "the address " + Cidr::single(ip).ip_text() + " is in the blocked subnet " + rule->text());
    }
  }
  return {};
}

Result<void> BlockingGater::intercept_peer_dial(const PeerId& peer) {
  if (peers_.contains(peer)) return fail(Errc::denied, "the peer " + peer.to_base58() + " is blocked");
  return {};
}
Result<void> BlockingGater::intercept_addr_dial(const PeerId&, const Multiaddr& address) { return check_ip(address); }
Result<void> BlockingGater::intercept_accept(const Multiaddr& remote) { return check_ip(remote); }
Result<void> BlockingGater::intercept_secured(Direction direction, const PeerId& peer, const Multiaddr&) {
  if (direction == Direction::outbound) return {};
  return intercept_peer_dial(peer);
}
Result<void> BlockingGater::intercept_upgraded(Direction, const PeerId&, const Multiaddr&) { return {}; }

Result<void> BlockingGater::permits(const PeerId& peer, const Multiaddr& remote) const {
  if (peers_.contains(peer)) return fail(Errc::denied, "the peer " + peer.to_base58() + " is blocked");
  return check_ip(remote);
}

storage::GaterRecord BlockingGater::record_of(const CidrSet& list, const Cidr& block) const {
  auto record =
      &list == &ips_ ? storage::blocked_ip_record(block.ip_text()) : storage::blocked_subnet_record(block.text());
  OPP2P_ASSERT(record, "the canonical text of a rule is that of a record", block.text());
  return std::move(*record);
}

// Also of what was so before: that may be on its way, and `done` is to say that it has arrived.
void BlockingGater::save(storage::GaterRecord record, bool is_rule, Durable done) {
  if (writer_ == nullptr) {
    if (done) done({});
    return;
  }
  storage::Change change{std::move(record.key), std::nullopt};
  if (is_rule) change.value = std::move(record.value);
  writer_->put_now(std::move(change), std::move(done));
}

Result<bool> BlockingGater::block_peer(const PeerId& peer, Durable done) {
  if (peer.empty()) return fail(Errc::invalid_argument, "the empty peer id names no peer to block");
  const bool known = peers_.contains(peer);
  if (!known && peers_.size() >= max_rules_) return list_full("peers", max_rules_);
  peers_.insert(peer);
  save(storage::blocked_peer_record(peer), true, std::move(done));
  if (known) return false;
  changes_.emit({"peer", peer.to_base58(), true});
  stricter().emit(GaterStricter());
  return true;
}

bool BlockingGater::unblock_peer(const PeerId& peer, Durable done) {
  const bool changed = peers_.erase(peer) > 0;
  save(storage::blocked_peer_record(peer), false, std::move(done));
  if (changed) changes_.emit({"peer", peer.to_base58(), false});
  return changed;
}

void BlockingGater::tell(const CidrSet& list, const Cidr& block, bool blocked) {
  const bool single = &list == &ips_;
  changes_.emit({single ? "address" : "subnet", single ? block.ip_text() : block.text(), blocked});
}

Result<bool> BlockingGater::add(CidrSet& list, const Cidr& block, Durable done) {
  const bool known = list.contains(block);
  if (!known && list.size() >= max_rules_) return list_full(&list == &ips_ ? "addresses" : "subnets", max_rules_);
  list.insert(block);
  save(record_of(list, block), true, std::move(done));
  if (known) return false;
  tell(list, block, true);
  stricter().emit(GaterStricter());
  return true;
}

bool BlockingGater::remove(CidrSet& list, const Cidr& block, Durable done) {
  const bool changed = list.erase(block);
  save(record_of(list, block), false, std::move(done));
  if (changed) tell(list, block, false);
  return changed;
}

Result<bool> BlockingGater::block_ip(std::string_view ip, Durable done) {
  OPP2P_TRY(const Cidr address, single_address(ip));
  return add(ips_, address, std::move(done));
}
Result<bool> BlockingGater::unblock_ip(std::string_view ip, Durable done) {
  OPP2P_TRY(const Cidr address, single_address(ip));
  return remove(ips_, address, std::move(done));
}
Result<bool> BlockingGater::block_subnet(std::string_view cidr, Durable done) {
  OPP2P_TRY(const Cidr block, subnet(cidr));
  return add(subnets_, block, std::move(done));
}
Result<bool> BlockingGater::unblock_subnet(std::string_view cidr, Durable done) {
  OPP2P_TRY(const Cidr block, subnet(cidr));
  return remove(subnets_, block, std::move(done));
}

std::vector<PeerId> BlockingGater::blocked_peers() const { return {peers_.begin(), peers_.end()}; }
std::vector<std::string> BlockingGater::blocked_ips() const {
  std::vector<std::string> out;
  for (const Cidr& address : ips_.blocks()) out.push_back(address.ip_text());
  return out;
}
std::vector<std::string> BlockingGater::blocked_subnets() const {
  std::vector<std::string> out;
  for (const Cidr& block : subnets_.blocks()) out.push_back(block.text());
  return out;
}

}  // namespace libp2p
