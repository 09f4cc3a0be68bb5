#include "libp2p/services/gossipsub/frame_progress.hpp"

#include <numeric>

namespace libp2p {

void FrameProgress::begin(MonoTime now) {
  begun_ = now;
  slots_.fill(0);
  newest_ = now.time_since_epoch() / kSlot;
}

void FrameProgress::note(std::size_t bytes, MonoTime now) {
  const std::int64_t slot = now.time_since_epoch() / kSlot;
  if (slot - newest_ >= static_cast<std::int64_t>(kSlots)) slots_.fill(0), newest_ = slot;
  while (newest_ < slot) slots_[static_cast<std::size_t>(++newest_) % kSlots] = 0;
  slots_[static_cast<std::size_t>(slot) % kSlots] += static_cast<std::uint32_t>(bytes);
}

bool FrameProgress::is_slow(MonoTime now) const {
  if (!is_overdue(kWindow, now)) return false;
  FrameProgress until_now = *this;
  until_now.note(0, now);
  constexpr std::size_t kLeast = kLeastRate * static_cast<std::size_t>(kWindow / Seconds(1));
  return std::accumulate(until_now.slots_.begin(), until_now.slots_.end(), std::size_t{0}) < kLeast;
}

}  // namespace libp2p
