// UnsafeChain: what it gives to the store, and what the store answers.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

namespace {

constexpr int kMostMismatches = 2;

}  // namespace

void UnsafeChain::load(const ChainView& view, Now now) {
  keep_rivals();
  tree_ = BlockTree(config_.tree);
  head_ = stored_head_ = view.head;
  moving_.reset();
  forwards_.clear();
  descending_.clear();
  denied_.insert(view.denied.begin(), view.denied.end());
  denied_era_ = view.denied_era;
  rivals_.clear();
  load_eras(view);
  load_forks(view, now);
  full_ = view.full;
  lower_ = view.segments;
  if (head_) {
    OPP2P_ASSERT(!lower_.empty() && lower_.back().highest == head_->number, "the last segment holds the head",
                 head_->number);
    segment_ = lower_.back();
    lower_.pop_back();
  }
  lower_ids_.clear();
  for (std::size_t i = 0; i < lower_.size(); ++i) lower_ids_.push_back(next_lower_id_++);

  // Of equal tips the first that was seen counts.
  std::vector<const KnownBlock*> by_arrival;
  for (const auto& known : view.recent) by_arrival.push_back(&known);
  const auto arrival = [](const KnownBlock& known) {
    return known.attestation ? known.attestation->arrived : libp2p::UnixTime{};
  };
  std::stable_sort(by_arrival.begin(), by_arrival.end(),
                   [&](const auto* a, const auto* b) { return arrival(*a) < arrival(*b); });
  std::map<Hash, std::uint64_t> seen;
  for (const auto* known : by_arrival) seen.emplace(known->ref.hash, ++seen_);
  for (const auto& known : view.recent) {
    if (tree_.find(known.ref.hash) != nullptr) continue;
    TreeBlock block;
    block.ref = known.ref;
    block.timestamp = known.timestamp;
    if (known.attestation) block.signed_in = known.attestation->era;
    block.seen = seen.at(known.ref.hash);
    highest_seen_ = std::max(highest_seen_, known.ref.number);
    tree_.add(std::move(block));
  }
  if (!head_ && begin_) start();
  if (!stored_head_) return;
  highest_seen_ = std::max(highest_seen_, head_->number);
  if (tree_.find(head_->hash) == nullptr) {
    TreeBlock block;
    block.ref = *head_;
    tree_.add(std::move(block));
  }
  tree_.descend_to(tree_.component_of(head_->hash), {segment_.lowest, segment_.is_base, head_->number});
  std::vector<BlockRef> others;
  for (const auto& [id, component] : tree_.components())
    if (id != tree_.component_of(head_->hash)) others.push_back(component.lowest);
  for (const auto& lowest : others) descend(lowest);
}

// An empty store gets the block that all others stand on, and nothing before that.
void UnsafeChain::start() {
  head_ = begin_->ref;
  segment_ = {begin_->ref, begin_->ref.number, true};
  TreeBlock block;
  block.ref = begin_->ref;
  block.timestamp = begin_->timestamp;
  tree_.set_base(tree_.add(std::move(block)));
  StartAt out;
  out.id = next_id_++;
  out.genesis = *begin_;
  starting_ = out.id;
  ++unanswered_;
  actions_.emplace_back(std::move(out));
}

void UnsafeChain::on_started(WriteId id, const Result<KeptBlock>& outcome, Now now) {
  OPP2P_ASSERT(unanswered_ > 0 && starting_ == id, "the start is answered once", id);
  --unanswered_;
  starting_.reset();
  if (!outcome) return on_failure(outcome.error(), now);
  stored_head_ = begin_->ref;
  failures_ = 0;
  if (phase_ == Phase::failed) return settle_failed(now);
  refill(now);
  decide(now);
}

// Those that the store was not given yet, or did not take, are given to it again.
void UnsafeChain::load_eras(const ChainView& view) {
  if (eras_.size() < view.eras.size()) eras_ = view.eras;
  // Blocks may be stored whose era is not.
  for (const auto& known : view.recent) {
    if (!known.attestation) continue;
    while (eras_.size() < known.attestation->era) {
      EraRecord lost;
      lost.era = static_cast<Era>(eras_.size() + 1);
      lost.opened = known.attestation->arrived;
      if (lost.era == known.attestation->era) lost.signer = known.attestation->signer;
      eras_.push_back(lost);
    }
  }
  stored_eras_ = view.eras.size();
  opening_.reset();
  open_next_era();
}

// The reorganisations of the damping period, from what they left behind.
void UnsafeChain::load_forks(const ChainView& view, Now now) {
  if (!forks_.empty()) return;                       // read anew: they are known
  std::map<libp2p::UnixTime, std::uint64_t> lowest;  // of the blocks that went at one time
  for (const auto& known : view.recent) {
    if (!known.orphan || *known.orphan == OrphanReason::waiting || *known.orphan == OrphanReason::rewound) continue;
    if (now.wall - known.orphaned >= config_.damping_period) continue;
    const auto [at, is_new] = lowest.emplace(known.orphaned, known.ref.number);
    if (!is_new) at->second = std::min(at->second, known.ref.number);
  }
  for (const auto& [since, number] : lowest) add_fork(number > 0 ? number - 1 : 0, now.mono - (now.wall - since));
}

void UnsafeChain::add_fork(std::uint64_t number, MonoTime at) {
  Fork fork;
  fork.at = at;
  fork.number = number;
  forks_.push_back(fork);
  if (forks_.size() > 2 * config_.most_lead) forks_.pop_front();
}

// ---- writing ----

// One at a time: the store numbers them.
void UnsafeChain::open_next_era() {
  if (opening_ || stored_eras_ >= eras_.size()) return;
  OpenEra out;
  out.id = next_id_++;
  out.era = eras_[stored_eras_];
  opening_ = out.id;
  ++unanswered_;
  actions_.emplace_back(out);
}

void UnsafeChain::on_era(WriteId id, const Result<EraRecord>& outcome, Now now) {
  OPP2P_ASSERT(unanswered_ > 0 && opening_ == id, "each era is answered once", id);
  --unanswered_;
  opening_.reset();
  if (!outcome) return on_failure(outcome.error(), now);
  ++stored_eras_;
  if (phase_ == Phase::failed) return settle_failed(now);
  open_next_era();
  refill(now);
  decide(now);
}

void UnsafeChain::hold(WriteId id, Pending pending) {
  pending_bytes_ += pending.block.memory_bytes();
  pending_by_hash_.emplace(pending.block.hash(), id);
  const bool is_new = pending_.emplace(id, std::move(pending)).second;
  OPP2P_ASSERT(is_new, "each write has an id of its own", id);
}

UnsafeChain::Pending UnsafeChain::release(WriteId id) {
  const auto found = pending_.find(id);
  OPP2P_ASSERT(found != pending_.end(), "what was written was waiting", id);
  Pending out = std::move(found->second);
  pending_.erase(found);
  const auto [first, last] = pending_by_hash_.equal_range(out.block.hash());
  const auto entry = std::find_if(first, last, [&](const auto& write) { return write.second == id; });
  OPP2P_ASSERT(entry != last, "what is written is found by its hash", id);
  pending_by_hash_.erase(entry);
  OPP2P_ASSERT(pending_bytes_ >= out.block.memory_bytes(), "the bytes of waiting blocks are counted", pending_bytes_);
  pending_bytes_ -= out.block.memory_bytes();
  return out;
}

void UnsafeChain::write(WriteId id, Pending pending, bool extends_head) {
  pending.extends_head = extends_head;
  KeepBlock out;
  out.id = id;
  out.block = pending.block;
  out.attestation = pending.attestation;
  out.extends_head = extends_head;
  hold(id, std::move(pending));
  ++unanswered_;
  actions_.emplace_back(std::move(out));
}

void UnsafeChain::descend(const BlockRef& from) {
  Descend out;
  out.id = next_id_++;
  out.from = from;
  descending_.emplace(out.id, from);
  actions_.emplace_back(out);
}

// ---- answers ----

void UnsafeChain::on_kept(WriteId id, const Result<KeptBlock>& outcome, Now now) {
  OPP2P_ASSERT(unanswered_ > 0, "each write is answered once", id);
  --unanswered_;
  if (!outcome) {
    const auto code = outcome.error().code();
    // The chain was read anew since it did not fit the last time: it never will.
    const bool is_unfit = code == Errc::mismatch && ++pending_.at(id).mismatches > kMostMismatches;
    const bool refused =
        is_unfit || ((code == Errc::denied || code == Errc::exhausted) && !pending_.at(id).extends_head);
    if (refused && phase_ == Phase::running)
      on_refused(id, outcome.error(), now);
    else
      pending_.at(id).answered = true;
    if (!refused || phase_ == Phase::failed) on_failure(outcome.error(), now);
    return;
  }
  const Pending kept = release(id);
  const BlockRef ref = kept.block.ref();
  const bool is_first = kept.extends_head && !stored_head_;
  if (kept.extends_head) stored_head_ = ref;
  BlockKept told;
  told.id = id;
  told.from = kept.peer;
  told.block = kept.block;
  told.fetched = kept.fetched;
  told.canonical = outcome->canonical;
  told.is_head = kept.extends_head;
  actions_.emplace_back(std::move(told));
  if (outcome->displaced > 0) take_displaced(*outcome, now);
  if (!take_pruned(outcome->pruned, now)) return;
  full_ = outcome->full;
  failures_ = 0;
  if (phase_ == Phase::failed) return settle_failed(now);
  if (phase_ != Phase::running) return;
  // The parent lies on the disk, and not in memory.
  const bool is_lowest =
      std::any_of(lower_.begin(), lower_.end(), [&](const auto& hole) { return hole.lowest == ref; });
  const bool unlinked = tree_.find(ref.hash) != nullptr && tree_.parent_of(ref) == nullptr;
  if (outcome->parent_there && !kept.extends_head && (is_lowest || unlinked)) descend(ref);
  if (is_first) refill(now);
  decide(now);
}

// It joined two segments, and blocks of the lower one were of another branch.
void UnsafeChain::take_displaced(const KeptBlock& kept, Now now) {
  add_fork(kept.fork, now.mono);
  HeadMoved told;
  told.moved.from = kept.highest_displaced;
  told.moved.to = *stored_head_;
  told.moved.fork = kept.fork;
  told.moved.depth = kept.displaced;
  told.moved.segment = segment_;
  told.reason = OrphanReason::joined;
  told.timestamp = rollup_.timestamp_for_block(stored_head_->number);
  actions_.emplace_back(std::move(told));
}

// The disk keeps less than memory knows of.
bool UnsafeChain::take_pruned(const std::shared_ptr<const Pruned>& pruned, Now now) {
  if (!pruned || phase_ != Phase::running || !head_) return true;
  keep_rivals();
  for (const BlockRef& gone : pruned->orphans) {
    if (pending_write(gone.hash)) continue;  // it is given to the disk again
    if (tree_.find(gone.hash) != nullptr && tree_.descends(head_->hash, gone)) {
      on_failure(libp2p::fail(Errc::mismatch, "blocks of the branch are not stored any more"), now);
      return false;
    }
    if (const auto from = tree_.forget(gone)) descend(*from);
  }
  if (pruned->lowest) raise_lowest(*pruned->lowest);
  take_lowest();
  tell_holes();
  return true;
}

// Of the canonical chain only what is not below this is left.
void UnsafeChain::raise_lowest(const BlockRef& lowest) {
  std::size_t gone = 0;
  while (gone < lower_.size() && lower_[gone].highest < lowest.number) ++gone;
  lower_.erase(lower_.begin(), lower_.begin() + static_cast<std::ptrdiff_t>(gone));
  lower_ids_.erase(lower_ids_.begin(), lower_ids_.begin() + static_cast<std::ptrdiff_t>(gone));
  SegmentView& segment = lower_.empty() ? segment_ : lower_.front();
  if (segment.lowest.number > lowest.number) return;  // memory knows of blocks that come
  segment.lowest = lowest;
  segment.is_base = true;
  if (lower_.empty()) tree_.raise(tree_.component_of(head_->hash), lowest);
}

// The store has no room for it, the operator has denied it, or it does not fit.
void UnsafeChain::on_refused(WriteId id, const Error& why, Now now) {
  const Pending gone = release(id);
  BlockNotKept told;
  told.id = id;
  told.block = gone.block;
  told.why = why;
  told.fetched = gone.fetched;
  actions_.emplace_back(std::move(told));
  const BlockRef ref = gone.block.ref();
  if (why.code() == Errc::denied) denied_.insert(ref.hash);
  if (gone.fetched) rest(ref.hash, config_.rest_refused, now);
  if (why.code() == Errc::mismatch) return on_failure(why, now);
  const bool of_head = head_ && tree_.find(ref.hash) != nullptr &&
                       tree_.component_of(ref.hash) == tree_.component_of(head_->hash) && segment_.lowest == ref;
  if (head_ && stored_head_ != head_ && tree_.descends(head_->hash, ref))
    return on_failure(why, now);  // the head was moved in memory onto what stands on it
  if (gone.fetched && (of_head || tree_.find(ref.hash) == nullptr))
    return on_failure(why, now);  // the view says what is full
  tree_.remove(ref.hash);
  take_lowest();
  decide(now);
}

void UnsafeChain::on_moved(WriteId id, const Result<MovedHead>& outcome, Now now) {
  const auto forward = forwards_.find(id);
  const bool is_forward = forward != forwards_.end();
  OPP2P_ASSERT(unanswered_ > 0 && (is_forward || (moving_ && moving_->id == id)),
               "moves that were asked for are answered", id);
  --unanswered_;
  const HeadMove asked = is_forward ? forward->second : moving_->move;
  if (is_forward)
    forwards_.erase(forward);
  else
    moving_.reset();
  if (!outcome) return on_move_failed(asked, is_forward, outcome.error(), now);
  failures_ = 0;
  const bool lost = has_lost_below(*outcome);
  if (is_forward)
    take_forward(*outcome, asked.reason);
  else
    take_move(*outcome, asked.reason, now);
  if (lost) return on_failure(libp2p::fail(Errc::mismatch, "blocks of the branch are not stored any more"), now);
  if (!take_pruned(outcome->pruned, now)) return;
  tell_holes();
  if (phase_ == Phase::failed) return settle_failed(now);
  decide(now);
}

void UnsafeChain::on_move_failed(const HeadMove& asked, bool is_forward, const Error& why, Now now) {
  if (phase_ == Phase::failed) return on_failure(why, now);  // a block that it needs was not kept
  const auto code = why.code();
  // What memory and disk think of a branch may differ: the disk is right, and is read anew. If that does not help, the
  // branch is left alone.
  const bool again = code == Errc::mismatch && std::exchange(mismatched_, asked.to.hash) != asked.to.hash;
  if (code == Errc::denied || (code == Errc::mismatch && !again)) {
    refused_.put(asked.to.hash, true);
    trace(ChainTraceKind::refused, {}, asked.to, why.message());
  }
  if (code == Errc::denied && !is_forward && phase_ == Phase::running) return decide(now);
  on_failure(why, now);
}

// The head in memory may be further by now.
void UnsafeChain::take_forward(const MovedHead& moved, OrphanReason reason) {
  stored_head_ = moved.to;
  HeadMoved told;
  told.moved = moved;
  told.reason = reason;
  told.timestamp = rollup_.timestamp_for_block(moved.to.number);
  actions_.emplace_back(std::move(told));
}

void UnsafeChain::take_move(const MovedHead& moved, OrphanReason reason, Now now) {
  const auto* known = tree_.find(moved.to.hash);
  OPP2P_ASSERT(known != nullptr, "the head is moved to a block in memory, and it stays there", moved.to.number);
  head_ = stored_head_ = moved.to;
  // By memory: what was written since the move is in it already.
  const auto& component = tree_.component(tree_.component_of(moved.to.hash));
  take_segment(SegmentView{component.lowest, moved.to.number, component.is_base});
  rivals_.clear();
  rivals_before_.clear();
  told_damped_.reset();
  if (moved.depth > 0)
    add_fork(moved.fork.value_or(segment_.lowest.number > 0 ? segment_.lowest.number - 1 : 0), now.mono);
  HeadMoved told;
  told.moved = moved;
  told.reason = reason;
  told.timestamp = known->timestamp;
  actions_.emplace_back(std::move(told));
}

// Blocks of a branch that waits go from the disk for the budget and their age, and memory is not told: then the head's
// segment ends higher there. What is still being written below it is not lost.
bool UnsafeChain::has_lost_below(const MovedHead& moved) const {
  const auto* to = tree_.find(moved.to.hash);
  if (to == nullptr) return false;  // far below the head by now
  const auto& component = tree_.component(tree_.component_of(to->ref.hash));
  return component.lowest.number < moved.segment.lowest.number && !moved.segment.is_base &&
         !pending_write(moved.segment.lowest.parent_hash);
}

// `segment` is the head's now: what it does not cover of the others stays below it.
void UnsafeChain::take_segment(const SegmentView& segment) {
  if (segment_.lowest != segment.lowest) {
    lower_.push_back(segment_);
    lower_ids_.push_back(next_lower_id_++);
  }
  segment_ = segment;
  fit_lower();
}

// Of the segments below others only what is below them stays.
void UnsafeChain::fit_lower() {
  std::uint64_t above = segment_.lowest.number;
  for (std::size_t i = lower_.size(); i-- > 0;) {
    if (lower_[i].lowest.number >= above) {
      lower_.erase(lower_.begin() + static_cast<std::ptrdiff_t>(i));
      lower_ids_.erase(lower_ids_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    lower_[i].highest = std::min(lower_[i].highest, above - 1);
    above = lower_[i].lowest.number;
  }
}

// A block that a hole further down waits for.
void UnsafeChain::grow_lower(const BlockRef& block) {
  for (auto& hole : lower_)
    if (!hole.is_base && is_parent(block, hole.lowest)) hole.lowest = block;
  fit_lower();
}

// The head's segment may reach further down.
void UnsafeChain::take_lowest() {
  if (!head_ || tree_.find(head_->hash) == nullptr) return;
  const auto& component = tree_.component(tree_.component_of(head_->hash));
  if (component.lowest == segment_.lowest && component.is_base == segment_.is_base) return;
  segment_.lowest = component.lowest;
  segment_.is_base = component.is_base;
  fit_lower();
  tell_holes();
}

void UnsafeChain::tell_holes() {
  const std::size_t now = holes();
  if (now == told_holes_) return;
  told_holes_ = now;
  HoleChanged told;
  if (head_ && !segment_.is_base) told.lowest = segment_.lowest;
  told.holes = now;
  actions_.emplace_back(std::move(told));
}

void UnsafeChain::on_descended(WriteId id, const Result<Descent>& outcome, Now now) {
  const auto asked = descending_.find(id);
  if (asked == descending_.end()) return;  // the view was read anew since
  const BlockRef from = asked->second;
  descending_.erase(asked);
  if (phase_ != Phase::running) return;
  if (!outcome) {
    if (outcome.error().code() != Errc::not_found) on_failure(outcome.error(), now);
    return;
  }
  for (std::size_t i = 0; i < lower_.size(); ++i) {
    if (lower_[i].lowest != from) continue;
    lower_[i].lowest = outcome->lowest;
    lower_[i].is_base = outcome->is_base;
    fit_lower();
    tell_holes();
    break;
  }
  if (tree_.find(from.hash) != nullptr) {
    keep_rivals();
    const ComponentId id_before = tree_.component_of(from.hash);
    tree_.descend_to(id_before, *outcome);
    take_lowest();
  }
  decide(now);
}

// ---- failures ----

void UnsafeChain::on_failure(const Error& why, Now now) {
  // What fails after the first failure only does not fit to it.
  if (!failure_ || why.code() != Errc::mismatch) failure_ = why;
  if (phase_ == Phase::running) phase_ = Phase::failed;
  if (phase_ == Phase::failed) settle_failed(now);
}

void UnsafeChain::load_view() {
  retry_at_.reset();
  phase_ = Phase::loading;
  LoadView out;
  out.window = config_.tree.window;
  actions_.emplace_back(out);
}

// All writes are answered: memory may hold what the disk does not. Who wants an answer gets it; blocks of others are
// given to the store again after a rest.
void UnsafeChain::settle_failed(Now now) {
  if (unanswered_ > 0) return;
  std::vector<WriteId> ids;
  for (const auto& [id, pending] : pending_) ids.push_back(id);
  for (const WriteId id : ids) {
    BlockNotKept told;
    told.id = id;
    told.block = pending_.at(id).block;
    told.why = failure_.value_or(libp2p::fail(Errc::io, "the chain could not be read from the store"));
    told.fetched = pending_.at(id).fetched;
    told.again = pending_.at(id).retry;
    actions_.emplace_back(told);
    if (!told.again) (void)release(id);
  }
  head_ = stored_head_;
  phase_ = Phase::paused;
  const Nanos rest = std::min<Nanos>(config_.retry_first * (1 << std::min(failures_, 8)), config_.retry_most);
  ++failures_;
  retry_at_ = now.mono + rest;
  wake_at(*retry_at_);
}

void UnsafeChain::on_view(const Result<ChainView>& view, Now now) {
  OPP2P_ASSERT(phase_ == Phase::loading, "the view comes when it was asked for");
  if (!view) {
    failure_ = view.error();
    phase_ = Phase::failed;
    return settle_failed(now);
  }
  load(*view, now);
  phase_ = Phase::running;
  is_patched_ = !pending_.empty();
  failure_.reset();
  tell_holes();
  refill(now);
  decide(now);
}

void UnsafeChain::refill(Now now) {
  std::vector<WriteId> ids;
  for (const auto& [id, pending] : pending_) ids.push_back(id);
  for (const WriteId id : ids) {
    if (!is_open() || !pending_.at(id).answered) continue;
    Pending again = release(id);
    again.answered = false;
    const PeerId peer = again.peer;
    const Block block = again.block;
    const Arrived arrived =
        again.attestation ? take_signed(id, std::move(again), now) : take_vouched(id, std::move(again));
    if (arrived.write == id) continue;
    if (arrived.arrival == Arrival::known) {  // it was written after all
      BlockKept told;
      told.id = id;
      told.from = peer;
      told.block = block;
      told.canonical = head_ && tree_.descends(head_->hash, block.ref());
      actions_.emplace_back(std::move(told));
      continue;
    }
    BlockNotKept told;
    told.id = id;
    told.block = block;
    told.why = libp2p::fail(Errc::would_block, "block " + std::to_string(block.number()) +
                                                   " neither extends the head nor fills a hole; it is not kept");
    actions_.emplace_back(std::move(told));
  }
}

}  // namespace opstack::sync
