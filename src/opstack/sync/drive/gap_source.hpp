// The seam of the ways to get blocks that gossip did not bring. A source is told which blocks are wanted and delivers
// them from the top downwards; it decides itself whom it asks. Implementation: SyncClient (payload_by_number).
//
// Thread: the network thread. A source calls its sink at any time but inside the constructor, want() and check(). The
// sink may call want() inside a delivery. Bounds: those of the source; what it has delivered and the store has not yet
// written counts against them (on_written).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "libp2p/runtime/task.hpp"
#include "opstack/sync/engine/gap.hpp"

namespace opstack::sync {

class GapSink {
 public:
  virtual ~GapSink() = default;
  // The block that the gap wants: its hash is that of the parent of Gap::child, or of the block that was delivered for
  // this gap before.
  virtual void on_fetched(GapId gap, const PeerId& from, Block block) = 0;
  // GapSource::can_ask() has changed.
  virtual void on_source_changed() = 0;
};

// What a source has done since the start.
struct GapRecord {
  std::uint64_t delivered = 0;  // blocks
  std::uint64_t failed = 0;     // requests without a block that could be used
  std::optional<MonoTime> last_delivery;
};

class GapSource {
 public:
  virtual ~GapSource() = default;
  // For people and counters: "payload_by_number".
  virtual std::string_view name() const = 0;
  // What is wanted from now on, the most urgent first. It replaces what was wanted before; work on a gap whose id stays
  // goes on.
  virtual void want(std::vector<Gap> gaps) = 0;
  // The regular look at the chain: its head, and the lowest signed block above it that does not connect. Without a
  // target it is an open-ended request, which a source may ignore.
  virtual void check(const BlockRef& head, const std::optional<BlockRef>& target) = 0;
  // Whether there is anybody that it could ask, be it later.
  virtual bool can_ask() const = 0;
  virtual GapRecord record() const = 0;
  // A block that it delivered is in the store, or was dropped: `bytes` is its Block::memory_bytes().
  virtual void on_written(std::size_t bytes) = 0;
  // Ends what runs; nothing is asked or delivered any more.
  virtual libp2p::runtime::Task<void> close() = 0;
};

}  // namespace opstack::sync
