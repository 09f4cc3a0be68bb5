// Everything between the two functions that name an instruction set is inlined into them, so no vector crosses a call.
#pragma GCC diagnostic ignored "-Wpsabi"

#include "crypto/keccak_many.hpp"

#include <algorithm>

#include "crypto/keccak_round.hpp"

namespace libp2p::crypto {
namespace {

constexpr std::size_t kRate = Keccak256::kRate;
constexpr std::size_t kRateWords = kRate / 8;

// A message on its way through a lane.
struct Lane {
  std::size_t message = 0;
  std::size_t taken = 0;  // bytes
  bool last = false;      // its final block is in
  bool idle = true;
};

// The next block of `message` from byte `lane.taken` on, padded when the message ends in it.
void take_block(const KeccakMessage& message, Lane& lane, std::uint8_t (&block)[kRate]) {
  std::size_t filled = 0;
  const auto copy = [&](ByteView part, std::size_t before) {
    if (lane.taken < before + part.size() && filled < kRate) {
      const auto rest = part.subspan(lane.taken - before);
      const std::size_t n = std::min(rest.size(), kRate - filled);
      std::memcpy(block + filled, rest.data(), n);
      filled += n;
      lane.taken += n;
    }
  };
  copy(message.head, 0);
  copy(message.tail, message.head.size());
  if (filled == kRate) return;
  std::memset(block + filled, 0, kRate - filled);
  block[filled] = 0x01;
  block[kRate - 1] |= 0x80;
  lane.last = true;
}

// `Vector` holds one word of kLanes states. Inlined into a function for each instruction set.
template <class Vector>
[[gnu::always_inline]] inline void hash_in_lanes(std::span<const KeccakMessage> messages, std::span<Hash256> out) {
  constexpr std::size_t kLanes = sizeof(Vector) / 8;
  keccak::Words<Vector> states{};
  Lane lanes[kLanes];
  std::size_t next = 0;
  alignas(64) std::uint64_t blocks[kRateWords][kLanes] = {};
  while (true) {
    bool busy = false;
    for (std::size_t i = 0; i < kLanes; ++i) {
      Lane& lane = lanes[i];
      if (lane.last) {
        for (std::size_t w = 0; w < 4; ++w) store_le64(out[lane.message].data() + 8 * w, states.v[w][i]);
        lane = Lane();
      }
      if (lane.idle && next < messages.size()) {
        for (auto& word : states.v) word[i] = 0;
        lane.message = next++;
        lane.idle = false;
      }
      if (lane.idle) continue;
      busy = true;
      std::uint8_t block[kRate];
      take_block(messages[lane.message], lane, block);
      for (std::size_t w = 0; w < kRateWords; ++w) blocks[w][i] = load_le64(block + 8 * w);
    }
    if (!busy) return;
    for (std::size_t w = 0; w < kRateWords; ++w) {
      Vector word;
      std::memcpy(&word, blocks[w], sizeof word);
      states.v[w] ^= word;
    }
    keccak::permute(states);
  }
}

void hash_one_by_one(std::span<const KeccakMessage> messages, std::span<Hash256> out) {
  for (std::size_t i = 0; i < messages.size(); ++i)
    out[i] = Keccak256().update(messages[i].head).update(messages[i].tail).finish();
}

#if defined(__x86_64__)
using Four [[gnu::vector_size(32)]] = std::uint64_t;
using Eight [[gnu::vector_size(64)]] = std::uint64_t;

[[gnu::target("avx2")]] void hash_in_four(std::span<const KeccakMessage> messages, std::span<Hash256> out) {
  hash_in_lanes<Four>(messages, out);
}

[[gnu::target("avx512f,avx512vl,avx512dq,avx512bw")]] void hash_in_eight(std::span<const KeccakMessage> messages,
                                                                         std::span<Hash256> out) {
  hash_in_lanes<Eight>(messages, out);
}
#endif

}  // namespace

KeccakWidth keccak_width() {
#if defined(__x86_64__)
  static const KeccakWidth width = [] {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
      return KeccakWidth::eight;
    return __builtin_cpu_supports("avx2") ? KeccakWidth::four : KeccakWidth::one;
  }();
  return width;
#else
  return KeccakWidth::one;
#endif
}

void keccak256_many(KeccakWidth width, std::span<const KeccakMessage> messages, std::span<Hash256> out) {
#if defined(__x86_64__)
  if (width == KeccakWidth::eight) return hash_in_eight(messages, out);
  if (width == KeccakWidth::four) return hash_in_four(messages, out);
#endif
  hash_one_by_one(messages, out);
}

void keccak256_many(std::span<const KeccakMessage> messages, std::span<Hash256> out) {
  // A vector with few lanes in use is slower than one message after the other.
  constexpr std::size_t kWorthIt = 3;
  keccak256_many(messages.size() < kWorthIt ? KeccakWidth::one : keccak_width(), messages, out);
}

}  // namespace libp2p::crypto
