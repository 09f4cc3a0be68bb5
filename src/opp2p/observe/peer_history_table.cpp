// The table of PeerHistory: a record for each peer, the order in which records go, and the bounds of events and bytes.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/peer_text.hpp"
#include "opp2p/observe/peer_history.hpp"

namespace opp2p {

using libp2p::PeerId;
using libp2p::UnixTime;

namespace {

constexpr std::size_t kRecordBytes = 1024;  // of a record without events, roughly

std::size_t cost(const PeerEvent& event) { return sizeof(PeerEvent) + event.text.size() + event.message_id.size(); }

}  // namespace

std::string_view event_id(PeerEventKind kind) {
  switch (kind) {
    case PeerEventKind::connected: return "connected";
    case PeerEventKind::identified: return "identified";
    case PeerEventKind::grafted: return "grafted";
    case PeerEventKind::pruned: return "pruned";
    case PeerEventKind::first_block: return "first_block";
    case PeerEventKind::refused_block: return "refused_block";
    case PeerEventKind::blamed: return "blamed";
    case PeerEventKind::score: return "score";
    case PeerEventKind::score_fell: return "score_fell";
    case PeerEventKind::score_rose: return "score_rose";
    case PeerEventKind::banned: return "banned";
    case PeerEventKind::unbanned: return "unbanned";
    case PeerEventKind::kept_out: return "kept_out";
    case PeerEventKind::dial_failed: return "dial_failed";
    case PeerEventKind::on_request: return "on_request";
    case PeerEventKind::disconnected: return "disconnected";
  }
  return {};
}

PeerHistory::PeerHistory(Surroundings around, PeerHistoryLimits limits) : around_(std::move(around)), limits_(limits) {
  OPP2P_ASSERT(limits_.peers > 0 && limits_.events > 1, "there is room for a peer and two events", limits_.events);
}

PeerHistory::~PeerHistory() = default;

// --- records ---

std::optional<PeerTimeline> PeerHistory::timeline(const PeerId& peer, std::size_t most) const {
  const auto at = records_.find(peer);
  if (at == records_.end()) return std::nullopt;
  const auto& known = at->second.about;
  PeerTimeline out = known;
  if (out.events.size() > most)
    out.events.erase(out.events.begin(), out.events.end() - static_cast<std::ptrdiff_t>(most));
  return out;
}

PeerHistory::Record* PeerHistory::find(const PeerId& peer) {
  const auto at = records_.find(peer);
  return at == records_.end() ? nullptr : &at->second;
}

PeerHistory::Record& PeerHistory::touch(const PeerId& peer, UnixTime now) {
  const auto [at, is_new] = records_.try_emplace(peer);
  Record& record = at->second;
  if (is_new) {
    record.about.peer = peer;
    record.about.first_seen = now;
    record.touched = next_touch_++;
    by_touch_[static_cast<std::size_t>(record.rank)].emplace(record.touched, peer);
    recount(record);
  }
  record.about.last_seen = now;
  rank(record);
  return record;
}

// Where the record stands among those that may go, touched now.
void PeerHistory::rank(Record& record) {
  by_touch_[static_cast<std::size_t>(record.rank)].erase(record.touched);
  if (record.about.connections > 0)
    record.rank = Rank::connected;
  else if (record.is_useful || around_.is_static(record.about.peer))
    record.rank = Rank::useful;
  else
    record.rank = record.is_blamed ? Rank::blamed : Rank::stranger;
  record.touched = next_touch_++;
  by_touch_[static_cast<std::size_t>(record.rank)].emplace(record.touched, record.about.peer);
}

// --- the events of a record ---

bool PeerHistory::is_blamed_for(const Record& record, std::string_view message_id) {
  const auto& events = record.about.events;
  return !message_id.empty() && std::any_of(events.begin(), events.end(), [message_id](const PeerEvent& event) {
    return event.kind == PeerEventKind::blamed && event.message_id == message_id;
  });
}

// The blame for a message takes the place of its refusal.
void PeerHistory::forget_refusal(Record& record, std::string_view message_id) {
  if (message_id.empty()) return;
  auto& events = record.about.events;
  const auto at = std::find_if(events.rbegin(), events.rend(), [message_id](const PeerEvent& event) {
    return event.kind == PeerEventKind::refused_block && event.message_id == message_id;
  });
  if (at == events.rend()) return;
  if (at->count > 1) {
    --at->count;
    at->message_id.clear();
  } else {
    events.erase(std::next(at).base());
  }
}

void PeerHistory::add(Record& record, PeerEventKind kind, std::string text, UnixTime now, std::optional<double> score,
                      std::string message_id) {
  text = libp2p::peer_text(text, limits_.text_bytes);  // a peer may have had a part in making it
  auto& events = record.about.events;
  if (!events.empty() && events.back().kind == kind && events.back().text == text) {
    ++events.back().count;
    events.back().last = now;
    events.back().score = score;
    events.back().message_id = std::move(message_id);
  } else {
    PeerEvent event;
    event.at = event.last = now;
    event.kind = kind;
    event.score = score;
    event.text = std::move(text);
    event.message_id = std::move(message_id);
    events.push_back(std::move(event));
    if (kind == PeerEventKind::score) ++record.samples;
    if (events.size() > limits_.events || record.samples > limits_.samples) drop_one(record);
  }
  recount(record);
  rank(record);
  evict(record.about.peer);
}

void PeerHistory::drop_one(Record& record) {
  auto& events = record.about.events;
  auto at = events.begin() + 1;
  if (record.samples > limits_.samples)
    at = std::find_if(events.begin(), events.end(),
                      [](const PeerEvent& event) { return event.kind == PeerEventKind::score; });
  if (at->kind == PeerEventKind::score) --record.samples;
  events.erase(at);
  ++record.about.dropped;
}

void PeerHistory::recount(Record& record) {
  std::size_t bytes = kRecordBytes;
  for (const auto& event : record.about.events) bytes += cost(event);
  bytes_ += bytes - record.bytes;
  record.bytes = bytes;
}

// --- bounds ---

void PeerHistory::evict(const PeerId& except) {
  while (records_.size() > limits_.peers || (bytes_ > limits_.bytes && records_.size() > 1)) {
    for (const auto& row : by_touch_) {
      auto oldest = row.begin();
      if (oldest != row.end() && oldest->second == except) ++oldest;
      if (oldest == row.end()) continue;
      erase(records_.find(oldest->second));
      break;
    }
  }
}

void PeerHistory::erase(Records::iterator at) {
  by_touch_[static_cast<std::size_t>(at->second.rank)].erase(at->second.touched);
  bytes_ -= at->second.bytes;
  records_.erase(at);
}

void PeerHistory::check() const {
  std::size_t bytes = 0;
  std::size_t listed = 0;
  for (const auto& row : by_touch_) listed += row.size();
  OPP2P_ASSERT(listed == records_.size(), "each peer has one place in the order", listed, records_.size());
  OPP2P_ASSERT(records_.size() <= limits_.peers, "the peers have a bound", records_.size());
  for (const auto& [peer, record] : records_) {
    const auto& events = record.about.events;
    OPP2P_ASSERT(events.size() <= limits_.events, "the events of a peer have a bound", events.size());
    const auto samples = std::count_if(events.begin(), events.end(),
                                       [](const PeerEvent& event) { return event.kind == PeerEventKind::score; });
    OPP2P_ASSERT(static_cast<std::size_t>(samples) == record.samples, "samples are counted", samples);
    const auto& row = by_touch_[static_cast<std::size_t>(record.rank)];
    const auto at = row.find(record.touched);
    OPP2P_ASSERT(at != row.end() && at->second == peer, "a peer stands where its rank says", record.touched);
    bytes += record.bytes;
  }
  OPP2P_ASSERT(bytes == bytes_, "the bytes are counted", bytes, bytes_);
}

}  // namespace opp2p
