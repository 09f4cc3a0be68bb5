// UnsafeChain: how it begins, at a start and when the chain is read anew: blocks, eras and reorganisations from the
// store.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

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

// The reorganisations of the damping period.
void UnsafeChain::load_forks(const ChainView& view, Now now) {
  if (!forks_.empty()) return;  // read anew: they are known
  for (const ForkRecord& fork : view.forks)
    if (now.wall - fork.at < config_.damping_period)
      add_fork(fork.lowest > 0 ? fork.lowest - 1 : 0, now.mono - (now.wall - fork.at));
}

}  // namespace opstack::sync
