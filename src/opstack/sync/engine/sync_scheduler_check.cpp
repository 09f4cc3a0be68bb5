// The invariants of the scheduler, for simulations, fuzzers and tests: the tables of requests, ranges and bytes are
// held against each other.
#include <algorithm>
#include <set>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/sync_scheduler.hpp"

namespace opstack::sync {

void SyncScheduler::check() const {
  peers_.check();
  quarantine_.check();
  global_.check();
  cooling_.check();
  told_broken_.check();
  check_requests();
  check_segments();
  check_memory();
}

void SyncScheduler::check_requests() const {
  OPP2P_CHECK(in_flight_.size() <= config_.max_in_flight, "requests are bounded", in_flight_);
  OPP2P_CHECK(asked_numbers_.size() == in_flight_.size(), "each request stands under its number once", asked_numbers_,
              in_flight_);
  OPP2P_CHECK(peers_.in_flight() == in_flight_.size(), "each request is one of a peer", peers_.in_flight(), in_flight_);
  for (const auto& [number, id] : asked_numbers_) {
    const auto request = in_flight_.find(id);
    OPP2P_CHECK(request != in_flight_.end() && request->second.number == number,
                "each request stands under its number once", number, id);
    OPP2P_CHECK(asked_numbers_.count(number) <= 2, "a block is asked of two peers at most", number);
  }
  std::set<std::pair<std::uint64_t, PeerId>> asked;
  for (const auto& [id, request] : in_flight_) {
    OPP2P_CHECK(id < next_id_, "ids of requests grow and are never used again", id, next_id_);
    OPP2P_CHECK(peers_.contains(request.peer), "a peer that goes takes its requests along", id, request.peer);
    OPP2P_CHECK(asked.emplace(request.number, request.peer).second, "a peer is asked for a block once at a time", id,
                request.number);
    const auto segment = segments_.find(request.segment);
    OPP2P_CHECK(segment != segments_.end() && !segment->second.delivering, "a range that ends cancels its requests", id,
                request.segment);
  }
  for (const auto& [number, height] : heights_)
    OPP2P_CHECK(std::is_sorted(height.asked.begin(), height.asked.end()) &&
                    std::adjacent_find(height.asked.begin(), height.asked.end()) == height.asked.end(),
                "who was asked is listed in order, once", number, height.asked);
}

void SyncScheduler::check_segments() const {
  OPP2P_CHECK(segments_.size() <= std::max<std::size_t>(1, config_.max_segments), "half-filled ranges are bounded",
              segments_);
  OPP2P_CHECK(!active_ || segments_.contains(*active_), "the range that is worked at is there", active_);
  std::set<Hash> ends;
  for (const auto& [id, segment] : segments_) {
    OPP2P_CHECK(segment.id == id && id < next_id_, "ids of ranges grow and are never used again", id, next_id_);
    OPP2P_CHECK(ends.insert(segment.end.hash).second, "a range hangs on its trusted block alone", id);
    OPP2P_CHECK(segment.lowest <= segment.end.number, "a range grows downwards from its trusted block", id,
                segment.lowest, segment.end.number);
    OPP2P_CHECK(segment.lowest < segment.end.number || segment.expected == segment.end.parent_hash,
                "a range begins with the parent of its trusted block", id, segment.lowest);
    OPP2P_CHECK(segment.last_used <= uses_, "a range was used in the past", id, segment.last_used);
    OPP2P_CHECK(!segment.delivering || segment.staging == 0, "a range is delivered when all of it is on disk", id,
                segment.staging);
    OPP2P_CHECK(segment.delivering || !segment.reading, "only a range that is linked is read back", id);
    OPP2P_CHECK(segment.first_read <= segment.next_read, "reading back goes upwards", id, segment.first_read,
                segment.next_read);
    const auto staging = std::count_if(staging_sizes_.begin(), staging_sizes_.end(),
                                       [&id = id](const auto& entry) { return entry.first.first == id; });
    OPP2P_CHECK(static_cast<std::size_t>(staging) == segment.staging, "blocks that are not on disk yet are counted", id,
                staging, segment.staging);
  }
}

void SyncScheduler::check_memory() const {
  std::size_t bytes = 0;
  for (const auto& [key, size] : staging_sizes_) bytes += size;
  OPP2P_CHECK(bytes == staging_bytes_, "bytes that are not on disk yet are counted", bytes, staging_bytes_);
  OPP2P_CHECK(typical_bytes_ > 0, "a block takes memory", typical_bytes_);
}

}  // namespace opstack::sync
