#include "libp2p/host/gater.hpp"

#include <algorithm>
#include <charconv>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p {
namespace {

using multiformats::parse_ip;

std::string ip_text(const Bytes& ip) {
  return ip.size() == 4 ? multiformats::ip4_text(ip) : multiformats::ip6_text(ip);
}

void clear_host_bits(Bytes& ip, unsigned bits) {
  OPP2P_ASSERT((ip.size() == 4 || ip.size() == 16) && bits <= 8 * ip.size(), "a subnet is a part of an address", ip,
               bits);
  for (std::size_t i = 0; i < ip.size(); ++i) {
    const int kept = std::clamp(static_cast<int>(bits) - static_cast<int>(8 * i), 0, 8);
    ip[i] = static_cast<std::uint8_t>(ip[i] & (0xff00u >> kept));
  }
}

}  // namespace

Result<std::string> canonical_ip(std::string_view ip) {
  const auto parsed = parse_ip(ip);
  if (!parsed) return fail(Errc::malformed, "'" + std::string(ip) + "' is not an IP address");
  return ip_text(*parsed);
}

std::optional<std::string> ip_of(const Multiaddr& address) {
  auto text = address.value_of(multiformats::Protocol::ip4);
  if (!text) text = address.value_of(multiformats::Protocol::ip6);
  if (!text) return std::nullopt;
  auto canonical = canonical_ip(*text);
  if (!canonical) return std::nullopt;
  return std::move(*canonical);
}

Result<Subnet> Subnet::from_text(std::string_view cidr) {
  const std::string shown = "'" + std::string(cidr) + "'";
  const auto slash = cidr.find('/');
  if (slash == std::string_view::npos) return fail(Errc::malformed, shown + " is not a subnet: it has no /LENGTH");
  auto ip = parse_ip(cidr.substr(0, slash));
  if (!ip) return fail(Errc::malformed, shown + " is not a subnet: the part before the slash is no IP address");
  const std::string_view length = cidr.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc() || end != length.data() + length.size() || bits > 8 * ip->size()) {
    return fail(Errc::malformed, shown + " is not a subnet: the length must be 0 to " + std::to_string(8 * ip->size()));
  }
  Subnet out;
  clear_host_bits(*ip, bits);
  out.network_ = std::move(*ip);
  out.bits_ = bits;
  out.text_ = ip_text(out.network_) + "/" + std::to_string(bits);
  return out;
}

bool Subnet::contains(std::string_view ip) const {
  auto parsed = parse_ip(ip);
  if (!parsed || parsed->size() != network_.size()) return false;
  clear_host_bits(*parsed, bits_);
  return *parsed == network_;
}

Result<void> BasicGater::check_ip(const Multiaddr& address) const {
  const auto ip = libp2p::ip_of(address);  // and not multiformats::ip_of, which the argument brings in
  if (!ip) return {};
  if (ips_.contains(*ip)) return fail(Errc::denied, "the address " + *ip + " is blocked");
  for (const auto& subnet : subnets_) {
    if (subnet.contains(*ip))
      return fail(Errc::denied, "the address " + *ip + " is in the blocked subnet " + subnet.text());
  }
  return {};
}

Result<void> BasicGater::intercept_peer_dial(const PeerId& peer) {
  if (peers_.contains(peer)) return fail(Errc::denied, "the peer " + peer.to_base58() + " is blocked");
  return {};
}
Result<void> BasicGater::intercept_addr_dial(const PeerId&, const Multiaddr& address) { return check_ip(address); }
Result<void> BasicGater::intercept_accept(const Multiaddr& remote) { return check_ip(remote); }

Result<void> BasicGater::intercept_secured(Direction direction, const PeerId& peer, const Multiaddr&) {
  if (direction == Direction::outbound) return {};
  return intercept_peer_dial(peer);
}
Result<void> BasicGater::intercept_upgraded(Direction, const PeerId&, const Multiaddr&) { return {}; }

bool BasicGater::block_peer(const PeerId& peer) { return peers_.insert(peer).second; }
bool BasicGater::unblock_peer(const PeerId& peer) { return peers_.erase(peer) > 0; }
std::vector<PeerId> BasicGater::blocked_peers() const { return {peers_.begin(), peers_.end()}; }

Result<bool> BasicGater::block_ip(std::string_view ip) {
  OPP2P_TRY(std::string canonical, canonical_ip(ip));
  return ips_.insert(std::move(canonical)).second;
}
Result<bool> BasicGater::unblock_ip(std::string_view ip) {
  OPP2P_TRY(const std::string canonical, canonical_ip(ip));
  return ips_.erase(canonical) > 0;
}
std::vector<std::string> BasicGater::blocked_ips() const { return {ips_.begin(), ips_.end()}; }

Result<bool> BasicGater::block_subnet(std::string_view cidr) {
  OPP2P_TRY(Subnet subnet, Subnet::from_text(cidr));
  return subnets_.insert(std::move(subnet)).second;
}
Result<bool> BasicGater::unblock_subnet(std::string_view cidr) {
  OPP2P_TRY(const Subnet subnet, Subnet::from_text(cidr));
  return subnets_.erase(subnet) > 0;
}
std::vector<std::string> BasicGater::blocked_subnets() const {
  std::vector<std::string> out;
  for (const auto& subnet : subnets_) out.push_back(subnet.text());
  return out;
}

}  // namespace libp2p
