// UnsafeChain: what it gives to the store, and what the store answers.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

void UnsafeChain::load(const ChainView& view) {
  tree_ = BlockTree(config_.tree);
  head_ = stored_head_ = view.head;
  moving_.reset();
  forwards_.clear();
  descending_.clear();
  denied_.insert(view.denied.begin(), view.denied.end());
  rivals_.clear();
  eras_ = eras_.size() > view.eras.size() ? std::move(eras_) : view.eras;  // the last one may not be stored yet
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
  if (!head_) return;
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

// ---- writing ----

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
    const bool refused = (code == Errc::denied || code == Errc::exhausted) && !pending_.at(id).extends_head;
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
  full_ = outcome->full;
  failures_ = 0;
  if (phase_ == Phase::failed) return settle_failed(now);
  if (phase_ != Phase::running) return;
  // The parent lies on the disk, and not in memory.
  const bool is_lowest =
      std::any_of(lower_.begin(), lower_.end(), [&](const auto& hole) { return hole.lowest == ref; });
  const bool unlinked = tree_.find(ref.hash) != nullptr && tree_.find(ref.parent_hash) == nullptr;
  if (outcome->parent_there && !kept.extends_head && (is_lowest || unlinked)) descend(ref);
  if (is_first) refill(now);
  decide(now);
}

// The store has no room for it, or the operator has denied it.
void UnsafeChain::on_refused(WriteId id, const Error& why, Now now) {
  const Pending gone = release(id);
  BlockNotKept told;
  told.id = id;
  told.block = gone.block;
  told.why = why;
  told.fetched = gone.fetched;
  actions_.emplace_back(std::move(told));
  const BlockRef ref = gone.block.ref();
  if (why.code() == Errc::denied) denied_.insert(ref.hash);  // it descends from a denied one
  const bool of_head = head_ && tree_.find(ref.hash) != nullptr &&
                       tree_.component_of(ref.hash) == tree_.component_of(head_->hash) && segment_.lowest == ref;
  if (head_ && stored_head_ != head_ && tree_.descends(head_->hash, ref))
    return on_failure(why, now);  // the head was moved in memory onto what stands on it
  if (gone.fetched && (of_head || tree_.find(ref.hash) == nullptr))
    return on_failure(why, now);  // the view says what is full
  tree_.remove(ref.hash);
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
  told_damped_.reset();
  if (moved.depth > 0) {
    Fork fork;
    fork.at = now.mono;
    const std::uint64_t below = segment_.lowest.number > 0 ? segment_.lowest.number - 1 : 0;
    fork.number = moved.fork.value_or(below);
    forks_.push_back(fork);
    if (forks_.size() > 2 * config_.most_lead) forks_.pop_front();
  }
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
    if (!hole.is_base && hole.lowest.parent_hash == block.hash) hole.lowest = block;
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
  load(*view);
  phase_ = Phase::running;
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
