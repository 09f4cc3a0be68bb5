// The unsafe chain without an execution engine: which signed blocks the node follows, and which blocks it is missing
// (docs/fork-choice.md has the rules and the words). It keeps signed blocks in the store as they come, chooses the head
// among their tips, and says which gaps are to be filled. A pure engine.
//
// The head is moved in memory when a block extends it, and when blocks that are there descend from it. In all other
// cases the store moves it: UnsafeChain asks for one such move at a time and takes the store's answer. The store takes
// writes in order, so a move follows the blocks that it needs. When a write fails, it waits until all writes are
// answered, reads the chain back from the store, and gives it again what was lost.
//
// Owner: Follower. Thread: its. Bounds: BlockTreeLimits for blocks without bodies; max_bytes for bodies that wait for
// the disk (Block::memory_bytes), beyond which the block that came last is dropped; kMostTips gaps of tips and
// kMostHoles gaps of holes at a time.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "libp2p/base/lru_map.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "opstack/sync/engine/block_tree.hpp"
#include "opstack/sync/engine/chain_actions.hpp"
#include "opstack/sync/engine/gap.hpp"

namespace opstack::sync {

struct UnsafeChainConfig {
  std::size_t max_bytes = 32 << 20;  // its half of --sync.memory
  Nanos patience = libp2p::Seconds(120);
  Nanos hasty_patience = libp2p::Seconds(10);   // without a source, and after a patience in vain
  Nanos damping_period = libp2p::Seconds(600);  // in which reorganisations are counted
  std::uint64_t most_lead = 16;                 // that damping asks for
  std::uint64_t silence = 16;                   // block times without a signed block
  std::uint64_t settled_below = 16;
  Nanos first_ask = libp2p::Seconds(1);      // gossip may still bring what is missing; a wider gap is asked for at once
  std::uint64_t gossip_reach = 8;            // blocks
  Nanos rest_overflow = libp2p::Seconds(1);  // before a fetched block that had no room in memory is asked for again
  Nanos rest_refused = libp2p::Seconds(60);  // one that had no room in the store
  Nanos turn = libp2p::Seconds(60);          // of holes, where there are more than are asked for at a time
  Nanos retry_first = libp2p::Seconds(1);    // after a failed write; twice as long each time
  Nanos retry_most = libp2p::Seconds(4);
  BlockTreeLimits tree;
};

// What became of a block that was given to the chain.
enum class Arrival : std::uint8_t {
  head,        // it extends the head, in memory; `write` says when it is stored
  kept,        // it is on its way to the store, not as the head
  known,       // it is stored, or being stored
  evidence,    // it does not count: the trace says why
  not_wanted,  // vouched for or fetched, but nothing needs it
  overflow,
};
struct Arrived {
  Arrival arrival = Arrival::evidence;
  std::optional<WriteId> write;  // the write that will tell; none for a known block that is stored already
};

class UnsafeChain {
 public:
  static constexpr std::size_t kMostTips = 8;
  static constexpr std::size_t kMostHoles = 4;

  // `view`: what the store has. Without a head the first signed block becomes it. `rollup` outlives the chain.
  UnsafeChain(UnsafeChainConfig config, const chain::RollupConfig& rollup, const ChainView& view, Now now);

  // ---- blocks ----

  // A block that the rules of gossip have accepted, or that this node publishes. `retry`: keep trying when the disk
  // fails.
  Arrived on_signed(const PeerId& peer, Block block, const Attestation& attestation, Now now, bool retry = true);
  // A block that a gap source brings.
  Arrived on_fetched(const PeerId& peer, Block block, Now now);
  // A block that the operator vouches for.
  Arrived on_vouched(const PeerId& self, Block block, Now now);
  // Who signs from now on; answers the era. No tip moves for it.
  Era on_signer(const rules::Address& signer, Now now);
  // The era in which a block of this signer is kept.
  Era era_of_signer(const rules::Address& signer) const;
  void on_era(WriteId id, const Result<EraRecord>& outcome, Now now);

  // ---- answers of the store ----

  void on_started(WriteId id, const Result<KeptBlock>& outcome, Now now);
  void on_kept(WriteId id, const Result<KeptBlock>& outcome, Now now);
  void on_moved(WriteId id, const Result<MovedHead>& outcome, Now now);
  void on_descended(WriteId id, const Result<Descent>& outcome, Now now);
  void on_view(const Result<ChainView>& view, Now now);

  // ---- the rest ----

  // Whether any source has somebody to ask.
  void on_sources(bool can_ask, Now now);
  // A branch that does not have this block is no candidate.
  void set_safe(const BlockRef& safe) { safe_ = safe; }
  void on_timeout(Now now);
  std::optional<MonoTime> next_deadline() const;
  std::optional<ChainAction> poll_action();

  // The highest canonical block, stored or being stored; and the highest that is stored.
  const std::optional<BlockRef>& head() const { return head_; }
  const std::optional<BlockRef>& stored_head() const { return stored_head_; }
  // The highest signed block that counts, joined or not.
  std::uint64_t highest_seen() const { return highest_seen_; }
  // The lowest block of the head's segment, and the segments below it, ascending.
  const SegmentView& segment() const { return segment_; }
  const std::vector<SegmentView>& lower_segments() const { return lower_; }
  // How many missing parents are below the head.
  std::size_t holes() const;
  // Up to where no reorganisation is to be expected; nothing when that is below the head's segment.
  std::optional<std::uint64_t> settled(MonoTime now) const;
  // What is to be fetched, the most urgent first.
  std::vector<Gap> gaps(MonoTime now) const;
  // The lowest block of the best branch that is not joined and would win: where the gap above the head ends.
  std::optional<BlockRef> sync_target(MonoTime now) const;
  // How many blocks in a row had the wrong time, and the number and time of the last one.
  struct WrongTime {
    std::uint64_t in_a_row = 0;
    std::uint64_t number = 0;
    std::uint64_t timestamp = 0;
    std::optional<std::uint64_t> observed_block_time;  // seconds
  };
  const WrongTime& wrong_time() const { return wrong_time_; }
  std::size_t waiting_bytes() const { return pending_bytes_; }
  std::size_t waiting_blocks() const { return pending_.size(); }
  const BlockTree& tree() const { return tree_; }
  const std::vector<EraRecord>& eras() const { return eras_; }
  void check() const;

 private:
  enum class Phase : std::uint8_t {
    running,
    failed,   // a write has failed; the others are waited for
    loading,  // the view is being read
    paused,   // it could not be read, or the disk gets a rest
  };
  // A block on its way to the disk.
  struct Pending {
    PeerId peer;
    Block block;
    std::optional<Attestation> attestation;
    bool extends_head = false;
    bool retry = false;
    bool fetched = false;
    bool answered = false;  // with an error: it is given again
    int mismatches = 0;
  };
  struct Tip {
    const TreeBlock* block = nullptr;
    Era era = 0;
    bool joined = false;
  };
  struct ForkPoint {
    MonoTime at;
    std::uint64_t number = 0;
  };
  // A component that beats the head and is not joined.
  struct Rival {
    MonoTime first;     // since when
    MonoTime since;     // the same, but since gossip extended the head last
    bool near = false;  // gossip may still bring what is missing
  };

  // Blocks that come in (unsafe_chain.cpp).
  // Traces why not.
  bool counts(const PeerId& peer, const Block& block);
  bool has_right_time(const PeerId& peer, const Block& block);
  bool has_room(const Pending& pending);
  std::optional<WriteId> pending_write(const Hash& hash) const;
  // Whether blocks may be given to the store. An empty one takes any block as its first: until it has taken the right
  // one, nothing else is given to it. The blocks of an era come after it.
  bool is_open() const { return phase_ == Phase::running && (!head_ || stored_head_) && stored_eras_ == eras_.size(); }
  Arrived take_signed(WriteId id, Pending pending, Now now);
  Arrived take_vouched(WriteId id, Pending pending);
  bool signs_anew(Era before, const Attestation& now) const;
  Arrived wait_for_store(WriteId id, Pending pending);
  void tell_second(const TreeBlock& block);
  bool is_wanted(const BlockRef& block) const;
  void add_below(const Pending& pending);
  void rest(const Hash& missing, Nanos duration, Now now);
  static TreeBlock tree_block(const Pending& pending);
  ComponentId add(TreeBlock block);
  void anchor(const PeerId& peer, const BlockRef& block);
  void extend_head(const BlockRef& block);

  // The store (unsafe_chain_store.cpp, unsafe_chain_load.cpp, unsafe_chain_failures.cpp).
  void load(const ChainView& view, Now now);
  void start();
  void load_eras(const ChainView& view);
  void load_forks(const ChainView& view, Now now);
  void open_next_era();
  void add_fork(std::uint64_t number, MonoTime at);
  // Whether the chain is as the disk has it; if not, it is read anew.
  bool take_pruned(const std::shared_ptr<const Pruned>& pruned, Now now);
  void forget(const std::vector<BlockRef>& orphans);
  void raise_segments(const std::vector<SegmentView>& told);
  void take_displaced(const KeptBlock& kept, Now now);
  void hold(WriteId id, Pending pending);
  void write(WriteId id, Pending pending, bool extends_head);
  Pending release(WriteId id);
  void on_refused(WriteId id, const Error& why, Now now);
  void on_move_failed(const HeadMove& asked, const Error& why, Now now);
  void take_forward(const MovedHead& moved, OrphanReason reason);
  void on_failure(const Error& why, Now now);
  void load_view();
  void settle_failed(Now now);
  void refill(Now now);
  void descend(const BlockRef& from);
  void take_move(const MovedHead& moved, OrphanReason reason, Now now);
  bool has_lost_below(const BlockRef& head, const SegmentView& segment) const;
  void take_segments(const std::vector<SegmentView>& told);
  void take_lowest();
  void grow_lower(const BlockRef& block);
  void fit_lower();
  void tell_holes();

  // The choice (unsafe_chain_choice.cpp).
  void decide(Now now);
  void choose(Now now);
  MonoTime silence_at() const;
  bool is_silent(MonoTime now) const { return now >= silence_at(); }
  bool beats(const Tip& tip, const Tip& head, bool silent) const;
  bool is_better(const Tip& a, const Tip& b, bool silent) const;
  bool is_below_safe(const TreeBlock& tip) const;
  bool is_below_denied(const Tip& tip) const;
  Tip tip_of(const TreeBlock& block) const;
  Tip head_tip() const;
  bool is_rival(const Tip& tip, const Tip& head, bool silent) const;
  std::vector<Tip> rivals(bool silent) const;
  bool is_only_tip() const;  // the head
  bool has_rival_in_silence() const;
  std::uint64_t lead_needed(MonoTime now) const;
  MoveHead ask_move(const Tip& tip);
  void move_to(const Tip& tip);
  void forward_to(const Tip& tip);
  Nanos patience() const {
    return can_ask_ && !in_vain_ ? config_.patience : std::min(config_.patience, config_.hasty_patience);
  }
  void keep_rivals();
  Rival rival_of(ComponentId id, Now now);
  const Tip* due_segment(const std::vector<Tip>& better, bool silent, Now now);
  void wake_at(MonoTime time) { wake_ = std::min(wake_.value_or(time), time); }
  void trace(ChainTraceKind kind, const PeerId& peer, const BlockRef& block, std::string text = {});

  const UnsafeChainConfig config_;
  const chain::RollupConfig& rollup_;
  BlockTree tree_;
  Phase phase_ = Phase::running;
  std::optional<BlockRef> head_;
  std::optional<BlockRef> stored_head_;
  SegmentView segment_;                   // the head's
  std::vector<SegmentView> lower_;        // below it, ascending
  std::vector<GapId> lower_ids_;          // of the holes below them
  GapId next_lower_id_ = GapId{1} << 63;  // apart from the ids of components
  std::size_t told_holes_ = 0;
  std::vector<EraRecord> eras_;
  std::size_t stored_eras_ = 0;
  std::optional<WriteId> opening_;  // of the next one
  std::optional<WriteId> starting_;
  std::optional<BlockRef> safe_;
  std::set<Hash> denied_;            // by the operator
  std::optional<Era> denied_era_;    // the latest one in which that was
  std::optional<KnownBlock> begin_;  // what an empty store begins with
  std::uint64_t highest_seen_ = 0;
  std::uint64_t seen_ = 0;
  MonoTime last_signed_;
  std::deque<ForkPoint> forks_;  // of the damping period
  std::map<ComponentId, Rival> rivals_;
  std::map<Hash, Rival> rivals_before_;  // by a block of theirs, while the chain is read anew
  bool can_ask_ = false;
  bool delivered_ = false;  // in this patience
  bool in_vain_ = false;
  WrongTime wrong_time_;
  std::optional<Hash> told_damped_;
  std::optional<Hash> told_denied_era_;  // for this head
  std::map<WriteId, Pending> pending_;
  std::unordered_multimap<Hash, WriteId, FirstBytes> pending_by_hash_;  // nothing depends on its order
  std::size_t pending_bytes_ = 0;
  std::size_t unanswered_ = 0;  // writes
  std::optional<MoveHead> moving_;
  std::map<WriteId, HeadMove> forwards_;  // moves onto what descends from the head: it is there in memory already
  std::map<WriteId, BlockRef> descending_;
  std::map<Hash, MonoTime> resting_;                           // missing parents that are not asked for until then
  libp2p::LruMap<Hash, libp2p::NoValue, FirstBytes> refused_;  // tips that the store does not move to
  std::optional<Hash> mismatched_;  // the last tip that it refused because the branch is another on the disk
  int failures_ = 0;
  bool is_patched_ = false;  // blocks were given again after a failure: when all are stored, the chain is read anew
  std::optional<Error> failure_;  // why the store did not keep what it was given last
  std::optional<MonoTime> retry_at_;
  std::optional<MonoTime> wake_;
  WriteId next_id_ = 1;
  std::deque<ChainAction> actions_;
};

}  // namespace opstack::sync
