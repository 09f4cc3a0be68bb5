// UnsafeChain: the blocks that come in. What the store answers is in unsafe_chain_store.cpp, the choice of the head and
// the gaps in unsafe_chain_choice.cpp.
#include "opstack/sync/engine/unsafe_chain.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

namespace {

constexpr std::uint64_t kFutureSeconds = 5;  // as in gossip

}  // namespace

UnsafeChain::UnsafeChain(UnsafeChainConfig config, const chain::RollupConfig& rollup, const ChainView& view, Now now)
    : config_(config), rollup_(rollup), tree_(config.tree), last_signed_(now.mono), refused_(64) {
  begin_ = view.begin;
  load(view, now);
  decide(now);
}

void UnsafeChain::trace(ChainTraceKind kind, const PeerId& peer, const BlockRef& block, std::string text) {
  ChainTrace out;
  out.kind = kind;
  out.peer = peer;
  out.number = block.number;
  out.hash = block.hash;
  out.text = std::move(text);
  actions_.emplace_back(std::move(out));
}

std::optional<ChainAction> UnsafeChain::poll_action() {
  if (actions_.empty()) return std::nullopt;
  std::optional<ChainAction> out(std::move(actions_.front()));
  actions_.pop_front();
  return out;
}

// ---- signers ----

Era UnsafeChain::on_signer(const rules::Address& signer, Now now) {
  if (eras_.empty() || eras_.back().signer != signer) {
    EraRecord next;
    next.era = eras_.empty() ? 1 : eras_.back().era + 1;
    next.signer = signer;
    next.opened = now.wall;
    eras_.push_back(next);
    if (phase_ == Phase::running) open_next_era();  // else with what is given again
  }
  return eras_.back().era;
}

Era UnsafeChain::era_of_signer(const rules::Address& signer) const {
  const auto latest = std::find_if(eras_.rbegin(), eras_.rend(), [&](const auto& era) { return era.signer == signer; });
  if (latest != eras_.rend()) return latest->era;
  return eras_.empty() ? 0 : eras_.back().era;
}

// ---- blocks ----

bool UnsafeChain::has_right_time(const PeerId& peer, const Block& block) {
  const std::uint64_t timestamp = block.payload().timestamp;
  const std::uint64_t due = rollup_.timestamp_for_block(block.number());
  if (block.number() >= rollup_.genesis.l2.number && timestamp == due && due != UINT64_MAX) {
    wrong_time_ = {};
    return true;
  }
  if (wrong_time_.in_a_row > 0 && block.number() > wrong_time_.number && timestamp > wrong_time_.timestamp)
    wrong_time_.observed_block_time = (timestamp - wrong_time_.timestamp) / (block.number() - wrong_time_.number);
  ++wrong_time_.in_a_row;
  wrong_time_.number = block.number();
  wrong_time_.timestamp = timestamp;
  ChainTrace out;
  out.kind = ChainTraceKind::wrong_time;
  out.peer = peer;
  out.number = block.number();
  out.hash = block.hash();
  out.text = "its timestamp is " + std::to_string(timestamp) + ", by the rollup configuration block " +
             std::to_string(block.number()) + " is due at " + std::to_string(due);
  out.in_a_row = wrong_time_.in_a_row;
  out.observed_block_time = wrong_time_.observed_block_time;
  actions_.emplace_back(std::move(out));
  return false;
}

bool UnsafeChain::counts(const PeerId& peer, const Block& block) {
  if (!has_right_time(peer, block)) return false;
  if (!denied_.contains(block.hash())) return true;
  trace(ChainTraceKind::denied, peer, block.ref());
  return false;
}

std::optional<WriteId> UnsafeChain::pending_write(const Hash& hash) const {
  std::optional<WriteId> out;
  const auto [first, last] = pending_by_hash_.equal_range(hash);
  for (auto it = first; it != last; ++it) out = std::min(out.value_or(it->second), it->second);
  return out;
}

Arrived UnsafeChain::on_signed(const PeerId& peer, Block block, const Attestation& attestation, Now now, bool retry) {
  if (!counts(peer, block)) return {Arrival::evidence, std::nullopt};
  Pending pending;
  pending.peer = peer;
  pending.attestation = attestation;
  pending.retry = retry;
  pending.block = std::move(block);
  if (!is_open())
    if (const auto same = pending_write(pending.block.hash())) return {Arrival::known, same};
  if (!has_room(pending)) return {Arrival::overflow, std::nullopt};
  const WriteId id = next_id_++;
  if (!is_open()) return wait_for_store(id, std::move(pending));
  const Arrived out = take_signed(id, std::move(pending), now);
  decide(now);
  return out;
}

bool UnsafeChain::has_room(const Pending& pending) {
  if (pending_.empty() || pending_bytes_ + pending.block.memory_bytes() <= config_.max_bytes) return true;
  trace(ChainTraceKind::overflow, pending.peer, pending.block.ref());
  return false;
}

// Not asked for until then, and told to the sources anew.
void UnsafeChain::rest(const Hash& missing, Nanos duration, Now now) {
  constexpr std::size_t kMostResting = 64;
  std::erase_if(resting_, [&](const auto& entry) { return entry.second <= now.mono; });
  if (resting_.size() >= kMostResting) {  // most of them nobody waits for any more
    const auto ends_first = [](const auto& a, const auto& b) { return a.second < b.second; };
    resting_.erase(std::min_element(resting_.begin(), resting_.end(), ends_first));
  }
  resting_[missing] = now.mono + duration;
  wake_at(now.mono + duration);
}

// A later signer has signed the block too. A signature of the same one that comes once more has the era of its first
// arrival.
bool UnsafeChain::signs_anew(Era before, const Attestation& now) const {
  const auto of = std::find_if(eras_.begin(), eras_.end(), [&](const EraRecord& era) { return era.era == before; });
  return now.era > before && (of == eras_.end() || of->signer != now.signer);
}

Arrived UnsafeChain::take_signed(WriteId id, Pending pending, Now now) {
  const BlockRef ref = pending.block.ref();
  const PeerId peer = pending.peer;
  const Era era = pending.attestation->era;
  if (const auto* known = tree_.find(ref.hash)) {
    trace(ChainTraceKind::duplicate, peer, ref);
    const auto same = pending_write(ref.hash);
    if (known->signed_in && !signs_anew(*known->signed_in, *pending.attestation)) return {Arrival::known, same};
    tree_.sign(ref.hash, era, ++seen_);
    last_signed_ = now.mono;
    write(id, std::move(pending), false);  // its signature is added to it
    return {Arrival::known, id};
  }
  const bool is_own = !pending.retry;  // published from any height
  if (!is_own && head_ && ref.number + config_.tree.window < head_->number && era <= tree_.era_of(head_->hash)) {
    trace(ChainTraceKind::below_window, peer, ref);
    return {Arrival::evidence, std::nullopt};
  }
  // What earlier signers have made takes no place of this one's.
  if (!is_own && tree_.signed_at(ref.number, era) >= config_.tree.signed_a_height) {
    trace(ChainTraceKind::crowded, peer, ref);
    return {Arrival::evidence, std::nullopt};
  }
  highest_seen_ = std::max(highest_seen_, ref.number);
  last_signed_ = now.mono;
  TreeBlock known = tree_block(pending);
  known.signed_in = era;
  known.seen = ++seen_;
  const Hash hash = ref.hash;
  const ComponentId component = add(std::move(known));
  tell_second(*tree_.find(hash));
  if (!head_) anchor(peer, ref);
  bool extends = !head_;
  if (head_ && !moving_ && is_parent(*head_, ref)) {
    const Tip head = head_tip();
    extends = !is_below_denied(head) && beats(tip_of(*tree_.find(hash)), head, false);
  }
  if (extends) {
    extend_head(ref);
    for (auto& [id_of, rival] : rivals_) rival.since = now.mono;
    for (auto& [block, rival] : rivals_before_) rival.since = now.mono;
  } else {
    const bool joined = component == tree_.component_of(head_->hash);
    trace(joined ? ChainTraceKind::branch : ChainTraceKind::waiting, peer, ref);
  }
  write(id, std::move(pending), extends);
  return {extends ? Arrival::head : Arrival::kept, id};
}

// Told once for a fork: of the blocks above it only where the branch was not known before.
void UnsafeChain::tell_second(const TreeBlock& block) {
  const TreeBlock* other = nullptr;
  for (const Hash& hash : tree_.at_height(block.ref.number)) {
    const TreeBlock* at = tree_.find(hash);
    if (hash == block.ref.hash || !at->signed_in) continue;
    if (other == nullptr || (head_ && tree_.descends(head_->hash, at->ref))) other = at;
  }
  if (other == nullptr) return;
  const ComponentId component = tree_.component_of(block.ref.hash);
  if (other->ref.parent_hash != block.ref.parent_hash &&
      (tree_.component(component).told_fork || tree_.signed_at(block.ref.number - 1, 0) > 1))
    return;
  tree_.set_told_fork(component);
  ChainTrace out;
  out.kind = ChainTraceKind::two_blocks;
  out.peer = block.from;
  out.number = block.ref.number;
  out.hash = block.ref.hash;
  out.kept = other->ref.hash;
  out.kept_from = other->from;
  actions_.emplace_back(std::move(out));
}

bool UnsafeChain::is_wanted(const BlockRef& block) const {
  return !tree_.waiting_for(block).empty() || std::any_of(lower_.begin(), lower_.end(), [&](const auto& hole) {
    return !hole.is_base && is_parent(block, hole.lowest);
  });
}

Arrived UnsafeChain::on_fetched(const PeerId& peer, Block block, Now now) {
  if (phase_ == Phase::running && !is_open()) rest(block.hash(), config_.rest_overflow, now);
  if (!is_open() || tree_.find(block.hash()) != nullptr || !is_wanted(block.ref())) {
    trace(ChainTraceKind::not_wanted, peer, block.ref());
    return {Arrival::not_wanted, std::nullopt};
  }
  if (!counts(peer, block)) return {Arrival::evidence, std::nullopt};
  in_vain_ = false;
  delivered_ = true;
  Pending pending;
  pending.peer = peer;
  pending.fetched = true;
  pending.block = std::move(block);
  if (!has_room(pending)) {
    rest(pending.block.hash(), config_.rest_overflow, now);
    return {Arrival::overflow, std::nullopt};
  }
  const WriteId id = next_id_++;
  add_below(pending);
  write(id, std::move(pending), false);
  decide(now);
  return {Arrival::kept, id};
}

TreeBlock UnsafeChain::tree_block(const Pending& pending) {
  TreeBlock out;
  out.ref = pending.block.ref();
  out.timestamp = pending.block.payload().timestamp;
  out.from = pending.peer;
  return out;
}

// The first block of an empty chain: nothing is to be fetched below it.
void UnsafeChain::anchor(const PeerId& peer, const BlockRef& block) {
  tree_.set_base(tree_.component_of(block.hash));
  segment_ = {block, block.number, true};
  trace(ChainTraceKind::anchored, peer, block);
}

void UnsafeChain::extend_head(const BlockRef& block) {
  head_ = block;
  segment_.highest = block.number;
}

// Into the tree; the segments may reach further down then.
ComponentId UnsafeChain::add(TreeBlock block) {
  const BlockRef ref = block.ref;
  keep_rivals();
  const ComponentId component = tree_.add(std::move(block));
  grow_lower(ref);
  take_lowest();
  return component;
}

// A block that something waits for: of the segments in memory, and of the holes far below.
void UnsafeChain::add_below(const Pending& pending) {
  const BlockRef ref = pending.block.ref();
  if (!tree_.waiting_for(ref).empty()) {
    add(tree_block(pending));
    return;
  }
  grow_lower(ref);
}

Arrived UnsafeChain::on_vouched(const PeerId& self, Block block, Now now) {
  const BlockRef ref = block.ref();
  if (!counts(self, block)) return {Arrival::evidence, std::nullopt};
  const auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(0, libp2p::unix_seconds(now.wall)));
  if (block.payload().timestamp > clock + kFutureSeconds) {
    trace(ChainTraceKind::wrong_time, self, ref,
          "its time is " + std::to_string(block.payload().timestamp - clock) + " s in the future, " +
              std::to_string(kFutureSeconds) + " s are allowed");
    return {Arrival::evidence, std::nullopt};
  }
  Pending pending;
  pending.peer = self;
  pending.block = std::move(block);
  if (!has_room(pending)) return {Arrival::overflow, std::nullopt};
  const WriteId id = next_id_++;
  if (!is_open()) return wait_for_store(id, std::move(pending));
  const Arrived out = take_vouched(id, std::move(pending));
  decide(now);
  return out;
}

Arrived UnsafeChain::take_vouched(WriteId id, Pending pending) {
  const BlockRef ref = pending.block.ref();
  const PeerId self = pending.peer;
  if (tree_.find(ref.hash) != nullptr) {
    const auto write = pending_write(ref.hash);
    if (write || (head_ && tree_.descends(head_->hash, ref))) return {Arrival::known, write};
    trace(ChainTraceKind::not_wanted, self, ref);
    return {Arrival::not_wanted, std::nullopt};
  }
  const bool extends = !moving_ && (!head_ || is_parent(*head_, ref));
  if (!extends && !is_wanted(ref)) {
    trace(ChainTraceKind::not_wanted, self, ref);
    return {Arrival::not_wanted, std::nullopt};
  }
  if (!extends) {
    add_below(pending);
    write(id, std::move(pending), false);
    return {Arrival::kept, id};
  }
  add(tree_block(pending));
  if (!head_) anchor(self, ref);
  extend_head(ref);
  highest_seen_ = std::max(highest_seen_, ref.number);
  write(id, std::move(pending), true);
  return {Arrival::head, id};
}

// The block is given to the store when that works again. Somebody who waits for the answer makes it be tried at once.
Arrived UnsafeChain::wait_for_store(WriteId id, Pending pending) {
  pending.answered = true;
  if (!pending.retry && phase_ == Phase::paused) load_view();
  hold(id, std::move(pending));
  return {Arrival::kept, id};
}

}  // namespace opstack::sync
