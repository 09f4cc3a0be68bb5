// What the store and the unsafe chain tell each other: who signed a block and in which era, what the store holds, and
// what came of a write. Plain values. Words and rules: docs/fork-choice.md. Thread: any. Bounds: ChainView holds at
// most the recent blocks that were asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "opstack/rules/signing.hpp"
#include "opstack/sync/engine/names.hpp"

namespace opstack::sync {

// The time in which one signer is the current one; numbered from 1 upwards. 0: before the first one.
using Era = std::uint32_t;

struct EraRecord {
  Era era = 0;
  rules::Address signer{};
  libp2p::UnixTime opened{};
  friend bool operator==(const EraRecord&, const EraRecord&) = default;
};

// What makes a block a signed one.
struct Attestation {
  rules::Signature signature{};
  rules::Address signer{};
  Era era = 0;
  libp2p::UnixTime arrived{};  // the first time
  friend bool operator==(const Attestation&, const Attestation&) = default;
};

// Why a stored block is not canonical. The ids are stable; the store keeps the number.
enum class OrphanReason : std::uint8_t {
  waiting = 1,      // it was never canonical: its branch has not won, or is not joined
  reorganised = 2,  // a reorganisation to a joined branch
  segment = 3,      // a segment that is not joined became the head's
  joined = 4,       // a hole was filled by another branch than the blocks below it
  rewound = 5,      // `opp2p db rewind`
};
std::string_view orphan_id(OrphanReason reason);

// One block without its body.
struct KnownBlock {
  BlockRef ref;
  std::uint64_t timestamp = 0;  // seconds since 1970
  std::optional<Attestation> attestation;
  std::optional<OrphanReason> orphan;  // none: canonical
};

// A run of canonical blocks. Segments do not overlap; between two of them is a hole.
struct SegmentView {
  BlockRef lowest;  // its parent is missing
  std::uint64_t highest = 0;
  bool is_base = false;  // nothing is to be fetched below: genesis, the first block of the node, or the edge of pruning
};

// A reorganisation, as what it left behind tells: when, and the lowest block that is not canonical since.
struct ForkRecord {
  libp2p::UnixTime at{};
  std::uint64_t lowest = 0;
};
inline constexpr Nanos kForksTold = libp2p::Seconds(600);

struct ChainView {
  std::optional<BlockRef> head;
  std::vector<SegmentView> segments;  // ascending; the last one holds the head
  std::vector<KnownBlock> recent;     // ascending by number: canonical ones of the window, then as many orphans as fit
  std::vector<EraRecord> eras;        // ascending
  std::vector<ForkRecord> forks;      // of the last kForksTold, ascending by time
  std::vector<Hash> denied;
  std::optional<Era> denied_era;    // in which the operator has denied the last one
  std::optional<KnownBlock> begin;  // without a head: what the chain is to begin with; the store does not set it
};

// What went from the store in one transaction, for its budget and for its age.
struct Pruned {
  std::vector<BlockRef> orphans;      // blocks that were not canonical; the first ones are the oldest
  std::vector<BlockRef> canonical;    // blocks that were, from the lowest on
  std::vector<SegmentView> segments;  // canonical blocks went: what is left, as in ChainView
  std::uint64_t blocks = 0;           // all of them
};

// What came of a block that was given to the store.
struct KeptBlock {
  bool was_there = false;
  bool parent_there = false;
  bool canonical = false;
  // It joined two segments, and blocks of the lower one are not canonical any more: so many, the highest of them, and
  // the block below them.
  std::uint64_t displaced = 0;
  BlockRef highest_displaced;
  std::uint64_t fork = 0;
  std::vector<SegmentView> segments;     // as in ChainView, when it changed others than the head's upper end; else none
  std::shared_ptr<const Pruned> pruned;  // told with the last write of a transaction; null: nothing
};

struct HeadMove {
  BlockRef to;         // stored, or given to the store before
  bool joined = true;  // its branch must meet the canonical chain; otherwise Errc::mismatch and nothing changes
  std::optional<Era> signed_in;  // the block must be stored with a signature of this era: Errc::mismatch
  std::optional<BlockRef> safe;  // the branch must not fork below it: Errc::mismatch
  OrphanReason reason = OrphanReason::reorganised;  // of what is canonical no more
};
struct MovedHead {
  BlockRef from;
  BlockRef to;
  std::optional<std::uint64_t> fork;     // the highest block that both chains have; none: the segment is not joined
  std::uint64_t depth = 0;               // blocks that were canonical and are not any more
  std::vector<SegmentView> segments;     // as in ChainView: the last one is the head's
  std::shared_ptr<const Pruned> pruned;  // as in KeptBlock
};

// Where the blocks below a block end.
struct Descent {
  BlockRef lowest;                         // of those that are connected; itself if its parent is missing
  bool is_base = false;                    // as in SegmentView
  std::optional<std::uint64_t> canonical;  // the highest canonical one of them
};

}  // namespace opstack::sync
