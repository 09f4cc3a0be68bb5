// The invariants of the scheduler, for simulations, fuzzers and tests: the tables of gaps, requests and blocks are held
// against each other.
#include <algorithm>
#include <set>
#include <tuple>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"

namespace opstack::sync {

namespace {

bool is_listed_once(const std::vector<PeerId>& peers) {
  return std::is_sorted(peers.begin(), peers.end()) && std::adjacent_find(peers.begin(), peers.end()) == peers.end();
}

}  // namespace

void SyncScheduler::check() const {
  peers_.check();
  quarantine_.check();
  global_.check();
  others_.check();
  wrong_.check();
  told_broken_.check();
  check_requests();
  check_gaps();
  check_quarantine();
  OPP2P_CHECK(typical_bytes_ > 0, "a block takes memory", typical_bytes_);
}

void SyncScheduler::check_requests() const {
  OPP2P_CHECK(in_flight_.size() <= config_.max_in_flight, "requests are bounded", in_flight_);
  OPP2P_CHECK(asked_.size() == in_flight_.size(), "each request stands under its number once", asked_, in_flight_);
  OPP2P_CHECK(peers_.in_flight() == in_flight_.size(), "each request is one of a peer", peers_.in_flight(), in_flight_);
  for (const auto& [gap_number, id] : asked_) {
    const auto request = in_flight_.find(id);
    OPP2P_CHECK(request != in_flight_.end() && request->second.gap == gap_number.first &&
                    request->second.number == gap_number.second,
                "each request stands under its number once", gap_number.first, gap_number.second, id);
    OPP2P_CHECK(asked_.count(gap_number) <= 2, "a block of a gap is asked of two peers at most", gap_number.second);
  }
  std::set<std::tuple<GapId, std::uint64_t, PeerId>> asked;
  for (const auto& [id, request] : in_flight_) {
    OPP2P_CHECK(id < next_id_, "ids of requests grow and are never used again", id, next_id_);
    OPP2P_CHECK(peers_.contains(request.peer), "a peer that goes takes its requests along", id, request.peer);
    OPP2P_CHECK(asked.emplace(request.gap, request.number, request.peer).second,
                "a peer is asked for a block once at a time", id, request.number);
    const auto work = works_.find(request.gap);
    OPP2P_CHECK(work != works_.end() && !work->second.unfillable, "a gap that goes takes its requests along", id,
                request.gap);
    const auto& passed_over = work->second.passed_over;
    OPP2P_CHECK(!std::binary_search(passed_over.begin(), passed_over.end(), request.peer),
                "who is passed over is asked for nothing", id, request.peer);
  }
}

void SyncScheduler::check_gaps() const {
  OPP2P_CHECK(order_.size() == works_.size() && order_.size() <= config_.max_gaps, "gaps are bounded", order_, works_);
  for (const GapId id : order_) OPP2P_CHECK(works_.contains(id), "each gap is listed once", id);
  for (const auto& [id, work] : works_) {
    OPP2P_CHECK(work.gap.id == id && work.turn <= turns_, "each gap stands under its id", id, work.turn);
    OPP2P_CHECK(work.lowest <= work.gap.child.number, "a gap is filled downwards from its child", id, work.lowest);
    OPP2P_CHECK(
        !work.linked.empty() || (work.lowest == work.gap.child.number && work.expected == work.gap.child.parent_hash),
        "a gap begins with the parent of its child", id, work.lowest);
    OPP2P_CHECK(work.linked.size() <= kRemembered, "what is remembered of a gap is bounded", id, work.linked);
    OPP2P_CHECK(work.unfillable == wrong_.contains(work.expected) || wrong_.size() == wrong_.capacity(),
                "a gap waits for no block that has a wrong time", id);
    OPP2P_CHECK(work.heights.size() <= kTroubled, "numbers that could not be had are bounded", id, work.heights);
    OPP2P_CHECK(is_listed_once(work.passed_over), "who is passed over is listed in order, once", id, work.passed_over);
    for (const auto& peer : work.passed_over)
      OPP2P_CHECK(peers_.contains(peer), "a peer that goes is passed over no more", id, peer);
    for (const auto& [number, height] : work.heights) {
      OPP2P_CHECK(number < work.lowest, "what is linked is in no trouble", id, number, work.lowest);
      OPP2P_CHECK(is_listed_once(height.asked), "who was asked is listed in order, once", number, height.asked);
      for (const auto& peer : height.asked)
        OPP2P_CHECK(peers_.contains(peer), "a peer that goes was asked for nothing", number, peer);
    }
  }
}

void SyncScheduler::check_quarantine() const {
  for (const auto& [key, entry] : quarantine_.blocks()) {
    const auto found = works_.find(key.gap);
    OPP2P_CHECK(found != works_.end() && !found->second.unfillable, "a gap that goes takes its blocks along", key.gap);
    const Work& work = found->second;
    OPP2P_CHECK(wants(work, key.number) && key.number != work.due(), "what waits is wanted, and not yet due", key.gap,
                key.number, work.lowest);
    OPP2P_CHECK(!std::binary_search(work.passed_over.begin(), work.passed_over.end(), entry.peer),
                "nothing waits from who is passed over", key.gap, key.number, entry.peer);
  }
}

}  // namespace opstack::sync
