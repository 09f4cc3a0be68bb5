// Keccak-256 of many short messages at once. Each lane of a vector register runs the permutation of one message. When a
// message ends, its lane takes the next one, so lengths may differ. The processor decides the width: eight lanes with
// AVX-512, four with AVX2, otherwise one. Stateless and thread-safe. Source: FIPS 202; the padding is Ethereum's.
//
// One long message can be hashed in the general registers at the same time. The lanes then cost a third of their usual
// time with eight lanes, and nothing with four.
#pragma once

#include <span>
#include <utility>

#include "libp2p/crypto/hash.hpp"

namespace libp2p::crypto {

// A message in two parts, as what is hashed often has a head of its own before somebody else's bytes.
struct KeccakMessage {
  ByteView head;
  ByteView tail;
};

// A message that is hashed beside others: a block of it with each permutation of the lanes, and what is left by
// finish(). It views what it hashes. Its owner gives it to each call that hashes others; one thread uses it at a time.
class KeccakBeside {
 public:
  explicit KeccakBeside(ByteView message) : rest_(message) {}

  // Nothing but the end is left: no more goes beside others.
  bool exhausted() const { return rest_.size() < Keccak256::kRate; }
  Hash256 finish() { return hash_.update(std::exchange(rest_, {})).finish(); }

 private:
  friend struct KeccakLanes;
  Keccak256 hash_;  // at a block's edge
  ByteView rest_;
};

enum class KeccakWidth : std::uint8_t { one, four, eight };

// The widest that this processor has.
KeccakWidth keccak_width();
// The digest of messages[i] into out[i], which has as many places.
void keccak256_many(std::span<const KeccakMessage> messages, std::span<Hash256> out, KeccakBeside* beside = nullptr);
// The same in a width that is given, for tests and measurements. A wider one than keccak_width() is not executable
// here.
void keccak256_many(KeccakWidth width, std::span<const KeccakMessage> messages, std::span<Hash256> out,
                    KeccakBeside* beside = nullptr);
// Of one message.
Hash256 keccak256(const KeccakMessage& message, KeccakBeside* beside);

}  // namespace libp2p::crypto
