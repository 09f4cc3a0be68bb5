#include "libp2p/host/dial_target.hpp"

#include "libp2p/base/peer_text.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p {

using multiformats::Protocol;

namespace {

std::optional<Family> family_of_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::dns: return Family::any;
    case Protocol::dns4: return Family::ip4;
    case Protocol::dns6: return Family::ip6;
    default: return std::nullopt;
  }
}

bool is_ip(Protocol protocol) { return protocol == Protocol::ip4 || protocol == Protocol::ip6; }

// Bytes that an IP, its zone or a name has in an address.
std::size_t binary_size(const Multiaddr::Component& component) {
  const bool sized = !is_ip(component.protocol);
  return multiformats::varint_size(static_cast<std::uint64_t>(component.protocol)) +
         (sized ? multiformats::varint_size(component.value.size()) : 0) + component.value.size();
}

}  // namespace

Error not_usable(const Multiaddr& address, std::string_view why) {
  return fail(Errc::unsupported, "'" + peer_text(address.text()) + "' cannot be used: " + std::string(why));
}

Result<Multiaddr> ip_address(std::string_view ip) {
  std::string text;
  const auto percent = ip.find('%');
  if (percent != std::string_view::npos) text.append("/ip6zone/").append(ip.substr(percent + 1));
  text.append(ip.find(':') != std::string_view::npos ? "/ip6/" : "/ip4/").append(ip.substr(0, percent));
  return Multiaddr::from_text(text);
}

Result<Multiaddr> with_ip(const Multiaddr& address, std::string_view ip) {
  OPP2P_TRY(const Multiaddr head, ip_address(ip));
  const auto parts = address.components();
  std::size_t skipped = 0;
  std::size_t at = 0;
  if (parts.size() > 1 && parts[0].protocol == Protocol::ip6zone) skipped += binary_size(parts[at++]);
  if (at == parts.size() || !(is_ip(parts[at].protocol) || family_of_name(parts[at].protocol)))
    return not_usable(address, "it begins with no IP and no name that another IP could take the place of");
  skipped += binary_size(parts[at]);
  Bytes binary = to_bytes(head.bytes());
  append(binary, address.bytes().subspan(skipped));
  return Multiaddr::from_bytes(binary);
}

Result<DialTarget> dial_target(const Multiaddr& address) {
  const auto parts = address.components();
  if (parts.empty()) return fail(Errc::invalid_argument, "the address is empty");
  if (parts[0].protocol == Protocol::dnsaddr) {
    return not_usable(address,
                      "/dnsaddr needs TXT records, which are not looked up; give the /ip4, /ip6 or /dns address");
  }
  DialTarget out;
  out.address = address.without_peer_id();
  if (out.address.empty()) return not_usable(address, "it names a peer and no place; give the peer's IP or name too");
  if (const auto family = family_of_name(parts[0].protocol)) {
    out.name = std::string(as_text(parts[0].value));
    out.family = *family;
    OPP2P_TRY(out.address, with_ip(out.address, *family == Family::ip6 ? "::" : "0.0.0.0"));
  }
  return out;
}

std::string place_text(const Multiaddr& address) {
  const auto parts = address.components();
  const std::size_t at = parts.size() == 3 && parts[0].protocol == Protocol::ip6zone ? 1 : 0;
  const bool has_port =
      parts.size() == at + 2 && (parts[at + 1].protocol == Protocol::tcp || parts[at + 1].protocol == Protocol::udp);
  auto ip = address.value_of(Protocol::ip4);
  if (!ip) ip = address.value_of(Protocol::ip6);
  if (!ip || !has_port || parts[at + 1].value.size() != 2) return peer_text(address.text());
  if (at == 1) ip->append("%").append(as_text(parts[0].value));
  return Endpoint(std::move(*ip), load_be16(parts[at + 1].value.data())).to_string();
}

}  // namespace libp2p
