#include "libp2p/multiformats/address_blocks.hpp"

#include <algorithm>

#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p::multiformats {

std::optional<Bytes> ip_of(const Multiaddr& address) {
  for (const auto& part : address.components()) {
    if (part.protocol == Protocol::ip4) return part.value;
    if (part.protocol != Protocol::ip6) continue;
    if (const auto four = unmap_ip4(part.value)) return Bytes(four->begin(), four->end());
    return part.value;
  }
  return std::nullopt;
}

bool is_loopback(ByteView ip) {
  if (ip.size() == 4) return ip[0] == 127;
  if (ip.size() != 16) return false;
  return std::all_of(ip.begin(), ip.end() - 1, [](std::uint8_t byte) { return byte == 0; }) && ip[15] == 1;
}

std::optional<ByteArray<4>> carried_ip4(ByteView sixteen) {
  constexpr std::uint8_t kNat64[12] = {0x00, 0x64, 0xff, 0x9b};
  constexpr std::uint8_t kCompatible[12] = {};
  constexpr std::uint8_t k6to4[2] = {0x20, 0x02};
  constexpr std::uint8_t kTeredo[4] = {0x20, 0x01, 0x00, 0x00};
  if (sixteen.size() != 16) return std::nullopt;
  ByteArray<4> four;
  std::copy(sixteen.end() - 4, sixteen.end(), four.begin());
  if (equal(sixteen.first(12), kNat64)) return four;
  if (equal(sixteen.first(2), k6to4)) return ByteArray<4>{sixteen[2], sixteen[3], sixteen[4], sixteen[5]};
  if (equal(sixteen.first(4), kTeredo)) {  // the client's own, which it has inverted
    for (auto& byte : four) byte = static_cast<std::uint8_t>(~byte);
    return four;
  }
  // :: and ::1 are of this kind by their bytes alone.
  if (equal(sixteen.first(12), kCompatible) && load_be16(four.data()) != 0) return four;
  return std::nullopt;
}

std::vector<Bytes> ips_to_judge(const Multiaddr& address) {
  std::vector<Bytes> out;
  auto ip = ip_of(address);
  if (!ip) return out;
  const auto carried = carried_ip4(*ip);
  out.push_back(std::move(*ip));
  if (carried) out.push_back(to_bytes(*carried));
  return out;
}

AddressBlocks address_blocks(const Multiaddr& address) {
  constexpr std::size_t kNarrow = 7;  // bytes of a /56
  constexpr std::size_t kWide = 6;    // bytes of a /48
  const auto ip = ip_of(address);
  if (!ip) {
    const auto& parts = address.components();
    const bool in_memory = !parts.empty() && parts.front().protocol == Protocol::memory;
    return in_memory ? AddressBlocks::exempt() : AddressBlocks::unknown();
  }
  if (is_loopback(*ip)) return AddressBlocks::exempt();
  if (ip->size() == 4) return {*ip, {}};
  return {Bytes(ip->begin(), ip->begin() + kNarrow), Bytes(ip->begin(), ip->begin() + kWide)};
}

}  // namespace libp2p::multiformats
