// What comes out of the unsafe chain: writes and reads of the store, and what is told. Plain values. Thread: any.
// Bounds: none of their own. Words: docs/fork-choice.md.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "opstack/sync/engine/chain_view.hpp"

namespace opstack::sync {

using WriteId = std::uint64_t;

// ChainStore::keep; answer with UnsafeChain::on_kept.
struct KeepBlock {
  WriteId id = 0;
  Block block;
  std::optional<Attestation> attestation;
  bool extends_head = false;
};
// ChainStore::start_at; answer with on_started.
struct StartAt {
  WriteId id = 0;
  KnownBlock genesis;
};
// ChainStore::open_era; answer with on_era.
struct OpenEra {
  WriteId id = 0;
  EraRecord era;
};
// ChainStore::move_head; answer with on_moved.
struct MoveHead {
  WriteId id = 0;
  HeadMove move;
};
// ChainStore::descend; answer with on_descended.
struct Descend {
  WriteId id = 0;
  BlockRef from;
};
// ChainStore::view; answer with on_view. All writes that are under way have been answered.
struct LoadView {
  std::size_t window = 0;
};

// A block is in the store for good.
struct BlockKept {
  WriteId id = 0;
  PeerId from;
  Block block;
  bool fetched = false;
  bool canonical = false;
  bool is_head = false;
};
// The store did not keep a block. `again`: it will be tried again.
struct BlockNotKept {
  WriteId id = 0;
  Block block;
  Error why;
  bool fetched = false;
  bool again = false;
};
// The head has moved otherwise than by the next block: onto blocks that were there already, to another branch, or above
// a hole.
struct HeadMoved {
  MovedHead moved;
  OrphanReason reason = OrphanReason::reorganised;
  std::uint64_t timestamp = 0;  // of the new head
  // Whether blocks that were canonical are so no more, or stand below a hole now.
  bool reorganises() const { return moved.depth > 0 || !moved.fork; }
};
// The head's segment has grown, has met another one, or another segment is the head's now.
struct HoleChanged {
  std::optional<BlockRef> lowest;  // of the head's segment, where a hole is below it; none: nothing is missing
  std::size_t holes = 0;           // all of them
};

enum class ChainTraceKind : std::uint8_t {
  anchored,         // the first block of an empty chain
  waiting,          // a signed block that is not joined
  branch,           // a signed block on another branch than the head's
  duplicate,        // known already
  below_window,     // too far below the head to say whether it is known
  two_blocks,       // a second signed block at a height; kept and other name them, peer and from who sent them
  crowded,          // as many signed blocks of this height are kept as may be
  wrong_time,       // evidence only: its timestamp is not that of its number
  not_wanted,       // fetched or vouched for, but nothing needs it
  overflow,         // too many blocks wait for the disk
  damped,           // a branch is longer, but not by as much as the next reorganisation needs
  patience_begins,  // a tip that is not joined beats the head
  refused,          // the store does not move the head there: text says why
  denied,           // evidence only: the operator has denied it
  denied_era,       // a tip that is not joined is not followed: its branch may descend from a denied block
};
std::string_view to_string(ChainTraceKind kind);
// Stable: counters and metrics are named by them.
std::string_view trace_id(ChainTraceKind kind);
struct ChainTrace {
  ChainTraceKind kind = ChainTraceKind::waiting;
  PeerId peer;
  std::uint64_t number = 0;
  Hash hash{};
  std::optional<Hash> kept;  // the other block of two_blocks
  PeerId kept_from;          // who sent that one
  std::string text;
  std::uint64_t in_a_row = 0;                        // of wrong_time: so many blocks had it
  std::optional<std::uint64_t> observed_block_time;  // of wrong_time: seconds, from the last two of them
};

using ChainAction = std::variant<KeepBlock, StartAt, OpenEra, MoveHead, Descend, LoadView, BlockKept, BlockNotKept,
                                 HeadMoved, HoleChanged, ChainTrace>;

}  // namespace opstack::sync
