// Keccak-f[1600] (FIPS 202, section 3) with Ethereum's padding byte 0x01. One lane, all steps of a round merged, so
// that a permutation stays in registers and on one page of the stack.
#include <algorithm>
#include <bit>

#include "crypto/hash.hpp"

namespace libp2p::crypto {
namespace {

constexpr std::uint64_t kRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

struct Lanes {
  std::uint64_t v[25];
};

// One row of rho, pi and chi: the five lanes that land in row `Row` of the output, taken where pi finds them.
template <int Row, int L0, int R0, int L1, int R1, int L2, int R2, int L3, int R3, int L4, int R4>
[[gnu::always_inline]] inline void make_row(const Lanes& in, const std::uint64_t (&d)[5], Lanes& out) {
  const std::uint64_t b0 = std::rotl(in.v[L0] ^ d[L0 % 5], R0);
  const std::uint64_t b1 = std::rotl(in.v[L1] ^ d[L1 % 5], R1);
  const std::uint64_t b2 = std::rotl(in.v[L2] ^ d[L2 % 5], R2);
  const std::uint64_t b3 = std::rotl(in.v[L3] ^ d[L3 % 5], R3);
  const std::uint64_t b4 = std::rotl(in.v[L4] ^ d[L4 % 5], R4);
  out.v[Row * 5 + 0] = b0 ^ (~b1 & b2);
  out.v[Row * 5 + 1] = b1 ^ (~b2 & b3);
  out.v[Row * 5 + 2] = b2 ^ (~b3 & b4);
  out.v[Row * 5 + 3] = b3 ^ (~b4 & b0);
  out.v[Row * 5 + 4] = b4 ^ (~b0 & b1);
}

[[gnu::always_inline]] inline void round(const Lanes& a, Lanes& e, std::uint64_t constant) {
  const std::uint64_t c0 = a.v[0] ^ a.v[5] ^ a.v[10] ^ a.v[15] ^ a.v[20];
  const std::uint64_t c1 = a.v[1] ^ a.v[6] ^ a.v[11] ^ a.v[16] ^ a.v[21];
  const std::uint64_t c2 = a.v[2] ^ a.v[7] ^ a.v[12] ^ a.v[17] ^ a.v[22];
  const std::uint64_t c3 = a.v[3] ^ a.v[8] ^ a.v[13] ^ a.v[18] ^ a.v[23];
  const std::uint64_t c4 = a.v[4] ^ a.v[9] ^ a.v[14] ^ a.v[19] ^ a.v[24];
  const std::uint64_t d[5] = {c4 ^ std::rotl(c1, 1), c0 ^ std::rotl(c2, 1), c1 ^ std::rotl(c3, 1),
                              c2 ^ std::rotl(c4, 1), c3 ^ std::rotl(c0, 1)};
  make_row<0, 0, 0, 6, 44, 12, 43, 18, 21, 24, 14>(a, d, e);
  make_row<1, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61>(a, d, e);
  make_row<2, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18>(a, d, e);
  make_row<3, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56>(a, d, e);
  make_row<4, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2>(a, d, e);
  e.v[0] ^= constant;
}

void permute(std::uint64_t* state) {
  Lanes a;
  Lanes e;
  std::copy_n(state, 25, a.v);
  for (int i = 0; i < 24; i += 2) {
    round(a, e, kRoundConstants[i]);
    round(e, a, kRoundConstants[i + 1]);
  }
  std::copy_n(a.v, 25, state);
}

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
    permute(state_);
    filled_ = 0;
  }
  while (data.size() >= 8) {
    const std::size_t words = std::min((kRate - filled_) / 8, data.size() / 8);
    for (std::size_t i = 0; i < words; ++i) state_[filled_ / 8 + i] ^= load_le64(data.data() + 8 * i);
    filled_ += 8 * words;
    data = data.subspan(8 * words);
    if (filled_ == kRate) {
      permute(state_);
      filled_ = 0;
    }
  }
  for (const auto byte : data) absorb_byte(state_, filled_++, byte);
  return *this;
}

Hash256 Keccak256::finish() {
  absorb_byte(state_, filled_, 0x01);
  absorb_byte(state_, kRate - 1, 0x80);
  permute(state_);
  Hash256 out;
  for (std::size_t i = 0; i < 4; ++i) store_le64(out.data() + 8 * i, state_[i]);
  *this = Keccak256();
  return out;
}

Hash256 keccak256(ByteView data) { return Keccak256().update(data).finish(); }

}  // namespace libp2p::crypto
