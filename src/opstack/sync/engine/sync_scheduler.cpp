// The scheduler's tables: peers, gaps, requests, and what an answer does to who gave it.
#include "opstack/sync/engine/sync_scheduler.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

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

void erase_sorted(std::vector<PeerId>& peers, const PeerId& peer) {
  const auto place = std::lower_bound(peers.begin(), peers.end(), peer);
  if (place != peers.end() && *place == peer) peers.erase(place);
}

}  // namespace

SyncScheduler::SyncScheduler(SyncConfig config, libp2p::Rng& rng, MonoTime now)
    : config_(config),
      rng_(rng),
      peers_(config.peer, limits_of(config), now),
      global_(config.global_per_second, config.global_burst, now),
      others_(config.global_per_second / 4, std::max(config.global_burst / 4, 1.0), now),
      quarantine_(config.max_bytes, config.max_quarantined),
      wrong_(64),
      told_broken_(64) {}

void SyncScheduler::trace(SyncTraceKind kind, std::optional<GapId> gap, std::optional<std::uint64_t> number,
                          const PeerId& peer, std::string text) {
  SyncTrace out;
  out.kind = kind;
  out.peer = peer;
  out.gap = gap;
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
  if (peers_.add(peer, blocks, identified, now.mono))
    trace(SyncTraceKind::peer_added, std::nullopt, std::nullopt, peer);
  proceed(now);
}

void SyncScheduler::on_peer_removed(const PeerId& peer, Now now) {
  if (!peers_.remove(peer)) return;
  trace(SyncTraceKind::peer_removed, std::nullopt, std::nullopt, peer);
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    const auto next = std::next(it);
    if (it->second.peer == peer) end_request(it);
    it = next;
  }
  for (auto& [id, work] : works_) {
    erase_sorted(work.passed_over, peer);
    for (auto& [number, height] : work.heights) erase_sorted(height.asked, peer);
  }
  proceed(now);
}

SyncScheduler::InFlight SyncScheduler::end_request(std::map<RequestId, InFlight>::iterator at) {
  InFlight request = std::move(at->second);
  const auto [first, last] = asked_.equal_range({request.gap, request.number});
  const auto asked = std::find_if(first, last, [&](const auto& entry) { return entry.second == at->first; });
  OPP2P_ASSERT(asked != last, "each request stands under the number that it asks for", at->first, request.number);
  asked_.erase(asked);
  in_flight_.erase(at);
  peers_.on_idle(request.peer);
  return request;
}

void SyncScheduler::cancel_requests(const std::function<bool(const InFlight&)>& which) {
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    const auto next = std::next(it);
    if (which(it->second)) {
      CancelRequest cancel;
      cancel.id = it->first;
      cancel.peer = end_request(it).peer;
      actions_.emplace_back(std::move(cancel));
    }
    it = next;
  }
}

// It was only tried because identify was silent about it.
void SyncScheduler::remove_if_unidentified(const PeerId& peer, Now now) {
  if (peers_.contains(peer) && !peers_.is_identified(peer)) on_peer_removed(peer, now);
}

void SyncScheduler::say_paused(const PeerId& peer, Nanos length, std::string_view why) {
  if (length <= Nanos(0)) return;
  const auto milliseconds = std::chrono::duration_cast<libp2p::Millis>(length).count();
  trace(SyncTraceKind::peer_paused, std::nullopt, std::nullopt, peer,
        std::to_string(milliseconds) + " ms: " + std::string(why));
}

void SyncScheduler::report(const PeerId& peer, PeerMerit merit) {
  PeerReport out;
  out.peer = peer;
  out.merit = merit;
  actions_.emplace_back(std::move(out));
}

void SyncScheduler::fault(const InFlight& request, SyncFaultKind kind, std::string evidence, Now now) {
  report(request.peer, merit_of(kind));
  SyncFault out;
  out.peer = request.peer;
  out.kind = kind;
  out.number = request.number;
  out.evidence = std::move(evidence);
  actions_.emplace_back(std::move(out));
  say_paused(request.peer, peers_.on_fault(request.peer, now.mono), to_string(kind));
  mark_asked(request.gap, request.number, request.peer);
}

void SyncScheduler::mark_asked(GapId gap, std::uint64_t number, const PeerId& peer) {
  Work& work = works_.at(gap);
  if (number >= work.lowest || !peers_.contains(peer)) return;
  Height* height = height_of(work, number);
  if (height == nullptr) return;
  auto& asked = height->asked;
  const auto place = std::lower_bound(asked.begin(), asked.end(), peer);
  if (place == asked.end() || *place != peer) asked.insert(place, peer);
}

// Made if it is not there; for the block that is due there is always a place.
SyncScheduler::Height* SyncScheduler::height_of(Work& work, std::uint64_t number) {
  if (work.heights.size() >= kTroubled && !work.heights.contains(number)) {
    if (number != work.due()) return nullptr;
    work.heights.erase(work.heights.begin());
  }
  return &work.heights[number];
}

// ---- gaps ----

void SyncScheduler::set_gaps(const std::vector<Gap>& gaps, Now now) {
  order_.clear();
  for (const Gap& gap : gaps) {
    if (order_.size() >= config_.max_gaps) break;
    const bool listed = std::find(order_.begin(), order_.end(), gap.id) != order_.end();
    if (listed || gap.child.number == 0) continue;  // nothing is below the block of number 0
    order_.push_back(gap.id);
    take_gap(gap, now);
  }
  std::vector<GapId> dropped;
  for (const auto& [id, work] : works_)
    if (std::find(order_.begin(), order_.end(), id) == order_.end()) dropped.push_back(id);
  for (const GapId id : dropped) drop_gap(id);
  proceed(now);
}

void SyncScheduler::take_gap(const Gap& gap, Now now) {
  const auto [at, is_new] = works_.try_emplace(gap.id);
  Work& work = at->second;
  const bool goes_on = !is_new && (gap.child.hash == work.gap.child.hash || has_linked(work, gap.child));
  work.gap = gap;
  if (!goes_on) restart(work);
  trim(work);
  note_floor(work, now);
}

bool SyncScheduler::has_linked(const Work& work, const BlockRef& block) {
  if (block.number < work.lowest) return false;
  const std::uint64_t place = block.number - work.lowest;
  return place < work.linked.size() && work.linked[place] == block.hash;
}

// The chain below the child is not there yet, or is another source's.
void SyncScheduler::restart(Work& work) {
  work.lowest = work.gap.child.number;
  work.expected = work.gap.child.parent_hash;
  work.linked.clear();
  work.floor_at.reset();
  withdraw_deliveries(work.gap.id);
  cancel_requests([&](const InFlight& request) { return request.gap == work.gap.id && request.number >= work.lowest; });
  note_expected(work);
}

// What is asked for, or waits, or was asked for in vain, and is not wanted any more.
void SyncScheduler::trim(Work& work) {
  std::erase_if(work.heights, [&](const auto& entry) { return !wants(work, entry.first); });
  cancel_requests([&](const InFlight& request) {
    return request.gap == work.gap.id && request.number < work.lowest && !wants(work, request.number);
  });
  for (const auto& key : quarantine_.of(work.gap.id))
    if (!wants(work, key.number)) quarantine_.take(key);
}

void SyncScheduler::drop_gap(GapId id) {
  cancel_requests([id](const InFlight& request) { return request.gap == id; });
  withdraw_deliveries(id);
  works_.erase(id);
  rehome(quarantine_.of(id));
}

// Of blocks that nobody has polled yet: their gap is not listed any more, or their place is taken.
void SyncScheduler::withdraw_deliveries(GapId id) {
  std::erase_if(actions_, [&](const SyncAction& action) {
    const auto* deliver = std::get_if<DeliverBlock>(&action);
    if (deliver == nullptr || deliver->gap != id) return false;
    writing_bytes_ -= deliver->block.memory_bytes();
    --record_.delivered;
    return true;
  });
}

void SyncScheduler::note_floor(Work& work, Now now) {
  if (work.lowest > work.gap.floor || work.lowest == work.gap.child.number) {
    work.floor_at.reset();
  } else if (!work.floor_at) {
    work.floor_at = now.mono;
  }
}

std::uint64_t SyncScheduler::bottom(const Work& work) const {
  return std::max(work.gap.floor, work.lowest > config_.window ? work.lowest - config_.window : 0);
}

bool SyncScheduler::wants(const Work& work, std::uint64_t number) const {
  return number < work.lowest && (number == work.due() || number >= bottom(work));
}

void SyncScheduler::on_check(const BlockRef& head, const std::optional<BlockRef>& target, Now now) {
  if (target && (target->number <= head.number || target->number - head.number == 1)) return;
  SyncTrace out;
  out.kind = SyncTraceKind::range_requested;
  out.start = head.number;
  if (target) {
    out.end = target->number;
    out.size = target->number - head.number - 1;
  }
  trace(std::move(out));
  proceed(now);
}

void SyncScheduler::on_written(std::size_t bytes, Now now) {
  OPP2P_ASSERT(bytes <= writing_bytes_, "what is written was delivered", bytes, writing_bytes_);
  writing_bytes_ -= bytes;
  proceed(now);
}

std::optional<std::uint64_t> SyncScheduler::lowest(GapId gap) const {
  const auto found = works_.find(gap);
  return found == works_.end() ? std::nullopt : std::optional(found->second.lowest);
}

std::size_t SyncScheduler::passed_over(GapId gap) const {
  const auto found = works_.find(gap);
  return found == works_.end() ? 0 : found->second.passed_over.size();
}

bool SyncScheduler::is_unfillable(GapId gap) const {
  const auto found = works_.find(gap);
  return found != works_.end() && found->second.unfillable;
}

// ---- answers ----

void SyncScheduler::on_answer(RequestId id, Answer answer, Now now) {
  const auto found = in_flight_.find(id);
  if (found == in_flight_.end()) return trace(SyncTraceKind::late_answer, std::nullopt, std::nullopt);
  const InFlight request = end_request(found);
  trace(SyncTraceKind::answer, request.gap, request.number, request.peer, std::string(to_string(answer.kind)));
  // The driver has checked it (judge_answer); one that has not must not lead to a wrong delivery.
  const bool usable = answer.kind == AnswerKind::block && answer.block.number() == request.number;
  if (!usable) ++record_.failed;

  switch (answer.kind) {
    case AnswerKind::block:
      peers_.on_served(request.peer);
      if (usable) {
        accept_block(request, std::move(answer), now);
      } else {
        mark_asked(request.gap, request.number, request.peer);
      }
      break;
    case AnswerKind::not_found:
    case AnswerKind::invalid_request:
      peers_.on_served(request.peer);
      mark_asked(request.gap, request.number, request.peer);
      say_paused(request.peer, peers_.on_empty_handed(request.peer, now.mono),
                 "has not had the blocks it was asked for");
      break;
    case AnswerKind::throttled:
      peers_.on_served(request.peer);
      say_paused(request.peer, peers_.on_busy(request.peer, now.mono), "is busy");
      break;
    case AnswerKind::failed:
      mark_asked(request.gap, request.number, request.peer);
      report(request.peer, PeerMerit::error_response);
      say_paused(request.peer, peers_.on_failure(request.peer, now.mono), answer.detail);
      remove_if_unidentified(request.peer, now);
      break;
    case AnswerKind::unsupported: on_peer_removed(request.peer, now); break;
    case AnswerKind::malformed:
      fault(request, SyncFaultKind::malformed, std::move(answer.detail), now);
      remove_if_unidentified(request.peer, now);
      break;
    case AnswerKind::wrong_number: fault(request, SyncFaultKind::wrong_number, std::move(answer.detail), now); break;
    case AnswerKind::altered: fault(request, SyncFaultKind::altered, std::move(answer.detail), now); break;
    case AnswerKind::bad_hash: fault(request, SyncFaultKind::bad_hash, std::move(answer.detail), now); break;
  }
  proceed(now);
}

}  // namespace opstack::sync
