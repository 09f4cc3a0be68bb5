// Everything between the two functions that name an instruction set is inlined into them, so no vector crosses a call.
#pragma GCC diagnostic ignored "-Wpsabi"

#include "libp2p/crypto/keccak_many.hpp"

#include <algorithm>

#include "libp2p/crypto/keccak_round.hpp"

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

// The next block of `message` from byte `lane.taken` on: where it lies whole in the message, or in `made`, where it is
// put together and padded when the message ends in it.
const std::uint8_t* take_block(const KeccakMessage& message, Lane& lane, std::uint8_t (&made)[kRate]) {
  const std::size_t head = message.head.size();
  if (lane.taken >= head && lane.taken - head + kRate <= message.tail.size()) {
    const auto* const whole = message.tail.data() + (lane.taken - head);
    lane.taken += kRate;
    return whole;
  }
  std::size_t filled = 0;
  const auto copy = [&](ByteView part, std::size_t before) {
    if (lane.taken < before + part.size() && filled < kRate) {
      const auto rest = part.subspan(lane.taken - before);
      const std::size_t n = std::min(rest.size(), kRate - filled);
      std::memcpy(made + filled, rest.data(), n);
      filled += n;
      lane.taken += n;
    }
  };
  copy(message.head, 0);
  copy(message.tail, head);
  if (filled == kRate) return made;
  std::memset(made + filled, 0, kRate - filled);
  made[filled] = 0x01;
  made[kRate - 1] |= 0x80;
  lane.last = true;
  return made;
}

}  // namespace

// What hashes in lanes, and knows the inside of a message that goes beside them.
struct KeccakLanes {
  // One permutation of the lanes and, if there is a block of it, one of what goes beside.
  template <class Vector>
  [[gnu::always_inline]] static void permute(keccak::Words<Vector>& states, KeccakBeside* beside) {
    if (beside == nullptr || beside->exhausted()) return keccak::permute(states);
    keccak::Words<std::uint64_t> words;
    std::uint64_t* const state = beside->hash_.state_;
    for (std::size_t w = 0; w < 25; ++w) words.v[w] = state[w];
    for (std::size_t w = 0; w < kRateWords; ++w) words.v[w] ^= load_le64(beside->rest_.data() + 8 * w);
    keccak::permute_beside(words, states);
    for (std::size_t w = 0; w < 25; ++w) state[w] = words.v[w];
    beside->rest_ = beside->rest_.subspan(kRate);
  }

  // `Vector` holds one word of kLanes states. Inlined into a function for each instruction set.
  template <class Vector>
  [[gnu::always_inline]] static void hash(std::span<const KeccakMessage> messages, std::span<Hash256> out,
                                          KeccakBeside* beside) {
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
        std::uint8_t made[kRate];
        const auto* const block = take_block(messages[lane.message], lane, made);
        for (std::size_t w = 0; w < kRateWords; ++w) blocks[w][i] = load_le64(block + 8 * w);
      }
      if (!busy) return;
      for (std::size_t w = 0; w < kRateWords; ++w) {
        Vector word;
        std::memcpy(&word, blocks[w], sizeof word);
        states.v[w] ^= word;
      }
      permute(states, beside);
    }
  }
};

namespace {

void hash_one_by_one(std::span<const KeccakMessage> messages, std::span<Hash256> out) {
  for (std::size_t i = 0; i < messages.size(); ++i)
    out[i] = Keccak256().update(messages[i].head).update(messages[i].tail).finish();
}

#if defined(__x86_64__)
using Four [[gnu::vector_size(32)]] = std::uint64_t;
using Eight [[gnu::vector_size(64)]] = std::uint64_t;

[[gnu::target("avx2,bmi,bmi2")]] void hash_in_four(std::span<const KeccakMessage> messages, std::span<Hash256> out,
                                                   KeccakBeside* beside) {
  KeccakLanes::hash<Four>(messages, out, beside);
}

[[gnu::target("avx512f,avx512vl,avx512dq,avx512bw,bmi,bmi2")]] void hash_in_eight(
    std::span<const KeccakMessage> messages, std::span<Hash256> out, KeccakBeside* beside) {
  KeccakLanes::hash<Eight>(messages, out, beside);
}
#endif

}  // namespace

KeccakWidth keccak_width() {
#if defined(__x86_64__)
  static const KeccakWidth width = [] {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2"))
      return KeccakWidth::one;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
      return KeccakWidth::eight;
    return KeccakWidth::four;
  }();
  return width;
#else
  return KeccakWidth::one;
#endif
}

void keccak256_many(KeccakWidth width, std::span<const KeccakMessage> messages, std::span<Hash256> out,
                    KeccakBeside* beside) {
#if defined(__x86_64__)
  if (width == KeccakWidth::eight) return hash_in_eight(messages, out, beside);
  if (width == KeccakWidth::four) return hash_in_four(messages, out, beside);
#endif
  hash_one_by_one(messages, out);
}

void keccak256_many(std::span<const KeccakMessage> messages, std::span<Hash256> out, KeccakBeside* beside) {
  // A vector with few lanes in use is slower than one message after the other, unless it goes for nothing.
  constexpr std::size_t kWorthIt = 3;
  const bool alone = beside == nullptr || beside->exhausted();
  keccak256_many(messages.size() < kWorthIt && alone ? KeccakWidth::one : keccak_width(), messages, out, beside);
}

Hash256 keccak256(const KeccakMessage& message, KeccakBeside* beside) {
  Hash256 out;
  keccak256_many({&message, 1}, {&out, 1}, beside);
  return out;
}

}  // namespace libp2p::crypto
