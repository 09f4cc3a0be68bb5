#include "opp2p/rpc/http_places.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opp2p {

using libp2p::AddressBlocks;
using libp2p::MonoTime;
using libp2p::ShareFull;

HttpPlaces::HttpPlaces(HttpLimits limits)
    : limits_(limits),
      shares_({.total = limits.places, .holder = 1, .narrow = limits.per_narrow_block, .wide = limits.per_wide_block}) {
}

void HttpPlaces::seat(Id id, Seat seat, const AddressBlocks& blocks, MonoTime now) {
  OPP2P_ASSERT(seat != Seat::none && !table_.contains(id), "a connection has one place", id, seat);
  Place place;
  place.seat = seat;
  place.since = place.opened = now;
  place.blocks = blocks;
  table_.emplace(id, std::move(place));
  if (seat == Seat::full)
    shares_.take(id, blocks, 1);
  else
    ++health_;
  OPP2P_ASSERT(shares_.used() <= limits_.places && health_ <= limits_.health_places, "the places have a bound",
               shares_.used(), health_);
  OPP2P_ASSERT(table_.size() == shares_.used() + health_, "a connection has a place of one kind", table_.size());
}

void HttpPlaces::remove(Id id) {
  const auto found = table_.find(id);
  if (found == table_.end()) return;
  if (found->second.seat == Seat::full)
    shares_.give_all(id);
  else
    --health_;
  table_.erase(found);
}

HttpPlaces::Admission HttpPlaces::admit(Id id, const AddressBlocks& blocks, MonoTime now) {
  Admission out;
  const auto full = shares_.check(id, blocks, 1);
  if (full != ShareFull::none) {
    const libp2p::Bytes* block = nullptr;  // a share is made free by those who fill it
    if (full == ShareFull::narrow) block = &blocks.narrow;
    if (full == ShareFull::wide) block = &blocks.wide;
    out.evicted = evictable(block, now);
  }
  if (full == ShareFull::none || out.evicted) {
    out.seat = Seat::full;
  } else {
    if (health_ >= limits_.health_places) out.evicted = oldest_health();
    if (health_ < limits_.health_places || out.evicted) out.seat = Seat::health;
  }
  if (out.evicted) remove(*out.evicted);
  if (out.seat != Seat::none) seat(id, out.seat, blocks, now);
  return out;
}

void HttpPlaces::enter(Id id, HttpPhase phase, MonoTime now) {
  const auto found = table_.find(id);
  if (found == table_.end()) return;
  auto& place = found->second;
  if (phase == HttpPhase::idle) place.asked_before = true;
  place.phase = phase;
  place.since = now;
  place.bytes = 0;
  place.client_ended.reset();
}

void HttpPlaces::moved(Id id, std::size_t bytes) {
  if (const auto found = table_.find(id); found != table_.end()) found->second.bytes += bytes;
}

void HttpPlaces::on_client_end(Id id, MonoTime now) {
  if (const auto found = table_.find(id); found != table_.end()) found->second.client_ended = now;
}

void HttpPlaces::trust(Id id, bool trusted) {
  if (const auto found = table_.find(id); found != table_.end()) found->second.trusted = trusted;
}

void HttpPlaces::hold(Id id, std::size_t bytes) {
  if (const auto found = table_.find(id); found != table_.end()) found->second.held = bytes;
}

bool HttpPlaces::is_stalled(const Place& place, MonoTime now) const {
  if (!transfers(place) || now - place.since < limits_.patience) return false;
  const auto milliseconds = static_cast<std::size_t>((now - place.since) / libp2p::Millis(1));
  return place.bytes < limits_.slowest / 1000 * milliseconds;
}

MonoTime HttpPlaces::deadline(const Place& place) const {
  if (place.phase == HttpPhase::ending) return place.since + limits_.health;
  if (place.seat == Seat::health && !place.trusted) return place.opened + limits_.health;
  switch (place.phase) {
    case HttpPhase::idle: return place.since + (place.asked_before ? limits_.idle : limits_.first_byte);
    case HttpPhase::reading: return place.since + limits_.request;
    case HttpPhase::writing: return place.since + limits_.answer;
    case HttpPhase::working:
      if (place.client_ended) return *place.client_ended + limits_.patience;
      break;
    case HttpPhase::ending: break;
  }
  return MonoTime::max();
}

std::vector<HttpPlaces::Id> HttpPlaces::expired(MonoTime now) const {
  std::vector<Id> out;
  for (const auto& [id, place] : table_)
    if (deadline(place) <= now) out.push_back(id);
  return out;
}

// The longest idle one, else the one that makes no progress for longest; behind one block of addresses when that is
// given.
std::optional<HttpPlaces::Id> HttpPlaces::evictable(const libp2p::Bytes* block, MonoTime now) const {
  std::optional<Id> idle;
  std::optional<Id> stalled;
  const auto older = [this](Id id, const std::optional<Id>& than) {
    return !than || table_.at(id).since < table_.at(*than).since;
  };
  for (const auto& [id, place] : table_) {
    if (place.seat != Seat::full) continue;
    if (block != nullptr && place.blocks.narrow != *block && place.blocks.wide != *block) continue;
    const bool is_idle = place.phase == HttpPhase::idle || place.phase == HttpPhase::ending;
    if (is_idle && older(id, idle)) idle = id;
    if (is_stalled(place, now) && older(id, stalled)) stalled = id;
  }
  return idle ? idle : stalled;
}

// The oldest that has not asked yet.
std::optional<HttpPlaces::Id> HttpPlaces::oldest_health() const {
  std::optional<Id> out;
  for (const auto& [id, place] : table_) {
    if (place.seat != Seat::health || place.trusted || place.phase == HttpPhase::writing) continue;
    if (!out || place.opened < table_.at(*out).opened) out = id;
  }
  return out;
}

void HttpPlaces::check() const {
  std::size_t full = 0;
  for (const auto& [id, place] : table_) {
    full += place.seat == Seat::full;
    OPP2P_CHECK(place.seat != Seat::none, "a connection in the table has a place", id);
    OPP2P_CHECK(place.since >= place.opened, "a phase begins after its connection", id);
    OPP2P_CHECK(place.seat == Seat::full ? shares_.held(id) == 1 : shares_.held(id) == 0,
                "a place for probes is no share of the ordinary ones", id);
    OPP2P_CHECK(place.blocks.is_exempt() || shares_.held_by(place.blocks.narrow) <= limits_.per_narrow_block,
                "a block of addresses has its share at most", id);
  }
  OPP2P_CHECK(full == shares_.used() && full <= limits_.places, "the ordinary places are counted", full);
  OPP2P_CHECK(table_.size() - full == health_ && health_ <= limits_.health_places, "the places for probes are counted",
              health_);
}

std::optional<HttpPlaces::Id> HttpPlaces::largest_holder(MonoTime now) const {
  const auto largest = [this](auto&& fits) {
    std::optional<Id> out;
    for (const auto& [id, place] : table_)
      if (place.held > 0 && !place.trusted && fits(place) && (!out || place.held > table_.at(*out).held)) out = id;
    return out;
  };
  if (const auto stalled = largest([&](const Place& place) { return is_stalled(place, now); })) return stalled;
  return largest([&](const Place& place) { return transfers(place) && now - place.since >= 2 * limits_.patience; });
}

}  // namespace opp2p
