#include "libp2p/host/address_scope.hpp"

#include <algorithm>

#include "libp2p/host/dial_target.hpp"
#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p {

using multiformats::Protocol;

namespace {

Reach reach_of_ip4(ByteView ip) {
  if (ip[0] == 0) return Reach::unspecified;
  if (ip[0] == 127) return Reach::loopback;
  const bool shared = ip[0] == 100 && (ip[1] & 0xc0) == 64;
  const bool rfc1918 = ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) || (ip[0] == 192 && ip[1] == 168);
  const bool link_local = ip[0] == 169 && ip[1] == 254;
  return shared || rfc1918 || link_local ? Reach::private_net : Reach::global;
}

Reach reach_of_ip6(ByteView ip) {
  if (const auto ip4 = multiformats::unmap_ip4(ip)) return reach_of_ip4(*ip4);
  const bool zeros = std::all_of(ip.begin(), ip.end() - 1, [](std::uint8_t byte) { return byte == 0; });
  if (zeros && ip[15] == 0) return Reach::unspecified;
  if (zeros && ip[15] == 1) return Reach::loopback;
  const bool unique_local = (ip[0] & 0xfe) == 0xfc;
  const bool link_local = ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
  return unique_local || link_local ? Reach::private_net : Reach::global;
}

void add_once(std::vector<Multiaddr>& to, Multiaddr address) {
  if (std::find(to.begin(), to.end(), address) == to.end()) to.push_back(std::move(address));
}

}  // namespace

Reach reach_of(const Multiaddr& address) {
  for (const auto& component : address.components()) {
    if (component.protocol == Protocol::ip6zone) continue;
    if (component.protocol == Protocol::ip4) return reach_of_ip4(component.value);
    if (component.protocol == Protocol::ip6) return reach_of_ip6(component.value);
    return Reach::unknown;
  }
  return Reach::unknown;
}

Reach reach_of_ip(std::string_view ip) {
  const auto bytes = multiformats::parse_ip(ip);
  if (!bytes) return Reach::unknown;
  return bytes->size() == 4 ? reach_of_ip4(*bytes) : reach_of_ip6(*bytes);
}

std::vector<Multiaddr> believable(const std::vector<Multiaddr>& told, const Multiaddr& remote) {
  const Reach from = reach_of(remote);
  std::vector<Multiaddr> kept;
  for (const Multiaddr& address : told) {
    const Reach reach = reach_of(address);
    if (reach == Reach::unspecified) continue;
    if (reach == Reach::loopback && from != Reach::loopback && from != Reach::unknown) continue;
    if (reach == Reach::private_net && from == Reach::global) continue;
    add_once(kept, address);
  }
  return kept;
}

std::vector<Multiaddr> specified(const std::vector<Multiaddr>& listening, const std::vector<Multiaddr>& local) {
  std::vector<Multiaddr> made;
  for (const Multiaddr& address : listening) {
    if (reach_of(address) != Reach::unspecified) {
      add_once(made, address);
      continue;
    }
    for (const Multiaddr& end : local) {
      for (const Protocol family : {Protocol::ip4, Protocol::ip6}) {
        const auto ip = end.value_of(family);
        if (!ip || !address.has(family)) continue;
        if (auto with = with_ip(address, *ip)) add_once(made, std::move(*with));
      }
    }
  }
  return made;
}

}  // namespace libp2p
