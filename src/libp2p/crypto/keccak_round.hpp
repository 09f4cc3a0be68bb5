// The round of Keccak-f[1600] (FIPS 202, section 3) on words of any kind: 64 bits, or vectors of them that hold one
// state in each lane. All steps of a round are merged, so that a permutation stays in registers.
#pragma once

#include <cstdint>

namespace libp2p::crypto::keccak {

inline constexpr std::uint64_t kRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

template <class Word>
struct Words {
  Word v[25];
};

template <int Bits, class Word>
[[gnu::always_inline]] inline Word rotate(const Word& x) {
  if constexpr (Bits == 0)
    return x;
  else
    return x << Bits | x >> (64 - Bits);
}

// One row of rho, pi and chi: the five words that land in row `Row` of the output, taken where pi finds them.
template <int Row, int L0, int R0, int L1, int R1, int L2, int R2, int L3, int R3, int L4, int R4, class Word>
[[gnu::always_inline]] inline void make_row(const Words<Word>& in, const Word (&d)[5], Words<Word>& out) {
  const Word b0 = rotate<R0, Word>(in.v[L0] ^ d[L0 % 5]);
  const Word b1 = rotate<R1, Word>(in.v[L1] ^ d[L1 % 5]);
  const Word b2 = rotate<R2, Word>(in.v[L2] ^ d[L2 % 5]);
  const Word b3 = rotate<R3, Word>(in.v[L3] ^ d[L3 % 5]);
  const Word b4 = rotate<R4, Word>(in.v[L4] ^ d[L4 % 5]);
  out.v[Row * 5 + 0] = b0 ^ (~b1 & b2);
  out.v[Row * 5 + 1] = b1 ^ (~b2 & b3);
  out.v[Row * 5 + 2] = b2 ^ (~b3 & b4);
  out.v[Row * 5 + 3] = b3 ^ (~b4 & b0);
  out.v[Row * 5 + 4] = b4 ^ (~b0 & b1);
}

template <class Word>
[[gnu::always_inline]] inline void round(const Words<Word>& a, Words<Word>& e, std::uint64_t constant) {
  const Word c0 = a.v[0] ^ a.v[5] ^ a.v[10] ^ a.v[15] ^ a.v[20];
  const Word c1 = a.v[1] ^ a.v[6] ^ a.v[11] ^ a.v[16] ^ a.v[21];
  const Word c2 = a.v[2] ^ a.v[7] ^ a.v[12] ^ a.v[17] ^ a.v[22];
  const Word c3 = a.v[3] ^ a.v[8] ^ a.v[13] ^ a.v[18] ^ a.v[23];
  const Word c4 = a.v[4] ^ a.v[9] ^ a.v[14] ^ a.v[19] ^ a.v[24];
  const Word d[5] = {c4 ^ rotate<1, Word>(c1), c0 ^ rotate<1, Word>(c2), c1 ^ rotate<1, Word>(c3),
                     c2 ^ rotate<1, Word>(c4), c3 ^ rotate<1, Word>(c0)};
  make_row<0, 0, 0, 6, 44, 12, 43, 18, 21, 24, 14>(a, d, e);
  make_row<1, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61>(a, d, e);
  make_row<2, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18>(a, d, e);
  make_row<3, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56>(a, d, e);
  make_row<4, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2>(a, d, e);
  e.v[0] ^= constant;
}

template <class Word>
[[gnu::always_inline]] inline void permute(Words<Word>& a) {
  Words<Word> e;
  for (int i = 0; i < 24; i += 2) {
    round(a, e, kRoundConstants[i]);
    round(e, a, kRoundConstants[i + 1]);
  }
}

// Two at once, of words of two kinds: rounds in general and in vector registers take turns, and each kind of execution
// unit works while the other has to wait.
template <class Word, class Vector>
[[gnu::always_inline]] inline void permute_beside(Words<Word>& a, Words<Vector>& v) {
  Words<Word> e;
  Words<Vector> w;
  for (int i = 0; i < 24; i += 2) {
    round(a, e, kRoundConstants[i]);
    round(v, w, kRoundConstants[i]);
    round(e, a, kRoundConstants[i + 1]);
    round(w, v, kRoundConstants[i + 1]);
  }
}

}  // namespace libp2p::crypto::keccak
