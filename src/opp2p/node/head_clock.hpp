// HeadClock: when the node's head was made. Set on the network thread and read from any: one atomic, so that a busy
// network thread does not hold up a probe of the node's health. Owner: the node.
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
  std::optional<std::uint64_t> get() const {
    const auto timestamp = timestamp_.load(std::memory_order_relaxed);
    if (timestamp == kNone) return std::nullopt;
    return timestamp;
  }

 private:
  static constexpr std::uint64_t kNone = UINT64_MAX;
  std::atomic<std::uint64_t> timestamp_{kNone};
};

}  // namespace opp2p
