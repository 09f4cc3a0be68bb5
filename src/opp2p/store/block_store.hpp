// The block store: the unsafe chain as this node has accepted it, one block a height, each with its version and the
// bytes that were gossiped. Acknowledged means durable: the callback of a write comes only when a crash, a kill or a
// loss of power can no longer undo it. Beside the chain lies the staging table of the reverse sync
// (opstack/sync/drive/chain_store.hpp).
//
// Implementations: LmdbStore (the daemon), MemoryStore (tests, simulation, `--data-dir` none), FaultyStore (tests).
// Owner: the node. Thread: writes from one thread; reads from any thread, each on a snapshot of what is durable.
// Callbacks run through the `Post` that the store was made with. Bounds: what waits to be written is bounded in bytes
// (refused with Errc::exhausted beyond).
//
// Budget: chain and staging share one, of bytes. The chain has all but an eighth of it, above which its oldest blocks
// are removed; no block of the chain goes for a staged one. When the budget is used up, staged blocks go: first those
// that are in the chain already, then those farthest from it, which can be fetched again once the chain has come
// nearer. A block that would be the first to go is refused with Errc::exhausted. The head, and one staged block, are
// kept however large they are.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "opstack/sync/drive/chain_store.hpp"

namespace opp2p {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::Errc;
using libp2p::Error;
using libp2p::Nanos;
using libp2p::Result;
using libp2p::SharedBytes;
using opstack::payload::Hash;
using opstack::payload::Version;

// Hands a task to the thread that callbacks are to run on; called from any thread. For a node: Runtime::post.
using Post = std::function<void(std::function<void()>)>;

struct StoredBlock {
  std::uint64_t number = 0;
  Hash hash{};
  Hash parent_hash{};
  std::uint64_t timestamp = 0;  // seconds since 1970
  Version version = Version::v1;
  bool framed = false;  // whether `body` is compressed: the snappy frames that payload_by_number sends of it
  libp2p::SharedSlice body;

  StoredBlock() = default;
  explicit StoredBlock(const opstack::sync::Block& block);
};

// The same block with its body compressed, and not. Errc::malformed for frames that are none.
StoredBlock framed(StoredBlock block);
Result<StoredBlock> unframed(StoredBlock block);

struct StagedRecord {
  Bytes peer;  // the binary peer id of who sent it
  StoredBlock block;
};

// What the chain in the store spans.
struct StoreSummary {
  std::uint64_t blocks = 0;
  std::optional<std::uint64_t> lowest;
  std::optional<StoredBlock> head;  // without body
  std::uint64_t bytes = 0;          // that chain and staging use, free pages not counted
  std::uint64_t staged = 0;         // blocks in the staging table
  std::uint64_t pruned = 0;         // since it was opened
};

constexpr std::uint64_t chain_share(std::uint64_t budget) { return budget - budget / 8; }
Error no_room_to_stage(std::uint64_t number, std::uint64_t used, std::uint64_t budget);

class BlockStore {
 public:
  virtual ~BlockStore() = default;
  using Done = std::function<void(Result<void>)>;

  // Appends to the chain. To an empty store any block; else its parent must be the head, Errc::mismatch if not. A block
  // that is there already is acknowledged again; another one at its height is Errc::mismatch too: the first is kept.
  virtual void put(StoredBlock block, Done done) = 0;

  virtual Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const = 0;
  // As the store holds it, framed or not; all other reads give it unframed.
  virtual Result<std::optional<StoredBlock>> as_stored(std::uint64_t number) const { return by_number(number); }
  virtual Result<std::optional<StoredBlock>> by_hash(const Hash& hash) const = 0;
  virtual Result<StoreSummary> summary() const = 0;
  // Calls `visit` for each block from `from` to `to` (both included) in ascending order until it answers false.
  virtual Result<void> for_each(std::uint64_t from, std::uint64_t to,
                                const std::function<bool(const StoredBlock&)>& visit) const = 0;
  // The same without bodies, which costs a small part of it.
  virtual Result<void> for_each_head(std::uint64_t from, std::uint64_t to,
                                     const std::function<bool(const StoredBlock&)>& visit) const {
    return for_each(from, to, visit);
  }

  virtual void stage(std::uint64_t segment, StagedRecord record, Done done) = 0;
  virtual Result<std::vector<StagedRecord>> read_staged(std::uint64_t segment, std::uint64_t from,
                                                        std::size_t max_blocks, std::size_t max_bytes) const = 0;
  virtual void drop_staged(std::uint64_t segment, Done done) = 0;

  // Writes what waits, then stops taking more; returns when the disk has it. Callbacks are still posted.
  virtual void close() = 0;
};

}  // namespace opp2p
