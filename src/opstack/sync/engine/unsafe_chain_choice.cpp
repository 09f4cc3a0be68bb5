// UnsafeChain: which tip is the head, and what is to be fetched for it. The rules: docs/fork-choice.md.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

namespace {

constexpr std::uint64_t kAheadBelowHead = 32;  // how far below a diverged branch is asked ahead

}  // namespace

// ---- comparing ----

MonoTime UnsafeChain::silence_at() const {
  const std::uint64_t block_time = std::clamp<std::uint64_t>(rollup_.block_time, 1, 3600);
  return last_signed_ + libp2p::Seconds(static_cast<std::int64_t>(block_time * config_.silence));
}

UnsafeChain::Tip UnsafeChain::tip_of(const TreeBlock& block) const {
  Tip out;
  out.block = &block;
  out.era = tree_.era_of(block.ref.hash);
  out.joined = head_ && tree_.component_of(block.ref.hash) == tree_.component_of(head_->hash);
  return out;
}

UnsafeChain::Tip UnsafeChain::head_tip() const {
  const auto* block = tree_.find(head_->hash);
  OPP2P_ASSERT(block != nullptr, "the head is in memory", head_->number);
  return tip_of(*block);
}

bool UnsafeChain::is_better(const Tip& a, const Tip& b, bool silent) const {
  if (a.era != b.era) return a.era > b.era;
  if (a.block->ref.number != b.block->ref.number) return a.block->ref.number > b.block->ref.number;
  return silent && a.block->ref.hash < b.block->ref.hash;
}

bool UnsafeChain::beats(const Tip& tip, const Tip& head, bool silent) const {
  if (head.era != 0) return is_better(tip, head, silent);
  Tip same_era = head;  // the head's is not known: its height counts
  same_era.era = tip.era;
  return is_better(tip, same_era, silent);
}

// Whether the branch has another block than the safe one at its height, as far as memory tells.
bool UnsafeChain::is_below_safe(const TreeBlock& tip) const {
  if (!safe_) return false;
  const TreeBlock* at = &tip;
  while (at != nullptr && at->ref.number > safe_->number) at = tree_.parent_of(at->ref);
  return at != nullptr && (at->ref.number < safe_->number || at->ref.hash != safe_->hash);
}

// What descends from a denied block waits for it for ever.
bool UnsafeChain::is_below_denied(const Tip& tip) const {
  if (denied_.empty()) return false;
  return denied_.contains(tree_.component(tree_.component_of(tip.block->ref.hash)).lowest.parent_hash);
}

bool UnsafeChain::is_rival(const Tip& tip, const Tip& head, bool silent) const {
  if (!beats(tip, head, silent) && !is_below_denied(head)) return false;  // most of them
  const Hash& hash = tip.block->ref.hash;
  return hash != head_->hash && !refused_.contains(hash) && !is_below_safe(*tip.block) && !is_below_denied(tip);
}

bool UnsafeChain::is_only_tip() const { return tree_.tips().size() == 1 && tree_.tips().contains(head_->hash); }

bool UnsafeChain::has_rival_in_silence() const {
  const auto& tips = tree_.tips();
  if (!head_ || is_only_tip()) return false;
  const Tip head = head_tip();
  return std::any_of(tips.begin(), tips.end(),
                     [&](const Hash& hash) { return is_rival(tip_of(*tree_.find(hash)), head, true); });
}

// The tips that beat the head, the best first.
std::vector<UnsafeChain::Tip> UnsafeChain::rivals(bool silent) const {
  std::vector<Tip> out;
  if (!head_ || is_only_tip()) return out;
  const Tip head = head_tip();
  for (const Hash& hash : tree_.tips()) {
    const Tip tip = tip_of(*tree_.find(hash));
    if (is_rival(tip, head, silent)) out.push_back(tip);
  }
  std::sort(out.begin(), out.end(), [&](const Tip& a, const Tip& b) {
    if (is_better(a, b, silent)) return true;
    return !is_better(b, a, silent) && a.block->seen < b.block->seen;
  });
  return out;
}

std::uint64_t UnsafeChain::lead_needed(MonoTime now) const {
  const auto recent = std::count_if(forks_.begin(), forks_.end(),
                                    [&](const ForkPoint& fork) { return now - fork.at < config_.damping_period; });
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(recent) + 1, config_.most_lead);
}

// ---- choosing ----

void UnsafeChain::decide(Now now) {
  if (phase_ != Phase::running || moving_) return;
  if (is_patched_ && unanswered_ == 0 && pending_.empty()) return load_view();
  wake_.reset();
  if (!head_) return;
  for (const auto& [missing, until] : resting_)
    if (until > now.mono) wake_at(until);
  choose(now);
  if (!moving_) tree_.trim(*head_);
}

void UnsafeChain::choose(Now now) {
  const bool silent = is_silent(now.mono);
  const auto better = rivals(silent);
  if (!silent && has_rival_in_silence()) wake_at(silence_at());
  const auto joined = std::find_if(better.begin(), better.end(), [](const Tip& tip) { return tip.joined; });
  if (joined != better.end()) {
    const Tip head = head_tip();
    const bool extends = tree_.descends(joined->block->ref.hash, *head_);
    if (extends) return forward_to(*joined);
    const bool exempt = silent || (head.era != 0 && joined->era > head.era);
    if (exempt || joined->block->ref.number - head_->number >= lead_needed(now.mono)) return move_to(*joined);
    if (told_damped_ != joined->block->ref.hash) {
      told_damped_ = joined->block->ref.hash;
      trace(ChainTraceKind::damped, joined->block->from, joined->block->ref,
            "it leads by " + std::to_string(joined->block->ref.number - head_->number) + ", " +
                std::to_string(lead_needed(now.mono)) + " are needed");
    }
    for (const ForkPoint& fork : forks_)
      if (now.mono - fork.at < config_.damping_period) wake_at(fork.at + config_.damping_period);
  }
  if (const auto* due = due_segment(better, silent, now)) move_to(*due);
}

// Components get other ids when they meet and when the chain is read anew: what was waited for stays waited for.
UnsafeChain::Rival UnsafeChain::rival_of(ComponentId id, Now now) {
  const bool near = tree_.component(id).lowest.number <= head_->number + 1 + config_.gossip_reach;
  Rival out{now.mono, now.mono, near};
  if (const auto known = rivals_.find(id); known != rivals_.end()) out = known->second;
  for (const auto& [hash, before] : rivals_before_) {
    if (tree_.find(hash) == nullptr || tree_.component_of(hash) != id) continue;
    out.first = std::min(out.first, before.first);
    out.since = std::min(out.since, before.since);
    out.near = out.near && before.near;
  }
  return out;
}

// Before components change.
void UnsafeChain::keep_rivals() {
  for (const auto& [id, rival] : rivals_) {
    const auto component = tree_.components().find(id);
    if (component != tree_.components().end()) rivals_before_.emplace(component->second.blocks.rbegin()->second, rival);
  }
}

// A branch that is not joined, and that was waited for long enough.
const UnsafeChain::Tip* UnsafeChain::due_segment(const std::vector<Tip>& better, bool silent, Now now) {
  std::map<ComponentId, Rival> still;
  for (const Tip& tip : better) {
    if (tip.joined) continue;
    const ComponentId id = tree_.component_of(tip.block->ref.hash);
    still.emplace(id, rival_of(id, now));
    if (!rivals_.empty() || !rivals_before_.empty() || still.size() > 1) continue;
    delivered_ = false;
    trace(ChainTraceKind::patience_begins, tip.block->from, tip.block->ref);
  }
  rivals_ = std::move(still);
  rivals_before_.clear();
  const Tip* out = nullptr;
  const bool is_strict = denied_era_ && !is_below_denied(head_tip());
  for (const Tip& tip : better) {
    if (tip.joined) continue;
    // Above a hole nobody can tell whether it descends from the denied block of its era.
    const bool is_above_hole = !tree_.component(tree_.component_of(tip.block->ref.hash)).is_base;
    if (is_strict && is_above_hole && tip.era <= *denied_era_) {
      if (std::exchange(told_denied_era_, head_->hash) != head_->hash)
        trace(ChainTraceKind::denied_era, tip.block->from, tip.block->ref,
              "the head waits for the missing blocks, or for opp2p db allow");
      continue;
    }
    const Rival& rival = rivals_.at(tree_.component_of(tip.block->ref.hash));
    if (rival.near && now.mono < rival.first + config_.first_ask)
      wake_at(rival.first + config_.first_ask);  // gaps() has more then
    if (silent || now.mono >= rival.since + patience()) {
      if (out == nullptr) out = &tip;
    } else {
      wake_at(rival.since + patience());
    }
  }
  if (out != nullptr && !silent) in_vain_ = !delivered_;
  return out;
}

MoveHead UnsafeChain::ask_move(const Tip& tip) {
  MoveHead out;
  out.id = next_id_++;
  out.move.to = tip.block->ref;
  out.move.joined = tip.joined;
  out.move.signed_in = tip.block->signed_in;
  out.move.safe = safe_;
  out.move.reason = tip.joined ? OrphanReason::reorganised : OrphanReason::segment;
  ++unanswered_;
  actions_.emplace_back(out);
  return out;
}

void UnsafeChain::move_to(const Tip& tip) { moving_ = ask_move(tip); }

// As a block that extends the head does: what comes next extends this one, and does not wait for the store.
void UnsafeChain::forward_to(const Tip& tip) {
  const MoveHead asked = ask_move(tip);
  forwards_.emplace(asked.id, asked.move);
  extend_head(tip.block->ref);
}

void UnsafeChain::on_sources(bool can_ask, Now now) {
  if (std::exchange(can_ask_, can_ask) != can_ask) decide(now);
}

void UnsafeChain::on_timeout(Now now) {
  if (phase_ == Phase::paused && retry_at_ && now.mono >= *retry_at_) return load_view();
  decide(now);
}

std::optional<MonoTime> UnsafeChain::next_deadline() const {
  if (phase_ == Phase::paused) return retry_at_;
  if (phase_ != Phase::running || moving_) return std::nullopt;
  return wake_;
}

// ---- what is missing ----

std::vector<Gap> UnsafeChain::gaps(MonoTime now) const {
  std::vector<Gap> out;
  if (phase_ != Phase::running || !head_) return out;
  // It is not known yet whether the parents of these are there.
  const auto is_unsettled = [&](const Hash& hash) {
    const auto write = pending_write(hash);
    return (write && !pending_.at(*write).fetched) ||
           std::any_of(descending_.begin(), descending_.end(),
                       [&](const auto& asked) { return asked.second.hash == hash; });
  };
  std::set<Hash> wanted;
  const auto add = [&](GapId id, const BlockRef& child, std::uint64_t known_below) {
    const auto resting = resting_.find(child.parent_hash);
    if (resting != resting_.end() && now < resting->second) return;
    if (denied_.contains(child.parent_hash) || is_unsettled(child.hash) ||
        child.number <= rollup_.genesis.l2.number + 1)
      return;
    if (!wanted.insert(child.parent_hash).second) return;
    Gap gap;
    gap.id = id;
    gap.child = child;
    gap.floor = known_below + 1;
    if (gap.floor >= child.number) gap.floor = child.number > kAheadBelowHead ? child.number - kAheadBelowHead : 0;
    gap.floor = std::max(gap.floor, rollup_.genesis.l2.number + 1);
    out.push_back(gap);
  };
  for (const Tip& tip : rivals(is_silent(now))) {
    const ComponentId id = tree_.component_of(tip.block->ref.hash);
    const auto& component = tree_.component(id);
    if (tip.joined || component.is_base) continue;
    const auto rival = rivals_.find(id);
    if (rival == rivals_.end() || (rival->second.near && now < rival->second.first + config_.first_ask)) continue;
    add(id, component.lowest, head_->number);
    if (out.size() == kMostTips) break;
  }
  const std::size_t tips = out.size();
  if (!segment_.is_base)
    add(tree_.component_of(head_->hash), segment_.lowest,
        lower_.empty() ? rollup_.genesis.l2.number : lower_.back().highest);
  // From the top downwards, each turn from another one if there are too many.
  const std::size_t turn =
      lower_.size() < kMostHoles ? 0 : static_cast<std::size_t>(now.time_since_epoch() / config_.turn);
  for (std::size_t n = 0; n < lower_.size() && out.size() < tips + kMostHoles; ++n) {
    const std::size_t i = lower_.size() - 1 - (n + turn) % lower_.size();
    if (!lower_[i].is_base && tree_.find(lower_[i].lowest.parent_hash) == nullptr)
      add(lower_ids_[i], lower_[i].lowest, i == 0 ? rollup_.genesis.l2.number : lower_[i - 1].highest);
  }
  return out;
}

std::optional<BlockRef> UnsafeChain::sync_target(MonoTime now) const {
  if (phase_ != Phase::running) return std::nullopt;
  for (const Tip& tip : rivals(is_silent(now)))
    if (!tip.joined) return tree_.component(tree_.component_of(tip.block->ref.hash)).lowest;
  return std::nullopt;
}

std::size_t UnsafeChain::holes() const {
  if (!head_) return 0;
  return static_cast<std::size_t>(
             std::count_if(lower_.begin(), lower_.end(), [](const auto& s) { return !s.is_base; })) +
         (segment_.is_base ? 0 : 1);
}

std::optional<std::uint64_t> UnsafeChain::settled(MonoTime now) const {
  if (!stored_head_ || stored_head_->number < config_.settled_below) return std::nullopt;
  std::uint64_t out = stored_head_->number - config_.settled_below;
  for (const ForkPoint& fork : forks_)
    if (now - fork.at < config_.damping_period) out = std::min(out, fork.number);
  if (out < segment_.lowest.number) return std::nullopt;
  return out;
}

}  // namespace opstack::sync
