#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {
namespace {

constexpr std::size_t kIdSize = 10;  // two of the multihash, then member and generation

}  // namespace

PeerId id_of(Member member, std::uint32_t generation) {
  std::array<std::uint8_t, kIdSize> multihash{0x00, 0x08};
  libp2p::store_be32(multihash.data() + 2, member);
  libp2p::store_be32(multihash.data() + 6, generation);
  return PeerId::from_bytes(multihash).value();
}

std::optional<Member> member_of(const PeerId& id) {
  const ByteView bytes = id.bytes();
  if (bytes.size() != kIdSize) return std::nullopt;
  return libp2p::load_be32(bytes.data() + 2);
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + 0x9e3779b97f4a7c15 * (b + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace opp2p::sim::gossip
