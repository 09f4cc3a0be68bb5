// Keccak-256 of many short messages at once: the permutations of four or eight of them run in the lanes of one vector. Lanes are
// refilled as their messages end, so lengths may differ. Which width is taken follows from the processor: eight lanes with
// AVX-512, four with AVX2, else one after the other. Stateless and thread-safe. Source: FIPS 202; the padding is Ethereum's.
#pragma once

#include <span>

#include "crypto/hash.hpp"

namespace libp2p::crypto {

// A message in two parts, as what is hashed often has a head of its own before somebody else's bytes.
struct KeccakMessage {
  ByteView head;
  ByteView tail;
};

enum class KeccakWidth : std::uint8_t { one, four, eight };

// The widest that this processor has.
KeccakWidth keccak_width();
// The digest of messages[i] into out[i], which has as many places.
void keccak256_many(std::span<const KeccakMessage> messages, std::span<Hash256> out);
// The same in a width that is given, for tests and measurements. A wider one than keccak_width() is not executable here.
void keccak256_many(KeccakWidth width, std::span<const KeccakMessage> messages, std::span<Hash256> out);

}  // namespace libp2p::crypto
