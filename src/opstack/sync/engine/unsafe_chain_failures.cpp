// UnsafeChain: what happens when the store fails: it is read anew, and gets again what it did not take.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

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
