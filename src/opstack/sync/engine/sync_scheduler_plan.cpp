// What the scheduler does next: whom it asks for which number, and how a linked range is delivered.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"

namespace opstack::sync {

using libp2p::Millis;
using libp2p::Seconds;
using libp2p::to_hex0x;

void SyncScheduler::on_timeout(Now now) {
  std::vector<RequestId> late;
  for (const auto& [id, request] : in_flight_)
    if (request.deadline <= now.mono) late.push_back(id);
  for (const RequestId id : late) {
    if (!in_flight_.contains(id)) continue;  // its peer went with an earlier one
    const InFlight request = end_request(in_flight_.find(id));
    CancelRequest cancel;
    cancel.id = id;
    cancel.peer = request.peer;
    actions_.emplace_back(std::move(cancel));
    PeerReport report;
    report.peer = request.peer;
    report.merit = PeerMerit::error_response;
    actions_.emplace_back(std::move(report));
    trace(SyncTraceKind::answer, request.number, request.peer, "none before the deadline");
    say_paused(request.peer, peers_.on_failure(request.peer, now.mono), "did not answer in time");
    mark_asked(request.number, request.peer);
    remove_if_unidentified(request.peer, now);
  }
  proceed(now);
}

std::optional<MonoTime> SyncScheduler::next_deadline() const {
  std::optional<MonoTime> out = wake_;
  for (const auto& [id, request] : in_flight_) out = std::min(out.value_or(request.deadline), request.deadline);
  return out;
}

std::optional<SyncScheduler::Progress> SyncScheduler::progress() const {
  if (!active_) return std::nullopt;
  const auto found = segments_.find(*active_);
  if (found == segments_.end()) return std::nullopt;
  Progress out;
  out.start = head_.number;
  out.end = found->second.end.number;
  out.lowest = found->second.lowest;
  out.delivering = found->second.delivering;
  return out;
}

void SyncScheduler::proceed(Now now) {
  wake_.reset();
  Segment* segment = active();
  if (segment == nullptr) return;
  // What waits right below may have come for another range, so that no answer of this one will look at it.
  if (!segment->delivering) promote_from_quarantine(*segment, now);
  if (!segment->delivering && check_linked(*segment, now)) return;
  if (segment->delivering) {
    deliver(*segment, now);
  } else {
    schedule(*segment, now);
  }
}

// ---- asking ----

bool SyncScheduler::has_room(std::size_t more) const {
  const std::size_t expected = (in_flight_.size() + more) * typical_bytes_;
  return memory_bytes() + expected <= config_.max_bytes &&
         quarantine_.size() + in_flight_.size() + more <= config_.max_quarantined;
}

void SyncScheduler::schedule(Segment& segment, Now now) {
  const std::uint64_t window = segment.lowest > config_.window ? segment.lowest - config_.window : 0;
  const std::uint64_t bottom = std::max(head_.number + 1, window);
  for (std::uint64_t number = segment.lowest; number-- > bottom;) {
    if (asked_numbers_.contains(number)) {
      if (number + 1 == segment.lowest) schedule_second(segment, number, now);
      continue;
    }
    if (quarantine_.at(number) != nullptr) continue;
    if (!schedule_number(segment, number, now)) return;
  }
}

// False when it makes no sense to look at the numbers below.
bool SyncScheduler::schedule_number(Segment& segment, std::uint64_t number, Now now) {
  if (in_flight_.size() >= config_.max_in_flight) return false;
  if (staging_bytes_ >= config_.max_bytes / 2) return false;  // the disk is behind; on_staged goes on
  // The block that is due next needs no room, so that a full quarantine can never stop us; one at a time, because what
  // the disk has not taken yet is held beside a quarantine that stays full.
  const bool due_next = number + 1 == segment.lowest;
  if (!(due_next && staging_bytes_ == 0) && !has_room(1)) return false;
  const auto height = heights_.find(number);
  if (height != heights_.end() && now.mono < height->second.not_before) {
    wake_at(height->second.not_before);
    return true;
  }
  if (wait_for_global_rate(now)) return false;
  const std::vector<PeerId> nobody;
  const SyncPeers::Need need{height == heights_.end() ? nobody : height->second.asked, due_next};
  const auto choice = peers_.choose(need, now.mono);
  if (choice.peer) {
    send(segment, number, *choice.peer, now);
    if (due_next) schedule_second(segment, number, now);
    return true;
  }
  if (choice.all_asked && !peers_.empty()) {
    Height& state = heights_[number];
    Nanos pause = std::min<Nanos>(Millis(500) * (1 << std::min(state.rounds, 5)), Seconds(16));
    pause += Millis(static_cast<std::int64_t>(rng_.below(100)));
    ++state.rounds;
    state.asked.clear();
    state.not_before = now.mono + pause;
    wake_at(state.not_before);
    trace(SyncTraceKind::no_peer_has_block, number);
    return true;
  }
  if (choice.retry) wake_at(std::max(*choice.retry, now.mono + Millis(1)));
  if (choice.any_free) return true;
  if (!said_no_free_peer_) trace(SyncTraceKind::no_free_peer, number);
  said_no_free_peer_ = true;
  return false;
}

bool SyncScheduler::wait_for_global_rate(Now now) {
  const Nanos wait = global_.time_until(1, now.mono);
  if (wait > Nanos(0)) wake_at(now.mono + std::max<Nanos>(wait, Millis(1)));
  return wait > Nanos(0);
}

// The chain waits for a block that was asked for: when that takes long, one more peer is asked for it.
void SyncScheduler::schedule_second(Segment& segment, std::uint64_t number, Now now) {
  if (asked_numbers_.count(number) > 1 || in_flight_.size() >= config_.max_in_flight || staging_bytes_ > 0) return;
  const InFlight& first = in_flight_.at(asked_numbers_.find(number)->second);
  if (now.mono < first.second_at) return wake_at(first.second_at);
  if (wait_for_global_rate(now)) return;
  const PeerId holder = first.peer;
  const auto height = heights_.find(number);
  const std::vector<PeerId> nobody;
  const SyncPeers::Need need{height == heights_.end() ? nobody : height->second.asked, true, &holder};
  const auto choice = peers_.choose(need, now.mono);
  if (choice.peer) return send(segment, number, *choice.peer, now);
  if (choice.retry) wake_at(std::max(*choice.retry, now.mono + Millis(1)));
}

void SyncScheduler::send(Segment& segment, std::uint64_t number, const PeerId& peer, Now now) {
  OPP2P_ASSERT(in_flight_.size() < config_.max_in_flight && asked_numbers_.count(number) < 2,
               "requests are bounded, and a block is asked of two peers at most", in_flight_, number);
  OPP2P_ASSERT(!segment.delivering && number > head_.number && number < segment.lowest,
               "only what is missing between head and trusted block is asked for", number, head_.number,
               segment.lowest);
  OPP2P_ASSERT(peers_.contains(peer), "only a peer that is there is asked", peer);
  const bool taken = global_.try_take(1, now.mono);
  OPP2P_ASSERT(taken, "a request goes out when the common rate allows it", number);
  const bool proven = peers_.is_proven(peer);
  said_no_free_peer_ = false;
  InFlight request;
  request.peer = peer;
  request.number = number;
  request.segment = segment.id;
  request.deadline = peers_.on_request(peer, now.mono);
  request.second_at = now.mono + (proven ? config_.second_after : config_.second_after_trial);
  const RequestId id = next_id_++;
  in_flight_.emplace(id, std::move(request));
  asked_numbers_.emplace(number, id);
  trace(SyncTraceKind::request_sent, number, peer);
  RequestBlock out;
  out.id = id;
  out.peer = peer;
  out.number = number;
  actions_.emplace_back(std::move(out));
}

// ---- delivering ----

bool SyncScheduler::check_linked(Segment& segment, Now now) {
  if (segment.lowest > head_.number + 1) return false;
  if (segment.lowest == head_.number + 1 && segment.expected != head_.hash) {
    abandon(segment.id, SyncTraceKind::range_diverged,
            "the chain of the trusted block " + std::to_string(segment.end.number) + " holds " +
                to_hex0x(segment.expected) + " at " + std::to_string(head_.number) + ", our head there is " +
                to_hex0x(head_.hash),
            now);
    return true;
  }
  if (segment.staging > 0) return false;  // on_staged comes back here
  OPP2P_ASSERT(!segment.delivering && !segment.reading, "a range is linked once", segment.id);
  cancel_requests_of(segment.id);
  segment.delivering = true;
  segment.first_read = segment.next_read = head_.number + 1;
  segment.seen_head = head_.number;
  segment.stalled_at = now.mono + config_.delivery_deadline;
  return false;
}

void SyncScheduler::deliver(Segment& segment, Now now) {
  if (head_.number != segment.seen_head) {
    segment.seen_head = head_.number;
    segment.stalled_at = now.mono + config_.delivery_deadline;
  } else if (now.mono >= segment.stalled_at) {
    abandon(segment.id, SyncTraceKind::range_abandoned,
            "delivery stalled: the head stays at block " + std::to_string(head_.number), now);
    return;
  }
  wake_at(segment.stalled_at);
  segment.next_read = std::max(segment.next_read, head_.number + 1);
  // What was delivered must become the head before more is read: the store sets the pace.
  const std::uint64_t ahead = segment.next_read - (head_.number + 1);
  if (segment.reading || segment.next_read >= segment.end.number || ahead > config_.read_blocks / 2) return;
  ReadStaged read;
  read.id = next_id_++;
  read.segment = segment.id;
  read.from = segment.next_read;
  read.max_blocks = config_.read_blocks;
  read.max_bytes = config_.read_bytes;
  OPP2P_ASSERT(read.from > head_.number && read.from < segment.end.number, "what is read back lies in the range",
               read.from, head_.number, segment.end.number);
  segment.reading = read.id;
  actions_.emplace_back(read);
}

}  // namespace opstack::sync
