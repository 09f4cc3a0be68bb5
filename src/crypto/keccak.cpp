// Keccak-256: Keccak-f[1600] with Ethereum's padding byte 0x01, one lane.
#include <algorithm>

#include "crypto/hash.hpp"
#include "crypto/keccak_permutation.hpp"

namespace libp2p::crypto {
namespace {

using keccak::permute_state;

void absorb_byte(std::uint64_t* state, std::size_t at, std::uint8_t value) {
  state[at / 8] ^= std::uint64_t{value} << (8 * (at % 8));
}

}  // namespace

Keccak256& Keccak256::update(ByteView data) {
  while (filled_ % 8 != 0 && !data.empty()) {
    absorb_byte(state_, filled_++, data.front());
    data = data.subspan(1);
  }
  if (filled_ == kRate) {
    permute_state(state_);
    filled_ = 0;
  }
  while (data.size() >= 8) {
    const std::size_t words = std::min((kRate - filled_) / 8, data.size() / 8);
    for (std::size_t i = 0; i < words; ++i) state_[filled_ / 8 + i] ^= load_le64(data.data() + 8 * i);
    filled_ += 8 * words;
    data = data.subspan(8 * words);
    if (filled_ == kRate) {
      permute_state(state_);
      filled_ = 0;
    }
  }
  for (const auto byte : data) absorb_byte(state_, filled_++, byte);
  return *this;
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
