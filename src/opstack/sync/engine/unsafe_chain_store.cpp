// UnsafeChain: what it gives to the store, and what the store answers.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

namespace {

constexpr int kMostMismatches = 2;
constexpr std::size_t kMostForks = 32;

}  // namespace

void UnsafeChain::add_fork(std::uint64_t number, MonoTime at) {
  ForkPoint fork;
  fork.at = at;
  fork.number = number;
  forks_.push_back(fork);
  if (forks_.size() <= kMostForks) return;
  forks_[1].number = std::min(forks_[0].number, forks_[1].number);  // nothing above it is settled
  forks_.pop_front();
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
  if (!outcome->segments.empty()) {
    const bool lost = phase_ == Phase::running && !moving_ && has_lost_below(*head_, outcome->segments.back());
    take_segments(outcome->segments);
    if (lost) return on_failure(libp2p::fail(Errc::mismatch, "blocks of the branch are not stored any more"), now);
  }
  if (!take_pruned(outcome->pruned, now)) return;
  tell_holes();
  failures_ = 0;
  if (phase_ == Phase::failed) return settle_failed(now);
  if (phase_ != Phase::running) return;
  // The parent lies on the disk, and not in memory.
  if (outcome->parent_there && !kept.extends_head && tree_.above_lowest(ref)) descend(ref);
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
  told.moved.segments = kept.segments;
  told.reason = OrphanReason::joined;
  told.timestamp = rollup_.timestamp_for_block(stored_head_->number);
  actions_.emplace_back(std::move(told));
}

// The disk keeps less than memory knows of.
bool UnsafeChain::take_pruned(const std::shared_ptr<const Pruned>& pruned, Now now) {
  if (!pruned || phase_ != Phase::running || !head_) return true;
  keep_rivals();
  std::vector<BlockRef> orphans;
  for (const BlockRef& gone : pruned->orphans) {
    if (pending_write(gone.hash)) continue;  // it is given to the disk again
    if (tree_.find(gone.hash) != nullptr && tree_.descends(head_->hash, gone)) {
      on_failure(libp2p::fail(Errc::mismatch, "blocks of the branch are not stored any more"), now);
      return false;
    }
    orphans.push_back(gone);
  }
  if (!orphans.empty()) forget(orphans);
  const ComponentId of_head = tree_.component_of(head_->hash);
  for (const BlockRef& gone : pruned->orphans) {
    const auto above = tree_.waiting_for(gone);  // there is no room for the parent of what waits
    if (std::any_of(above.begin(), above.end(), [&](ComponentId id) { return id != of_head; }))
      rest(gone.hash, config_.rest_refused, now);
  }
  for (const BlockRef& gone : pruned->canonical)  // of lower segments; raise_segments() is for the head's
    if (tree_.find(gone.hash) != nullptr && tree_.component_of(gone.hash) != of_head && !pending_write(gone.hash))
      tree_.remove(gone.hash);
  if (!pruned->segments.empty()) raise_segments(pruned->segments);
  take_lowest();
  tell_holes();
  return true;
}

// What was asked of the disk may be answered as it was before.
void UnsafeChain::forget(const std::vector<BlockRef>& orphans) {
  std::vector<BlockRef> to_ask = tree_.forget(orphans, *head_);
  for (const auto& [id, from] : std::exchange(descending_, {})) to_ask.push_back(from);
  tree_.descend_to(tree_.component_of(head_->hash), {segment_.lowest, segment_.is_base, head_->number});
  for (const BlockRef& from : to_ask)
    if (tree_.above_lowest(from)) descend(from);
}

// Of the canonical chain only this is left.
void UnsafeChain::raise_segments(const std::vector<SegmentView>& told) {
  const BlockRef& lowest = told.front().lowest;
  if (segment_.lowest.number < lowest.number) {
    segment_.lowest = lowest;
    segment_.is_base = true;
    tree_.raise(tree_.component_of(head_->hash), lowest);
  }
  take_segments(told);
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
    return on_failure(why, now);                    // the view says what is full
  if (pending_write(ref.hash)) return decide(now);  // it has been given to the disk once more
  keep_rivals();
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
  if (!outcome) return on_move_failed(asked, outcome.error(), now);
  failures_ = 0;
  const bool lost = has_lost_below(outcome->to, outcome->segments.back());
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

void UnsafeChain::on_move_failed(const HeadMove& asked, const Error& why, Now now) {
  if (phase_ == Phase::failed) return on_failure(why, now);  // a block that it needs was not kept
  const auto code = why.code();
  // What memory and disk think of a branch may differ: the disk is right, and is read anew. If that does not help, the
  // branch is left alone.
  const bool again = code == Errc::mismatch && std::exchange(mismatched_, asked.to.hash) != asked.to.hash;
  if (code == Errc::denied || (code == Errc::mismatch && !again)) {
    refused_.put(asked.to.hash, {});
    trace(ChainTraceKind::refused, {}, asked.to, why.message());
  }
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
  take_segments(moved.segments);
}

void UnsafeChain::take_move(const MovedHead& moved, OrphanReason reason, Now now) {
  head_ = stored_head_ = moved.to;
  // By memory: what was written since the move is in it already.
  if (tree_.find(moved.to.hash) != nullptr) {
    const auto& component = tree_.component(tree_.component_of(moved.to.hash));
    segment_ = {component.lowest, moved.to.number, component.is_base};
  }
  rivals_.clear();
  rivals_before_.clear();
  resting_.clear();  // there is room for other blocks now
  told_damped_.reset();
  if (moved.depth > 0)
    add_fork(moved.fork.value_or(segment_.lowest.number > 0 ? segment_.lowest.number - 1 : 0), now.mono);
  HeadMoved told;
  told.moved = moved;
  told.reason = reason;
  told.timestamp = rollup_.timestamp_for_block(moved.to.number);
  actions_.emplace_back(std::move(told));
  take_segments(moved.segments);
  if (tree_.find(moved.to.hash) == nullptr)
    on_failure(libp2p::fail(Errc::mismatch, "memory has lost the block to which the head was moved"), now);
}

// Blocks of a branch that waits go from the disk for the budget and their age. Where memory was not told yet, the
// head's segment ends higher on the disk. What is still being written below it is not lost.
bool UnsafeChain::has_lost_below(const BlockRef& head, const SegmentView& segment) const {
  if (tree_.find(head.hash) == nullptr) return false;  // far below the head by now
  const auto& component = tree_.component(tree_.component_of(head.hash));
  return component.lowest.number < segment.lowest.number && !segment.is_base &&
         !pending_write(segment.lowest.parent_hash);
}

// As the store has told them. The head's reaches further in memory by what is being written, and so does what a hole
// waits for.
void UnsafeChain::take_segments(const std::vector<SegmentView>& told) {
  std::vector<SegmentView> before = std::exchange(lower_, {told.begin(), told.end() - 1});
  const std::vector<GapId> ids = std::exchange(lower_ids_, {});
  for (auto& segment : lower_) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const auto& other) {
      return other.lowest.number <= segment.highest && segment.lowest.number <= other.highest;
    });
    lower_ids_.push_back(same == before.end() ? next_lower_id_++
                                              : ids[static_cast<std::size_t>(same - before.begin())]);
    if (same != before.end() && same->lowest.number < segment.lowest.number && pending_write(same->lowest.hash))
      segment.lowest = same->lowest;
  }
  const SegmentView& of_head = told.back();
  if (phase_ == Phase::running && !moving_ && tree_.find(head_->hash) != nullptr) {
    keep_rivals();
    tree_.descend_to(tree_.component_of(head_->hash), {of_head.lowest, of_head.is_base, of_head.highest});
    take_lowest();
  }
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
  if (const auto upper = tree_.above_lowest(from)) {  // else memory knows of blocks that came since the disk was asked
    keep_rivals();
    tree_.descend_to(*upper, *outcome);
    take_lowest();
  }
  decide(now);
}

}  // namespace opstack::sync
