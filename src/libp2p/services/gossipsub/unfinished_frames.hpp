// The bytes of gossip frames that have begun and not ended, over all peers. They have three bounds: for all peers, for
// one block of addresses (an IPv4 address or a /56 of IPv6), and for a /48 of IPv6. When a frame grows beyond a bound,
// one of the frames behind that bound is evicted, which need not be the one that has grown. In this order:
//  1. the largest frame that has received less than 64 KiB/s in the last 5 s,
//  2. the largest frame of a peer that has delivered nothing yet, if the frame holds more than 1/256 of the whole
//     bound,
//  3. the largest frame.
// With the default bound (128 MiB) and at most 256 peers, a frame of up to 512 KiB is therefore never evicted for
// another peer's frame unless it is slow. A proven peer is evicted for unproven ones only when it is slow.
//
// These bytes are not taken from Host::memory(). A refusal there would hit the peer that comes next, not the one that
// holds most.
//
// Owner: GossipPeers. Thread: the network thread. Pure: time comes in. Bounds: a row for each inbound stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libp2p/base/share_pool.hpp"

namespace libp2p {

class UnfinishedFrames {
 public:
  using StreamKey = std::uint64_t;
  // How strongly a frame is a candidate for eviction. The greatest claim is evicted.
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
  // Asserts that each stream has its row, with a byte for it. The bounds are the owner's to keep.
  void check() const;

 private:
  unsigned rank(const Claim& claim) const;

  SharePool<StreamKey> pool_;  // a stream stands there with one byte, so that its row need not be made for each frame
  std::size_t streams_ = 0;
};

}  // namespace libp2p
