#include "libp2p/storage/records/gater_records.hpp"

#include "libp2p/base/peer_text.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p::storage {
namespace {

// Go holds every address that it has read from a text in 16 bytes.
Bytes sixteen_bytes(const Bytes& ip) {
  if (ip.size() == 16) return ip;
  ByteArray<4> four{};
  std::copy(ip.begin(), ip.end(), four.begin());
  const auto mapped = multiformats::map_ip4(four);
  return {mapped.begin(), mapped.end()};
}

std::string ip_text(ByteView ip) {
  if (ip.size() == 4) return multiformats::ip4_text(ip);
  const auto four = multiformats::unmap_ip4(ip);
  return four ? multiformats::ip4_text(*four) : multiformats::ip6_text(ip);
}

std::string record_key(std::string_view base, std::string_view name) { return std::string(base).append(name); }

Result<Bytes> ip_bytes(std::string_view ip) {
  auto bytes = multiformats::parse_ip(ip);
  if (!bytes || ip.find('%') != std::string_view::npos)
    return fail(Errc::malformed, "'" + peer_text(ip.substr(0, 64)) + "' is no IP address");
  return std::move(*bytes);
}

}  // namespace

GaterRecord blocked_peer_record(const PeerId& peer) {
  return {record_key(kBlockedPeerBase, peer.to_base58()), to_bytes(peer.bytes())};
}

Result<std::string> ip_record_text(std::string_view ip) {
  OPP2P_TRY(const auto bytes, ip_bytes(ip));
  return ip_text(bytes);
}

Result<GaterRecord> blocked_ip_record(std::string_view ip) {
  OPP2P_TRY(const auto bytes, ip_bytes(ip));
  return GaterRecord{record_key(kBlockedIpBase, ip_text(bytes)), sixteen_bytes(bytes)};
}

Result<GaterRecord> blocked_subnet_record(std::string_view subnet) {
  OPP2P_TRY(const auto text, decode_blocked_subnet(as_bytes(subnet)));
  return GaterRecord{record_key(kBlockedSubnetBase, text), to_bytes(text)};
}

Result<PeerId> decode_blocked_peer(ByteView value) { return PeerId::from_bytes(value); }

Result<std::string> decode_blocked_ip(ByteView value) {
  if (value.size() != 4 && value.size() != 16)
    return fail(Errc::malformed, "blocked address has " + std::to_string(value.size()) + " bytes, 4 or 16 are allowed");
  return ip_text(value);
}

Result<std::string> decode_blocked_subnet(ByteView value) {
  const auto text = as_text(value);
  // Cidr takes a single address too; go-libp2p does not, and op-node would not start with one.
  if (text.find('/') == std::string_view::npos || text.find('%') != std::string_view::npos)
    return fail(Errc::malformed, "blocked subnet is not an address and a prefix length: write it like 10.0.0.0/8");
  OPP2P_TRY(const auto subnet, Cidr::from_text(text));
  return subnet.text();
}

}  // namespace libp2p::storage
