// What is held of gossip frames that have begun and not ended, over all peers. A frame has 30 s from its first byte.
// The bytes of all frames, of a block of addresses and of two such blocks of IPv6 are bounded; who has to go when a
// bound is reached is not who grows but, in this order:
//  1. the largest frame that has moved slower than 64 KiB/s in the last 5 s,
//  2. the largest frame of a peer that has delivered nothing yet, if it is more than 1/256 of all,
//  3. the largest frame.
// So a frame of up to 512 KiB (of the default 128 MiB) goes for nobody's sake while there are at most 256 peers, and a
// peer that has proven itself goes for strangers only when it is slow.
//
// These bytes have their own bound and are not taken from Host::memory(): a refusal there would fall on who comes next.
// Owner: GossipsubService. Thread: the network thread. Pure: time comes in.
#pragma once

#include <array>
#include <optional>

#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/time.hpp"

namespace libp2p {

// How the frame that a stream is in the middle of gets on.
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

class UnfinishedFrames {
 public:
  using StreamKey = std::uint64_t;
  // What a frame is to who has to go; the greatest one does.
  struct Claim {
    bool slow = false;
    bool proven = false;
    std::size_t held = 0;
  };

  // Of all frames; what a block of addresses may hold is a part of it, but at least one frame of the largest kind.
  UnfinishedFrames(std::size_t total, std::size_t largest_frame);

  void add(StreamKey stream, const AddressBlocks& blocks);
  void remove(StreamKey stream);
  void change(StreamKey stream, std::size_t before, std::size_t after);

  // Which bound is exceeded where this stream has grown; none when all is well.
  ShareFull exceeded(StreamKey stream) const;
  // Whether making `other` go helps against it.
  bool shares(StreamKey stream, StreamKey other, ShareFull full) const;
  bool goes_before(const Claim& a, const Claim& b) const;

  std::size_t bytes() const { return pool_.used() - streams_; }
  const ShareLimits& limits() const { return pool_.limits(); }

 private:
  unsigned rank(const Claim& claim) const;

  SharePool<StreamKey> pool_;  // a stream stands there with one byte, so that its row need not be made for each frame
  std::size_t streams_ = 0;
};

}  // namespace libp2p
