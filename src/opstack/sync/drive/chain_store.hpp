// What the sync code asks of a store: blocks to serve, a place for accepted blocks, and a staging table for blocks that
// were linked to a trusted end but do not reach down to the head yet. The daemon's block store implements it
// (opp2p/store/block_store.hpp).
//
// Thread: all calls and all callbacks on the network thread; a callback never comes within the call, and comes at most
// once. An implementation that is destroyed drops what is outstanding without a callback.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "libp2p/runtime/runtime.hpp"
#include "opstack/sync/engine/staged_block.hpp"

namespace opstack::sync {

// A block as it is sent: its body in snappy's frames.
struct ServedBlock {
  payload::Version version = payload::Version::v1;
  SharedBytes frames;
};

class BlockSource {
 public:
  virtual ~BlockSource() = default;
  using LookupDone = std::function<void(Result<std::optional<ServedBlock>>)>;
  // Read from a snapshot, off the network thread. Nothing for a block that is not there. Destroying the handle
  // withdraws the look-up: its callback does not come, and it takes no place any more among those that wait. The handle
  // may be destroyed inside the callback, and after the source.
  [[nodiscard]] virtual std::unique_ptr<libp2p::runtime::Operation> lookup(std::uint64_t number, LookupDone done) = 0;
};

class StagingArea {
 public:
  virtual ~StagingArea() = default;
  using Done = std::function<void(Result<void>)>;
  using ReadDone = std::function<void(Result<std::vector<StagedBlock>>)>;
  virtual void stage(std::uint64_t segment, StagedBlock block, Done done) = 0;
  // The blocks of a segment from number `from` on, ascending and without a hole: at most `max_blocks`, and no further
  // one once `max_bytes` are reached.
  virtual void read_staged(std::uint64_t segment, std::uint64_t from, std::size_t max_blocks, std::size_t max_bytes,
                           ReadDone done) = 0;
  virtual void drop_staged(std::uint64_t segment) = 0;
};

class ChainStore : public BlockSource, public StagingArea {
 public:
  // Appends a block whose parent is the head (or any block, to an empty store). Errc::mismatch when it does not
  // connect. The callback means that the block is durable: only then may anybody be told that we have it.
  virtual void append(Block block, Done done) = 0;
};

}  // namespace opstack::sync
