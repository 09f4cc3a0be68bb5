// The invariants of UnsafeChain, and what its traces are called.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

std::string_view orphan_id(OrphanReason reason) {
  switch (reason) {
    case OrphanReason::waiting: return "waiting";
    case OrphanReason::reorganised: return "reorganised";
    case OrphanReason::segment: return "segment";
    case OrphanReason::joined: return "joined";
    case OrphanReason::rewound: return "rewound";
  }
  return "unknown";
}

std::string_view to_string(ChainTraceKind kind) {
  switch (kind) {
    case ChainTraceKind::anchored: return "chain starts at the first accepted block";
    case ChainTraceKind::waiting: return "block is above a hole";
    case ChainTraceKind::branch: return "block is on another branch than the head";
    case ChainTraceKind::duplicate: return "block is known";
    case ChainTraceKind::below_window: return "block is far below the head";
    case ChainTraceKind::two_blocks: return "two signed blocks at one height";
    case ChainTraceKind::crowded: return "too many signed blocks at one height";
    case ChainTraceKind::wrong_time: return "block has a timestamp that is not that of its number";
    case ChainTraceKind::not_wanted: return "block neither extends the head nor fills a hole";
    case ChainTraceKind::overflow: return "block dropped: too many blocks wait for the disk";
    case ChainTraceKind::damped: return "a longer branch does not lead by enough";
    case ChainTraceKind::patience_begins: return "a branch above a hole is ahead of the head";
    case ChainTraceKind::refused: return "the store does not move the head";
    case ChainTraceKind::denied: return "block is denied by the operator (opp2p db rewind --deny)";
    case ChainTraceKind::denied_era: return "a branch above a hole is not followed, since a block of its era is denied";
  }
  return "unknown";
}

std::string_view trace_id(ChainTraceKind kind) {
  switch (kind) {
    case ChainTraceKind::anchored: return "anchored";
    case ChainTraceKind::waiting: return "waiting";
    case ChainTraceKind::branch: return "branch";
    case ChainTraceKind::duplicate: return "duplicate";
    case ChainTraceKind::below_window: return "below_window";
    case ChainTraceKind::two_blocks: return "two_blocks_at_height";
    case ChainTraceKind::crowded: return "crowded";
    case ChainTraceKind::wrong_time: return "wrong_time";
    case ChainTraceKind::not_wanted: return "not_wanted";
    case ChainTraceKind::overflow: return "overflow";
    case ChainTraceKind::damped: return "damped";
    case ChainTraceKind::patience_begins: return "patience_begins";
    case ChainTraceKind::refused: return "refused";
    case ChainTraceKind::denied: return "denied";
    case ChainTraceKind::denied_era: return "denied_era";
  }
  return "unknown";
}

void UnsafeChain::check() const {
  tree_.check();
  OPP2P_CHECK(lower_.size() == lower_ids_.size(), "each lower segment has the id of its hole", lower_, lower_ids_);
  if (head_) {
    OPP2P_CHECK(segment_.lowest.number <= head_->number, "the head is in its segment", segment_.lowest.number,
                head_->number);
    if (phase_ == Phase::running && !moving_) {
      const auto* head = tree_.find(head_->hash);
      OPP2P_CHECK(head != nullptr, "the head is in memory", head_->number);
      const auto& component = tree_.component(tree_.component_of(head_->hash));
      OPP2P_CHECK(component.lowest == segment_.lowest && component.is_base == segment_.is_base,
                  "the head's segment is its component", component.lowest.number, segment_.lowest.number);
    }
  } else {
    OPP2P_CHECK(!stored_head_ && lower_.empty(), "without a head nothing is stored");
  }
  for (std::size_t i = 0; i < lower_.size(); ++i) {
    const std::uint64_t above = i + 1 < lower_.size() ? lower_[i + 1].lowest.number : segment_.lowest.number;
    OPP2P_CHECK(lower_[i].lowest.number <= lower_[i].highest && lower_[i].highest < above,
                "segments do not overlap, the highest last", lower_[i].lowest.number, lower_[i].highest, above);
  }
  std::size_t bytes = 0;
  std::size_t unanswered = forwards_.size() + (opening_ ? 1 : 0) + (moving_ ? 1 : 0) + (starting_ ? 1 : 0);
  for (const auto& [id, pending] : pending_) {
    bytes += pending.block.memory_bytes();
    if (!pending.answered) ++unanswered;
  }
  OPP2P_CHECK(bytes == pending_bytes_ && (bytes <= config_.max_bytes || pending_.size() == 1),
              "what waits for the disk is counted, and bounded but for one block", bytes, pending_bytes_);
  OPP2P_CHECK(unanswered == unanswered_, "each write is answered once", unanswered, unanswered_);
  OPP2P_CHECK(phase_ == Phase::running || phase_ == Phase::failed || unanswered_ == 0,
              "the view is read when no write is under way", unanswered_);
  for (std::size_t i = 1; i < eras_.size(); ++i)
    OPP2P_CHECK(eras_[i].era == eras_[i - 1].era + 1 && eras_[i].signer != eras_[i - 1].signer,
                "each change of signer opens the next era", eras_[i].era);
}

}  // namespace opstack::sync
