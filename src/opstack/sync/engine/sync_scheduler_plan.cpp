// What the scheduler does next: which gap's turn it is, and whom it asks for which number.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"

namespace opstack::sync {

using libp2p::Millis;
using libp2p::Seconds;

namespace {

constexpr std::size_t kOthersPart = 4;  // the part of rate and requests that is for gaps behind the most urgent one
const std::vector<PeerId> kNobody;

}  // namespace

void SyncScheduler::on_timeout(Now now) {
  std::vector<RequestId> late;
  for (const auto& [id, request] : in_flight_)
    if (request.deadline <= now.mono) late.push_back(id);
  for (const RequestId id : late) {
    if (!in_flight_.contains(id)) continue;  // its peer went with an earlier one
    const InFlight request = end_request(in_flight_.find(id));
    ++record_.failed;
    CancelRequest cancel;
    cancel.id = id;
    cancel.peer = request.peer;
    actions_.emplace_back(std::move(cancel));
    report(request.peer, PeerMerit::error_response);
    trace(SyncTraceKind::answer, request.gap, request.number, request.peer, "none before the deadline");
    say_paused(request.peer, peers_.on_failure(request.peer, now.mono), "did not answer in time");
    mark_asked(request.gap, request.number, request.peer);
    remove_if_unidentified(request.peer, now);
  }
  proceed(now);
}

std::optional<MonoTime> SyncScheduler::next_deadline() const {
  std::optional<MonoTime> out = wake_;
  for (const auto& [id, request] : in_flight_) out = std::min(out.value_or(request.deadline), request.deadline);
  return out;
}

void SyncScheduler::proceed(Now now) {
  wake_.reset();
  // What waits for a gap may have come for another one, or before the gap moved.
  for (const GapId id : order_) link_from_quarantine(works_.at(id), now);
  schedule(now);
}

// First what the most urgent gap waits for; then, within their share, what the others wait for, in turns; then all that
// is wanted in the order of urgency.
void SyncScheduler::schedule(Now now) {
  if (order_.empty() || writing_bytes_ >= config_.max_bytes / 2) return;  // on_written goes on
  (void)schedule_due(works_.at(order_.front()), now);
  std::vector<Work*> others;
  for (std::size_t i = 1; i < order_.size(); ++i) others.push_back(&works_.at(order_[i]));
  std::stable_sort(others.begin(), others.end(), [](const Work* a, const Work* b) { return a->turn < b->turn; });
  for (Work* work : others) {
    if (!others_have_share(now)) break;
    if (!schedule_due(*work, now)) continue;
    const bool taken = others_.try_take(1, now.mono);
    OPP2P_ASSERT(taken, "a gap is served before its turn when the share allows it", work->gap.id);
    work->turn = ++turns_;
  }
  for (const GapId id : order_) {
    Work& work = works_.at(id);
    (void)schedule_due(work, now);
    schedule_below(work, now);
  }
}

bool SyncScheduler::others_have_share(Now now) {
  const auto theirs = std::count_if(in_flight_.begin(), in_flight_.end(),
                                    [&](const auto& entry) { return entry.second.gap != order_.front(); });
  return static_cast<std::size_t>(theirs) < std::max<std::size_t>(1, config_.max_in_flight / kOthersPart) &&
         others_.time_until(1, now.mono) <= Nanos(0);
}

// Whether the block that is due may be asked for.
bool SyncScheduler::may_ask_due(const Work& work, Now now) {
  if (work.lowest == 0 || work.unfillable) return false;
  if (!work.floor_at || now.mono >= *work.floor_at + config_.below_floor_after) return true;
  wake_at(*work.floor_at + config_.below_floor_after);
  return false;
}

// Whether a request went out.
bool SyncScheduler::schedule_due(Work& work, Now now) {
  if (!may_ask_due(work, now)) return false;
  if (asked_.contains({work.gap.id, work.due()})) return schedule_second(work, now);
  const bool sent = ask(work, work.due(), now) == Tried::sent;
  if (sent) (void)schedule_second(work, now);
  return sent;
}

void SyncScheduler::schedule_below(Work& work, Now now) {
  if (!may_ask_due(work, now)) return;
  const auto due = work.heights.find(work.due());
  if (due != work.heights.end() && due->second.rounds > 0) return;  // nobody had it: what is below it does not help
  const std::uint64_t lowest_asked = bottom(work);
  for (std::uint64_t number = work.due(); number-- > lowest_asked;) {
    if (asked_.contains({work.gap.id, number}) || quarantine_.contains(work.gap.id, number)) continue;
    if (work.heights.size() >= kTroubled && !work.heights.contains(number)) return;
    if (ask(work, number, now) == Tried::stop) return;
  }
}

// The gap waits for a block that was asked for: when that takes long, one more peer is asked for it.
bool SyncScheduler::schedule_second(Work& work, Now now) {
  const GapNumber due{work.gap.id, work.due()};
  if (asked_.count(due) > 1 || in_flight_.size() >= config_.max_in_flight) return false;
  const InFlight& first = in_flight_.at(asked_.find(due)->second);
  if (now.mono < first.second_at) {
    wake_at(first.second_at);
    return false;
  }
  if (wait_for_global_rate(now)) return false;
  const PeerId holder = first.peer;
  const auto height = work.heights.find(due.second);
  const auto& asked = height == work.heights.end() ? kNobody : height->second.asked;
  const SyncPeers::Need need{asked, work.passed_over, true, &holder, is_first(work)};
  const auto choice = peers_.choose(need, now.mono);
  if (choice.peer && make_room_for_due()) {
    send(work, due.second, *choice.peer, now);
    return true;
  }
  if (choice.retry) wake_at(std::max(*choice.retry, now.mono + Millis(1)));
  return false;
}

SyncScheduler::Tried SyncScheduler::ask(Work& work, std::uint64_t number, Now now) {
  const bool due = number == work.due();
  // Others leave room for what a gap waits for.
  const std::size_t reserved = due ? 0 : waiting_dues();
  if (in_flight_.size() + std::min(reserved, config_.max_in_flight / kOthersPart) >= config_.max_in_flight)
    return Tried::stop;
  if (!due && !has_room(reserved > 0 ? 2 : 1)) return Tried::stop;
  const bool paused = is_paused(work, number, now);
  if (paused && !due) return Tried::nobody;
  if (wait_for_global_rate(now)) return Tried::stop;
  const auto height = work.heights.find(number);
  const auto& asked = height == work.heights.end() ? kNobody : height->second.asked;
  const auto choice = peers_.choose({asked, work.passed_over, due, nullptr, is_first(work)}, now.mono);
  if (choice.peer) {
    if (due && !make_room_for_due()) return Tried::stop;
    send(work, number, *choice.peer, now);
    return Tried::sent;
  }
  if (choice.retry) wake_at(std::max(*choice.retry, now.mono + Millis(1)));
  if (paused) return Tried::nobody;  // and nobody has come since
  if (choice.all_asked && !peers_.empty()) {
    pause(work, number, now);
    return Tried::nobody;
  }
  if (choice.any_free) return Tried::nobody;
  if (!said_no_free_peer_) trace(SyncTraceKind::no_free_peer, work.gap.id, number);
  said_no_free_peer_ = true;
  return Tried::stop;
}

// Everybody was asked in vain. When the pause ends, everybody may be asked again: who sent another branch only where
// that goes for all, or after several rounds.
bool SyncScheduler::is_paused(Work& work, std::uint64_t number, Now now) {
  const auto found = work.heights.find(number);
  if (found == work.heights.end() || !found->second.paused_until) return false;
  Height& height = found->second;
  if (now.mono < *height.paused_until) {
    wake_at(*height.paused_until);
    return true;
  }
  height.paused_until.reset();
  height.asked.clear();
  if (number == work.due() && (height.rounds >= kForgivingRounds || work.passed_over.size() >= peers_.size()))
    work.passed_over.clear();
  return false;
}

void SyncScheduler::pause(Work& work, std::uint64_t number, Now now) {
  Height* const found = height_of(work, number);
  if (found == nullptr) return;
  Height& height = *found;
  Nanos length = std::min<Nanos>(Millis(500) * (1 << std::min(height.rounds, 5)), Seconds(16));
  length += Millis(static_cast<std::int64_t>(rng_.below(100)));
  height.rounds = std::min(height.rounds + 1, 16);
  height.paused_until = now.mono + length;
  wake_at(*height.paused_until);
  trace(SyncTraceKind::no_peer_has_block, work.gap.id, number);
}

bool SyncScheduler::wait_for_global_rate(Now now) {
  const Nanos wait = global_.time_until(1, now.mono);
  if (wait > Nanos(0)) wake_at(now.mono + std::max<Nanos>(wait, Millis(1)));
  return wait > Nanos(0);
}

// Gaps that wait for a block that nobody is asked for now.
std::size_t SyncScheduler::waiting_dues() const {
  std::size_t out = 0;
  for (const auto& [id, work] : works_)
    if (work.lowest > 0 && !work.unfillable && !asked_.contains({id, work.due()})) ++out;
  return out;
}

bool SyncScheduler::has_room(std::size_t more) const {
  const std::size_t expected = (in_flight_.size() + more) * typical_bytes_;
  return memory_bytes() + expected <= config_.max_bytes &&
         quarantine_.size() + in_flight_.size() + more <= config_.max_quarantined;
}

// What waits in the quarantine makes room, so that a full one stops no gap. Where the store is behind, it frees room
// itself.
bool SyncScheduler::make_room_for_due() {
  while (!has_room(1)) {
    if (writing_bytes_ > 0) return false;  // on_written goes on
    const auto dropped = quarantine_.drop_one(order_);
    if (!dropped) return true;
    trace(SyncTraceKind::quarantine_overflow, dropped->gap, dropped->number);
  }
  return true;
}

void SyncScheduler::send(Work& work, std::uint64_t number, const PeerId& peer, Now now) {
  OPP2P_ASSERT(in_flight_.size() < config_.max_in_flight && asked_.count({work.gap.id, number}) < 2,
               "requests are bounded, and a block of a gap is asked of two peers at most", in_flight_, number);
  OPP2P_ASSERT(wants(work, number), "only what is missing is asked for", number, work.lowest);
  OPP2P_ASSERT(peers_.contains(peer), "only a peer that is there is asked", peer);
  const bool taken = global_.try_take(1, now.mono);
  OPP2P_ASSERT(taken, "a request goes out when the common rate allows it", number);
  const bool proven = peers_.is_proven(peer);
  said_no_free_peer_ = false;
  InFlight request;
  request.peer = peer;
  request.number = number;
  request.gap = work.gap.id;
  request.deadline = peers_.on_request(peer, now.mono, is_first(work));
  request.second_at = now.mono + (proven ? config_.second_after : config_.second_after_trial);
  const RequestId id = next_id_++;
  in_flight_.emplace(id, std::move(request));
  asked_.emplace(GapNumber{work.gap.id, number}, id);
  trace(SyncTraceKind::request_sent, work.gap.id, number, peer);
  RequestBlock out;
  out.id = id;
  out.peer = peer;
  out.number = number;
  actions_.emplace_back(std::move(out));
}

}  // namespace opstack::sync
