#include "libp2p/services/gossipsub/gossipsub_unfinished.hpp"

#include <algorithm>
#include <numeric>

namespace libp2p {
namespace {

constexpr std::size_t kNarrowPart = 4;  // of all for an IPv4 address, or a /56 of IPv6
constexpr std::size_t kWidePart = 2;    // for a /48
constexpr std::size_t kSmallPart = 256;

ShareLimits limits_of(std::size_t total, std::size_t largest_frame) {
  ShareLimits limits;
  limits.total = total;
  limits.narrow = std::max(total / kNarrowPart, largest_frame);
  limits.wide = std::max(total / kWidePart, largest_frame);
  return limits;
}

}  // namespace

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

UnfinishedFrames::UnfinishedFrames(std::size_t total, std::size_t largest_frame)
    : pool_(limits_of(total, largest_frame)) {}

void UnfinishedFrames::add(StreamKey stream, const AddressBlocks& blocks) {
  pool_.take(stream, blocks, 1);
  ++streams_;
}

void UnfinishedFrames::remove(StreamKey stream) {
  pool_.give_all(stream);
  --streams_;
}

void UnfinishedFrames::change(StreamKey stream, std::size_t before, std::size_t after) {
  if (after > before) pool_.take(stream, {}, after - before);
  if (after < before) pool_.give(stream, before - after);
}

ShareFull UnfinishedFrames::exceeded(StreamKey stream) const {
  const auto found = pool_.holders().find(stream);
  if (found == pool_.holders().end()) return ShareFull::none;
  const AddressBlocks& blocks = found->second.blocks;
  if (!blocks.narrow.empty() && pool_.held_by(blocks.narrow) > limits().narrow) return ShareFull::narrow;
  if (!blocks.wide.empty() && pool_.held_by(blocks.wide) > limits().wide) return ShareFull::wide;
  return bytes() > limits().total ? ShareFull::total : ShareFull::none;
}

bool UnfinishedFrames::shares(StreamKey stream, StreamKey other, ShareFull full) const {
  const auto a = pool_.holders().find(stream);
  const auto b = pool_.holders().find(other);
  if (a == pool_.holders().end() || b == pool_.holders().end()) return false;
  if (full == ShareFull::narrow) return a->second.blocks.narrow == b->second.blocks.narrow;
  if (full == ShareFull::wide) return a->second.blocks.wide == b->second.blocks.wide;
  return true;
}

unsigned UnfinishedFrames::rank(const Claim& claim) const {
  if (claim.slow) return 2;
  return !claim.proven && claim.held > limits().total / kSmallPart ? 1 : 0;
}

bool UnfinishedFrames::goes_before(const Claim& a, const Claim& b) const {
  return rank(a) != rank(b) ? rank(a) > rank(b) : a.held > b.held;
}

}  // namespace libp2p
