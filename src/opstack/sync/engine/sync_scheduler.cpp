#include "opstack/sync/engine/sync_scheduler.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

using libp2p::to_hex0x;

namespace {

SyncLimits limits_of(const SyncConfig& config) {
  SyncLimits out;
  out.in_flight = config.max_in_flight;
  out.trials_per_second = config.global_per_second / 4;
  out.trial_burst = config.global_burst / 4;
  out.trial_deadline = config.trial_deadline;
  out.deadline = config.request_deadline;
  return out;
}

}  // namespace

SyncScheduler::SyncScheduler(SyncConfig config, libp2p::Rng& rng, MonoTime now)
    : config_(config),
      rng_(rng),
      peers_(config.peer, limits_of(config), now),
      global_(config.global_per_second, config.global_burst, now),
      quarantine_(config.max_bytes, config.max_quarantined),
      cooling_(64),
      told_broken_(64) {}

void SyncScheduler::trace(SyncTraceKind kind, std::optional<std::uint64_t> number, const PeerId& peer,
                          std::string text) {
  SyncTrace out;
  out.kind = kind;
  out.peer = peer;
  out.number = number;
  out.text = std::move(text);
  actions_.emplace_back(std::move(out));
}

std::optional<SyncAction> SyncScheduler::poll_action() {
  if (actions_.empty()) return std::nullopt;
  std::optional<SyncAction> out(std::move(actions_.front()));
  actions_.pop_front();
  return out;
}

// ---- peers ----

void SyncScheduler::on_peer_added(const PeerId& peer, Now now, const AddressBlocks& blocks, bool identified) {
  if (peers_.add(peer, blocks, identified, now.mono)) trace(SyncTraceKind::peer_added, std::nullopt, peer);
  proceed(now);
}

void SyncScheduler::on_peer_removed(const PeerId& peer, Now now) {
  if (!peers_.remove(peer)) return;
  trace(SyncTraceKind::peer_removed, std::nullopt, peer);
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    const auto next = std::next(it);
    if (it->second.peer == peer) end_request(it);
    it = next;
  }
  for (auto& [number, height] : heights_) {
    const auto place = std::lower_bound(height.asked.begin(), height.asked.end(), peer);
    if (place != height.asked.end() && *place == peer) height.asked.erase(place);
  }
  proceed(now);
}

SyncScheduler::InFlight SyncScheduler::end_request(std::map<RequestId, InFlight>::iterator at) {
  InFlight request = std::move(at->second);
  const auto [first, last] = asked_numbers_.equal_range(request.number);
  const auto asked = std::find_if(first, last, [&](const auto& entry) { return entry.second == at->first; });
  OPP2P_ASSERT(asked != last, "each request stands under the number that it asks for", at->first, request.number);
  asked_numbers_.erase(asked);
  in_flight_.erase(at);
  peers_.on_idle(request.peer);
  return request;
}

// It was only tried because identify was silent about it.
void SyncScheduler::remove_if_unidentified(const PeerId& peer, Now now) {
  if (peers_.contains(peer) && !peers_.is_identified(peer)) on_peer_removed(peer, now);
}

void SyncScheduler::say_paused(const PeerId& peer, Nanos length, std::string_view why) {
  if (length <= Nanos(0)) return;
  const auto milliseconds = std::chrono::duration_cast<libp2p::Millis>(length).count();
  trace(SyncTraceKind::peer_paused, std::nullopt, peer, std::to_string(milliseconds) + " ms: " + std::string(why));
}

void SyncScheduler::fault(const PeerId& peer, SyncFaultKind kind, std::uint64_t number, std::string evidence, Now now) {
  PeerReport report;
  report.peer = peer;
  report.merit = kind == SyncFaultKind::unlinked ? PeerMerit::rejected_payload : PeerMerit::error_response;
  actions_.emplace_back(std::move(report));
  SyncFault out;
  out.peer = peer;
  out.kind = kind;
  out.number = number;
  out.evidence = std::move(evidence);
  actions_.emplace_back(std::move(out));
  say_paused(peer, peers_.on_fault(peer, now.mono), to_string(kind));
  mark_asked(number, peer);
}

void SyncScheduler::reject(const PeerId& peer, std::uint64_t number, const Hash& got, const Hash& expected, Now now) {
  fault(peer, SyncFaultKind::unlinked, number,
        "block " + std::to_string(number) + " is " + to_hex0x(got) + ", the trusted block above it names " +
            to_hex0x(expected) + " as its parent",
        now);
}

void SyncScheduler::mark_asked(std::uint64_t number, const PeerId& peer) {
  auto& asked = heights_[number].asked;
  const auto place = std::lower_bound(asked.begin(), asked.end(), peer);
  if (place == asked.end() || *place != peer) asked.insert(place, peer);
}

// ---- ranges ----

SyncScheduler::Segment* SyncScheduler::active() {
  if (!active_) return nullptr;
  const auto found = segments_.find(*active_);
  return found == segments_.end() ? nullptr : &found->second;
}

void SyncScheduler::request_range(const BlockRef& start, const std::optional<BlockRef>& end, Now now) {
  if (end && (end->number == 0 || end->number <= start.number || end->number - start.number == 1)) return;
  head_ = start;
  SyncTrace out;
  out.kind = SyncTraceKind::range_requested;
  out.start = start.number;
  if (end) {
    out.end = end->number;
    out.size = end->number - start.number - 1;
  }
  trace(std::move(out));
  if (!end) return;
  const std::string key(reinterpret_cast<const char*>(end->hash.data()), end->hash.size());
  if (const auto* until = cooling_.peek(key); until != nullptr && now.mono < *until) return;
  Segment& segment = segment_for(*end);
  if (active_ != segment.id) {
    active_ = segment.id;
    heights_.clear();
  }
  proceed(now);
}

SyncScheduler::Segment& SyncScheduler::segment_for(const BlockRef& end) {
  ++uses_;
  for (auto& [id, segment] : segments_) {
    if (segment.end.hash != end.hash) continue;
    segment.last_used = uses_;
    return segment;
  }
  while (segments_.size() >= config_.max_segments) {
    const auto oldest = std::min_element(segments_.begin(), segments_.end(), [](const auto& a, const auto& b) {
      return a.second.last_used < b.second.last_used;
    });
    forget_segment(SegmentId(oldest->first));
  }
  Segment fresh;
  fresh.id = next_id_++;
  fresh.end = end;
  fresh.lowest = end.number;
  fresh.expected = end.parent_hash;
  fresh.last_used = uses_;
  OPP2P_ASSERT(segments_.size() < std::max<std::size_t>(1, config_.max_segments), "half-filled ranges are bounded",
               segments_);
  return segments_.emplace(fresh.id, fresh).first->second;
}

void SyncScheduler::cancel_requests_of(SegmentId id) {
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    const auto next = std::next(it);
    if (it->second.segment == id) {
      CancelRequest cancel;
      cancel.id = it->first;
      cancel.peer = end_request(it).peer;
      actions_.emplace_back(std::move(cancel));
    }
    it = next;
  }
}

void SyncScheduler::forget_segment(SegmentId id) {
  cancel_requests_of(id);
  segments_.erase(id);
  if (active_ == id) {
    active_.reset();
    heights_.clear();
    quarantine_.clear();
  }
  DropStaged drop;
  drop.segment = id;
  actions_.emplace_back(drop);
}

void SyncScheduler::abandon(SegmentId id, SyncTraceKind kind, std::string why, Now now, bool cool) {
  const Segment& segment = segments_.at(id);
  SyncTrace out;
  out.kind = kind;
  out.start = head_.number;
  out.end = segment.end.number;
  out.text = std::move(why);
  trace(std::move(out));
  if (cool)
    cooling_.put(std::string(reinterpret_cast<const char*>(segment.end.hash.data()), segment.end.hash.size()),
                 now.mono + (kind == SyncTraceKind::range_diverged ? config_.diverged_after : config_.retry_after));
  forget_segment(id);
}

void SyncScheduler::on_head(const BlockRef& head, Now now) {
  head_ = head;
  std::vector<SegmentId> filled;
  for (const auto& [id, segment] : segments_)
    if (segment.end.number <= head.number || segment.end.number - head.number == 1) filled.push_back(id);
  for (const SegmentId id : filled) {
    if (active_ == id) trace(SyncTraceKind::range_filled, segments_.at(id).end.number - 1);
    forget_segment(id);
  }
  proceed(now);
}

// ---- answers ----

void SyncScheduler::on_answer(RequestId id, Answer answer, Now now) {
  const auto found = in_flight_.find(id);
  if (found == in_flight_.end()) {
    trace(SyncTraceKind::late_answer, std::nullopt);
    return;
  }
  const InFlight request = end_request(found);
  trace(SyncTraceKind::answer, request.number, request.peer, std::string(to_string(answer.kind)));

  switch (answer.kind) {
    case AnswerKind::block:
      peers_.on_served(request.peer);
      // The driver has checked it (judge_answer); a driver that has not must not lead to a wrong promotion.
      if (answer.block.number() == request.number) accept_block(request, std::move(answer), now);
      break;
    case AnswerKind::not_found:
    case AnswerKind::invalid_request:
      peers_.on_served(request.peer);
      mark_asked(request.number, request.peer);
      say_paused(request.peer, peers_.on_empty_handed(request.peer, now.mono),
                 "has not had the blocks it was asked for");
      break;
    case AnswerKind::throttled:
      peers_.on_served(request.peer);
      say_paused(request.peer, peers_.on_busy(request.peer, now.mono), "is busy");
      break;
    case AnswerKind::failed: {
      mark_asked(request.number, request.peer);
      PeerReport report;
      report.peer = request.peer;
      report.merit = PeerMerit::error_response;
      actions_.emplace_back(std::move(report));
      say_paused(request.peer, peers_.on_failure(request.peer, now.mono), answer.detail);
      remove_if_unidentified(request.peer, now);
      break;
    }
    case AnswerKind::unsupported: on_peer_removed(request.peer, now); break;
    case AnswerKind::malformed:
      fault(request.peer, SyncFaultKind::malformed, request.number, std::move(answer.detail), now);
      remove_if_unidentified(request.peer, now);
      break;
    case AnswerKind::wrong_number:
      fault(request.peer, SyncFaultKind::wrong_number, request.number, std::move(answer.detail), now);
      break;
    case AnswerKind::altered:
      fault(request.peer, SyncFaultKind::altered, request.number, std::move(answer.detail), now);
      break;
    case AnswerKind::bad_hash:
      fault(request.peer, SyncFaultKind::bad_hash, request.number, std::move(answer.detail), now);
      break;
  }
  proceed(now);
}

void SyncScheduler::accept_block(const InFlight& request, Answer answer, Now now) {
  Block& block = answer.block;
  for (auto& [id, segment] : segments_) {
    if (segment.delivering || segment.lowest != block.number() + 1 || segment.expected != block.hash()) continue;
    promote(segment, request.peer, std::move(block), answer.broken_rule);
    promote_from_quarantine(segment, now);
    return;
  }
  const auto asked_for = segments_.find(request.segment);
  if (asked_for == segments_.end() || asked_for->second.delivering) return;
  const Segment& segment = asked_for->second;
  if (block.number() + 1 == segment.lowest) {
    reject(request.peer, block.number(), block.hash(), segment.expected, now);
  } else if (block.number() < segment.lowest && block.number() > head_.number) {
    const std::uint64_t number = block.number();
    std::vector<std::uint64_t> dropped;
    Quarantined entry;
    entry.peer = request.peer;
    entry.segment = request.segment;
    entry.block = std::move(block);
    entry.broken_rule = std::move(answer.broken_rule);
    entry.proven = peers_.is_proven(request.peer);
    peers_.on_answered(request.peer);
    if (quarantine_.insert(std::move(entry), dropped)) trace(SyncTraceKind::quarantined, number, request.peer);
    for (const std::uint64_t gone : dropped) trace(SyncTraceKind::quarantine_overflow, gone);
  }
}

void SyncScheduler::promote(Segment& segment, const PeerId& peer, Block block, const std::string& broken_rule) {
  const std::uint64_t number = block.number();
  OPP2P_ASSERT(!segment.delivering && number + 1 == segment.lowest && block.hash() == segment.expected,
               "only the parent of the lowest trusted block is promoted", number, segment.lowest);
  segment.lowest = number;
  segment.expected = block.parent_hash();
  ++segment.staging;
  const std::size_t size = block.memory_bytes();
  // Of linked blocks only: what a stranger sends must not slow the others down.
  typical_bytes_ = std::max(size, typical_bytes_ - typical_bytes_ / 16);
  const bool is_new = staging_sizes_.try_emplace({segment.id, number}, size).second;
  OPP2P_ASSERT(is_new, "a block of a range is promoted once", segment.id, number);
  staging_bytes_ += size;
  heights_.erase(number);
  peers_.on_good(peer);
  PeerReport report;
  report.peer = peer;
  report.merit = PeerMerit::valid_response;
  actions_.emplace_back(std::move(report));
  trace(SyncTraceKind::promoted, number, peer);
  if (const std::string hash = to_hex0x(block.hash()); !broken_rule.empty() && !told_broken_.contains(hash)) {
    told_broken_.put(hash, true);
    trace(SyncTraceKind::broken_rule, number, {}, "block " + hash + ": " + broken_rule);
  }
  StageBlock stage;
  stage.segment = segment.id;
  stage.block = StagedBlock(peer, std::move(block));
  actions_.emplace_back(std::move(stage));
}

void SyncScheduler::promote_from_quarantine(Segment& segment, Now now) {
  while (segment.lowest > head_.number + 1) {
    const auto* waiting = quarantine_.at(segment.lowest - 1);
    if (waiting == nullptr) return;
    auto entry = *quarantine_.take(segment.lowest - 1);
    if (entry.block.hash() == segment.expected) {
      promote(segment, entry.peer, std::move(entry.block), entry.broken_rule);
      continue;
    }
    // Asked for another range it may be honest: that range may hang on another fork.
    if (entry.segment == segment.id)
      reject(entry.peer, entry.block.number(), entry.block.hash(), segment.expected, now);
    return;
  }
}

// ---- the disk ----

void SyncScheduler::on_staged(SegmentId id, std::uint64_t number, bool ok, Now now) {
  const auto size = staging_sizes_.find({id, number});
  if (size == staging_sizes_.end()) return;
  OPP2P_ASSERT(staging_bytes_ >= size->second, "bytes that are not on disk yet are counted", staging_bytes_,
               size->second);
  staging_bytes_ -= size->second;
  staging_sizes_.erase(size);
  const auto found = segments_.find(id);
  if (found != segments_.end()) {
    OPP2P_ASSERT(found->second.staging > 0, "blocks that are not on disk yet are counted", id, number);
    --found->second.staging;
    if (!ok) {
      abandon(id, SyncTraceKind::range_abandoned, "block " + std::to_string(number) + " could not be staged on disk",
              now);
      // Ranges that nobody works at take up room there.
      std::vector<SegmentId> idle;
      for (const auto& [other, segment] : segments_)
        if (active_ != other) idle.push_back(other);
      for (const SegmentId other : idle) forget_segment(other);
    }
  }
  proceed(now);
}

void SyncScheduler::on_staged_read(RequestId id, Result<std::vector<StagedBlock>> blocks, Now now) {
  const auto found =
      std::find_if(segments_.begin(), segments_.end(), [&](const auto& entry) { return entry.second.reading == id; });
  if (found == segments_.end()) return;
  Segment& segment = found->second;
  OPP2P_ASSERT(segment.delivering, "only a range that is linked is read back", segment.id);
  segment.reading.reset();
  if (!blocks || blocks->empty()) {
    // It went for blocks nearer to the chain. Those are delivered by now, so the rest has room and need not wait.
    const bool progressed = blocks && segment.next_read > segment.first_read;
    abandon(segment.id, SyncTraceKind::range_abandoned,
            "staged block " + std::to_string(segment.next_read) + " could not be read back: " +
                (blocks ? std::string("it was removed for blocks nearer to the chain; raise --store.max-size to fill "
                                      "such a gap in one turn")
                        : blocks.error().message()),
            now, !progressed);
    proceed(now);
    return;
  }
  for (auto& staged : *blocks) {
    if (staged.block.number() != segment.next_read) break;
    ++segment.next_read;
    DeliverBlock deliver_block;
    deliver_block.peer = std::move(staged.peer);
    deliver_block.block = std::move(staged.block);
    actions_.emplace_back(std::move(deliver_block));
  }
  proceed(now);
}

}  // namespace opstack::sync
