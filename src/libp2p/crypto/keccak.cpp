// Keccak-256: Keccak-f[1600] with Ethereum's padding byte 0x01, one lane.
#include <algorithm>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/crypto/keccak_permutation.hpp"

namespace libp2p::crypto {
namespace {

using keccak::permute_state;

void absorb_byte(std::uint64_t* state, std::size_t at, std::uint8_t value) {
  state[at / 8] ^= std::uint64_t{value} << (8 * (at % 8));
}

}  // namespace

Keccak256& Keccak256::update(ByteView data) {
  if (filled_ > 0) {
    const auto part = data.first(std::min(kRate - filled_, data.size()));
    absorb_part(part);
    data = data.subspan(part.size());
    if (filled_ < kRate) return *this;
    permute_state(state_);
    filled_ = 0;
  }
  const std::size_t blocks = data.size() / kRate;
  if (blocks > 0) keccak::absorb_blocks(state_, data.data(), blocks);
  absorb_part(data.subspan(blocks * kRate));
  return *this;
}

// At most what the block has room for.
void Keccak256::absorb_part(ByteView part) {
  for (; filled_ % 8 != 0 && !part.empty(); part = part.subspan(1)) absorb_byte(state_, filled_++, part.front());
  for (; part.size() >= 8; part = part.subspan(8), filled_ += 8) state_[filled_ / 8] ^= load_le64(part.data());
  for (const auto byte : part) absorb_byte(state_, filled_++, byte);
}

Hash256 Keccak256::finish() {
  absorb_byte(state_, filled_, 0x01);
  absorb_byte(state_, kRate - 1, 0x80);
  permute_state(state_);
  Hash256 out;
  for (std::size_t i = 0; i < 4; ++i) store_le64(out.data() + 8 * i, state_[i]);
  *this = Keccak256();
  return out;
}

Hash256 keccak256(ByteView data) { return Keccak256().update(data).finish(); }

}  // namespace libp2p::crypto
