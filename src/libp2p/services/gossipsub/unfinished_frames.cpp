#include "libp2p/services/gossipsub/unfinished_frames.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

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

UnfinishedFrames::UnfinishedFrames(std::size_t total, std::size_t largest_frame)
    : pool_(limits_of(total, largest_frame)) {}

void UnfinishedFrames::add(StreamKey stream, const AddressBlocks& blocks) {
  pool_.take(stream, blocks, 1);
  ++streams_;
}

void UnfinishedFrames::remove(StreamKey stream) {
  OPP2P_ASSERT(pool_.held(stream) > 0, "a stream is removed once, after it was added", stream);
  pool_.give_all(stream);
  --streams_;
}

void UnfinishedFrames::change(StreamKey stream, std::size_t before, std::size_t after) {
  OPP2P_DEBUG_ASSERT(pool_.held(stream) == before + 1, "a stream counts what it holds, and one byte for its row",
                     stream, before);
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

void UnfinishedFrames::check() const {
  pool_.check();
  OPP2P_CHECK(pool_.holders().size() == streams_, "each stream has a row, with one byte for it at least",
              pool_.holders(), streams_);
}

bool UnfinishedFrames::goes_before(const Claim& a, const Claim& b) const {
  return rank(a) != rank(b) ? rank(a) > rank(b) : a.held > b.held;
}

}  // namespace libp2p
