// The follower's view of the unsafe chain, without an execution engine: the head, and above it a queue of accepted
// blocks that do not connect yet. An accepted block that follows the head is appended at once, with all queued ones
// that follow it. A pure engine.
//
// A second signed block at a height is not taken: the first is kept, both are reported. The gap between the head and
// the lowest queued block is what reverse sync is asked to fill. A chain starts either at a known block (the genesis of
// the rollup configuration, or the head of the store) or, as an anchor, at the first accepted block, with nothing below
// it.
//
// Owner: Follower. Thread: its. Bounds: bytes of queued blocks (Block::memory_bytes); on overflow the highest number
// goes, which the next gap brings back. The last kRemembered hashes below the head are kept to tell a repeat from a
// second block.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <variant>

#include "opstack/sync/engine/names.hpp"

namespace opstack::sync {

// Append to the store.
struct AppendBlock {
  PeerId peer;
  Block block;
};

enum class ChainTraceKind : std::uint8_t {
  queued,      // above a gap
  duplicate,   // known already
  below_head,  // too old to say whether it is known
  conflict,    // another block at a height that is taken; kept and other say which
  unlinked,    // follows the head by number but names another parent; kept is the head, other the block
  overflow,    // dropped from the queue
  anchored,    // the first block of an empty chain
};
std::string_view to_string(ChainTraceKind kind);
struct ChainTrace {
  ChainTraceKind kind = ChainTraceKind::queued;
  PeerId peer;
  std::uint64_t number = 0;
  std::optional<Hash> kept;  // of a conflict, an unlinked block, and a duplicate
  Hash other{};              // of the block that this is about
};
using ChainAction = std::variant<AppendBlock, ChainTrace>;

struct ChainGap {
  BlockRef start;               // the head
  std::optional<BlockRef> end;  // the lowest queued block; none when the queue is empty
};

struct UnsafeChainConfig {
  std::size_t max_bytes = 32 << 20;  // its half of --sync.memory
};

class UnsafeChain {
 public:
  static constexpr std::size_t kRemembered = 1024;

  // `head` absent: the first accepted block becomes it.
  UnsafeChain(UnsafeChainConfig config, std::optional<BlockRef> head);

  // A block that the rules have accepted, or that is linked to one. Answers whether it was new (appended or queued).
  bool on_block(const PeerId& peer, Block block);
  // The store could not keep what followed `head`: back to it. Queued blocks stay.
  void rewind(const BlockRef& head);

  std::optional<ChainAction> poll_action();

  const std::optional<BlockRef>& head() const { return head_; }
  // The highest block that was accepted, connected or not: where the sequencer is.
  std::uint64_t highest_seen() const { return highest_seen_; }
  // Nothing while there is no head.
  std::optional<ChainGap> gap() const;
  std::size_t queued() const { return queue_.size(); }
  std::size_t queued_bytes() const { return queued_bytes_; }
  void check() const;

 private:
  struct Queued {
    PeerId peer;
    Block block;
  };
  void append(const PeerId& peer, Block block);
  void connect_queued();
  void enqueue(const PeerId& peer, Block block);
  void trace(ChainTraceKind kind, const PeerId& peer, std::uint64_t number, const std::optional<Hash>& kept,
             const Hash& other);

  UnsafeChainConfig config_;
  std::optional<BlockRef> head_;
  std::uint64_t highest_seen_ = 0;
  std::deque<Hash> recent_;  // of the head and the blocks below it, the head last
  std::map<std::uint64_t, Queued> queue_;
  std::size_t queued_bytes_ = 0;
  std::deque<ChainAction> actions_;
};

}  // namespace opstack::sync
