// The block store: the blocks that this node has accepted, with their signatures, and which of them are its chain.
// docs/fork-choice.md has the words (canonical, head, segment, hole, disconnected, orphan, era) and the rules; who
// decides which chain it is is the unsafe chain, which asks for it through opstack::sync::ChainStore. Acknowledged
// means durable: the callback of a write comes only when a crash, a kill or a loss of power can no longer undo it.
//
// Implementations: LmdbStore (the daemon), MemoryStore (tests and simulation), FaultyStore (tests). The
// first two share the rules (chain_writer.hpp, chain_reader.hpp) over one transaction seam (table_txn.hpp).
// Owner: the node. Thread: writes from one thread; reads from any thread, each on a snapshot of what is durable.
// Callbacks run through the `Post` that the store was made with, and never within the call. Bounds: what waits to be
// written is bounded in bytes (refused with Errc::exhausted beyond).
//
// Budget: one for everything, kept in the commit that crosses it, of bytes as cost_of() counts them (chain_tables.hpp),
// which is about what a database takes. Blocks that are not canonical have a
// quarter of it; beyond that the oldest go, and after a day each of them goes. A block that others waited for counts as
// being as old as the newest of these, and goes before them. The canonical chain has the rest; beyond
// that its lowest blocks go, never the head. So no canonical block goes for another one. A block that would be the
// first to go is refused with Errc::exhausted.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "opp2p/store/stored_block.hpp"
#include "opstack/sync/drive/chain_store.hpp"

namespace opp2p {

using libp2p::Nanos;
using libp2p::UnixTime;
using opstack::sync::Attestation;
using opstack::sync::ChainView;
using opstack::sync::Descent;
using opstack::sync::EraRecord;
using opstack::sync::HeadMove;
using opstack::sync::KeptBlock;
using opstack::sync::MovedHead;
using opstack::sync::OrphanReason;
using opstack::sync::SegmentView;

// Hands a task to the thread that callbacks are to run on; called from any thread. For a node: Runtime::post.
using Post = std::function<void(std::function<void()>)>;

// Any block that is stored, and what is known of it.
struct FoundBlock {
  StoredBlock block;
  std::optional<OrphanReason> orphan;  // none: canonical
  std::optional<UnixTime> orphaned;    // since when
  std::optional<Attestation> attestation;
};

// What is in the store. A canonical block without a body (genesis) counts in `segments` and as `head` only.
struct StoreSummary {
  std::uint64_t blocks = 0;             // canonical ones
  std::optional<std::uint64_t> lowest;  // of them
  std::optional<StoredBlock> head;      // without body
  std::vector<SegmentView> segments;    // ascending; between two of them is a hole
  std::uint64_t orphans = 0;            // blocks that are not canonical
  std::uint64_t bytes = 0;              // that all tables use, free pages not counted
  std::uint64_t pruned = 0;             // blocks that went for the budget or their age since it was opened
};

struct Rewound {
  BlockRef from;
  BlockRef to;
  std::uint64_t orphaned = 0;
};

// What StoreCheck looks at.
struct CheckDepth {
  bool bodies = false;  // decodes each body and hashes its block: what `opp2p db check` does
};

struct StoreCheck {
  static constexpr std::size_t kMostDefects = 100;  // that are told; all are counted
  StoreSummary summary;
  std::uint64_t blocks = 0;  // all that are stored
  std::uint64_t signatures = 0;
  std::uint64_t eras = 0;
  std::uint64_t denied = 0;
  std::uint64_t defect_count = 0;
  std::vector<std::string> defects;
};

class BlockStore {
 public:
  virtual ~BlockStore() = default;
  template <class T>
  using Done = std::function<void(Result<T>)>;

  // The contracts of the first three are those of opstack::sync::ChainStore. Errc::denied: see rewind().
  virtual void keep(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
                    Done<KeptBlock> done) = 0;
  virtual void move_head(const HeadMove& move, Done<MovedHead> done) = 0;
  virtual void open_era(const opstack::rules::Address& signer, UnixTime now, Done<EraRecord> done) = 0;
  // A block without a body becomes the lowest one of a store that has no canonical block yet: genesis. Errc::mismatch
  // when there is another one.
  virtual void start_at(const BlockRef& genesis, std::uint64_t timestamp, Done<KeptBlock> done) = 0;
  // Canonical block `to` becomes the head; those above it become orphans. `deny` is refused from now on, also as a part
  // of a branch: Errc::denied. It must not be `to` or below it. view() leaves out what a rewind orphaned, until it is
  // given to keep() again.
  virtual void rewind(std::uint64_t to, const std::optional<Hash>& deny, Done<Rewound> done) = 0;

  // The canonical block of a number, if it has a body.
  virtual Result<std::optional<StoredBlock>> by_number(std::uint64_t number) const = 0;
  // As the store holds it, framed or not; all other reads give it unframed.
  virtual Result<std::optional<StoredBlock>> as_stored(std::uint64_t number) const { return by_number(number); }
  // Any block, with its header.
  virtual Result<std::optional<FoundBlock>> by_hash(const Hash& hash) const = 0;
  virtual Result<StoreSummary> summary() const = 0;
  // Calls `visit` for each canonical block from `from` to `to` (both included) in ascending order until it answers
  // false. Begins at the lowest block when `from` is below it. Ends before a hole, and has nothing when `from` is in
  // one.
  virtual Result<void> for_each(std::uint64_t from, std::uint64_t to,
                                const std::function<bool(const StoredBlock&)>& visit) const = 0;
  // The same with headers instead of bodies, which costs a small part of it.
  virtual Result<void> for_each_head(std::uint64_t from, std::uint64_t to,
                                     const std::function<bool(const StoredBlock&)>& visit) const {
    return for_each(from, to, visit);
  }
  // As opstack::sync::ChainStore has them.
  virtual Result<ChainView> view(std::size_t window) const = 0;
  virtual Result<Descent> descend(const BlockRef& from) const = 0;
  // Reads everything and compares it. A defect is no error: the answer lists it.
  virtual Result<StoreCheck> check(const CheckDepth& depth) const = 0;

  // Writes what waits, then stops taking more; returns when the disk has it. Callbacks are still posted.
  virtual void close() = 0;
};

}  // namespace opp2p
