// How the frame that a stream is in the middle of gets on: when it began, and how many bytes of it came in the last 5
// s.
//
// Owner: GossipInbound. Thread: the network thread. Pure: time comes in. Bounds: one counter for each 500 ms of the
// window.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "libp2p/base/time.hpp"

namespace libp2p {

class FrameProgress {
 public:
  static constexpr Nanos kWindow = Seconds(5);
  static constexpr std::size_t kLeastRate = 64U << 10;  // bytes a second

  void begin(MonoTime now);
  void end() { begun_.reset(); }
  bool begun() const { return begun_.has_value(); }
  void note(std::size_t bytes, MonoTime now);

  bool is_overdue(Nanos limit, MonoTime now) const { return begun_ && now - *begun_ >= limit; }
  // Never before the frame is as old as the window.
  bool is_slow(MonoTime now) const;

 private:
  static constexpr Nanos kSlot = Millis(500);
  static constexpr std::size_t kSlots = kWindow / kSlot + 1;  // the one that runs, and those of a whole window

  std::optional<MonoTime> begun_;
  std::array<std::uint32_t, kSlots> slots_{};
  std::int64_t newest_ = 0;
};

}  // namespace libp2p
