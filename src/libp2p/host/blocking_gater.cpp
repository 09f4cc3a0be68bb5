#include "libp2p/host/blocking_gater.hpp"

#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p {
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

Result<bool> BlockingGater::block_peer(const PeerId& peer, Durable done) {
  if (peer.empty()) return fail(Errc::invalid_argument, "the empty peer id names no peer to block");
  const bool known = peers_.contains(peer);
  if (!known && peers_.size() >= max_rules_) return list_full("peers", max_rules_);
  peers_.insert(peer);
  if (!known) stricter().emit(GaterStricter());
  if (done) done({});
  return !known;
}

bool BlockingGater::unblock_peer(const PeerId& peer, Durable done) {
  const bool changed = peers_.erase(peer) > 0;
  if (done) done({});
  return changed;
}

Result<bool> BlockingGater::block_addresses(multiformats::CidrSet& list, std::string_view what, const Cidr& block,
                                            Durable done) {
  const bool known = list.contains(block);
  if (!known && list.size() >= max_rules_) return list_full(what, max_rules_);
  list.insert(block);
  if (!known) stricter().emit(GaterStricter());
  if (done) done({});
  return !known;
}

Result<bool> BlockingGater::block_ip(std::string_view ip, Durable done) {
  OPP2P_TRY(const Cidr address, single_address(ip));
  return block_addresses(ips_, "addresses", address, std::move(done));
}
Result<bool> BlockingGater::unblock_ip(std::string_view ip, Durable done) {
  OPP2P_TRY(const Cidr address, single_address(ip));
  const bool changed = ips_.erase(address);
  if (done) done({});
  return changed;
}

Result<bool> BlockingGater::block_subnet(std::string_view cidr, Durable done) {
  OPP2P_TRY(const Cidr block, subnet(cidr));
  return block_addresses(subnets_, "subnets", block, std::move(done));
}
Result<bool> BlockingGater::unblock_subnet(std::string_view cidr, Durable done) {
  OPP2P_TRY(const Cidr block, subnet(cidr));
  const bool changed = subnets_.erase(block);
  if (done) done({});
  return changed;
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
