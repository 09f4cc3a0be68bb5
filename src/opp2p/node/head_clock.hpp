// HeadClock: when the node's head was made, and whether the blocks that come have the times that the node expects. Set
// on the network thread and read from any: atomics, so that a busy network thread does not hold up a probe of the
// node's health. Owner: the node.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace opp2p {

class HeadClock {
 public:
  // Seconds since 1970, of the head's timestamp.
  void set(std::uint64_t timestamp) { timestamp_.store(timestamp, std::memory_order_relaxed); }
  // Nothing while there is no head.
  std::optional<std::uint64_t> get() const { return value_of(timestamp_); }

  // So many blocks in a row had a time that is not that of their number, and how far they are apart, in seconds.
  void set_wrong_times(std::uint64_t in_a_row, std::optional<std::uint64_t> block_time) {
    observed_.store(block_time.value_or(kNone), std::memory_order_relaxed);
    wrong_.store(in_a_row, std::memory_order_relaxed);
  }
  std::uint64_t wrong_times() const { return wrong_.load(std::memory_order_relaxed); }
  std::optional<std::uint64_t> observed_block_time() const { return value_of(observed_); }

 private:
  static constexpr std::uint64_t kNone = UINT64_MAX;
  static std::optional<std::uint64_t> value_of(const std::atomic<std::uint64_t>& from) {
    const auto value = from.load(std::memory_order_relaxed);
    if (value == kNone) return std::nullopt;
    return value;
  }
  std::atomic<std::uint64_t> timestamp_{kNone};
  std::atomic<std::uint64_t> observed_{kNone};
  std::atomic<std::uint64_t> wrong_{0};
};

}  // namespace opp2p
