#include "opp2p/observe/peer_history.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/peer_text.hpp"

namespace opp2p {

using libp2p::PeerId;
using libp2p::UnixTime;
using opstack::rules::Verdict;

namespace {

constexpr std::size_t kRecordBytes = 1024;  // of a record without events, roughly
constexpr std::size_t kAgentBytes = 128;

// What a peer had a part in making is readable and short.
std::string bounded(std::string_view text, std::size_t most) { return libp2p::peer_text(text, most); }

std::string block_name(std::uint64_t number) { return "block " + std::to_string(number); }

std::string_view topic_version(std::string_view topic) {
  // "/optimism/10/3/blocks"
  const auto end = topic.rfind('/');
  if (end == std::string_view::npos || end == 0) return topic;
  const auto begin = topic.rfind('/', end - 1);
  return begin == std::string_view::npos ? topic : topic.substr(begin + 1, end - begin - 1);
}

std::string standing_text(ScoreStanding standing) {
  switch (standing) {
    case ScoreStanding::good: return "no threshold";
    case ScoreStanding::below_gossip: return "the gossip threshold";
    case ScoreStanding::below_publish: return "the publish threshold";
    case ScoreStanding::below_graylist: return "the graylist threshold, where nothing is taken from it";
  }
  return {};
}

std::string number_text(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.6g", value);
  return out;
}

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

void PeerHistory::on(const NodeEvent& event, libp2p::Now now) {
  std::visit([this, &now](const auto& kind) { tell(kind, now.wall); }, event);
}

// --- connections ---

void PeerHistory::tell(const libp2p::ConnectionOpened& event, UnixTime now) {
  const auto& connection = event.connection;
  Record& record = touch(connection.peer, now);
  ++record.about.connections;
  ++record.about.tally.connections;
  record.about.end.reset();
  record.about.ended.reset();
  const bool inbound = connection.direction == libp2p::Direction::inbound;
  add(record, PeerEventKind::connected,
      (inbound ? "connected to this node from " : "this node connected to it at ") + connection.remote.text(), now);
}

void PeerHistory::tell(const libp2p::ConnectionClosed& event, UnixTime now) {
  Record& record = touch(event.connection.peer, now);
  if (record.about.connections > 0) --record.about.connections;
  record.closing = bounded(event.why.message(), limits_.text_bytes);
  if (record.about.connections > 0)
    add(record, PeerEventKind::disconnected, "one of its connections ended: " + record.closing, now);
}

void PeerHistory::tell(const libp2p::PeerDisconnected& event, UnixTime now) {
  Record& record = touch(event.peer, now);
  record.about.connections = 0;
  record.about.end = std::exchange(record.closing, {});
  record.about.ended = now;
  add(record, PeerEventKind::disconnected, "disconnected: " + *record.about.end, now);
}

void PeerHistory::tell(const libp2p::PeerIdentified& event, UnixTime now) {
  Record& record = touch(event.peer, now);
  record.about.agent = bounded(around_.agent(event.peer), kAgentBytes);
  add(record, PeerEventKind::identified,
      "says that it is " + (record.about.agent.empty() ? "nothing" : record.about.agent) + " and speaks " +
          std::to_string(event.protocols.size()) + " protocols",
      now);
}

// Only of a peer that is known, or the dials of one with a wrong address would fill the table.
void PeerHistory::tell(const libp2p::DialFailed& event, UnixTime now) {
  if (Record* record = find(event.peer); record != nullptr || around_.is_static(event.peer))
    add(record != nullptr ? *record : touch(event.peer, now), PeerEventKind::dial_failed,
        "could not be dialled: " + event.why.message(), now);
}

void PeerHistory::tell(const ConnectedOnRequest& event, UnixTime now) {
  add(touch(event.peer, now), PeerEventKind::on_request, "the operator had this node connect to it", now);
}

void PeerHistory::tell(const DisconnectingOnRequest& event, UnixTime now) {
  add(touch(event.peer, now), PeerEventKind::on_request, "the operator had this node disconnect it", now);
}

// --- gossip ---

void PeerHistory::tell(const opstack::gossip::PeerGrafted& event, UnixTime now) {
  add(touch(event.peer, now), PeerEventKind::grafted,
      "came into the mesh of blocks of topic " + std::string(topic_version(event.topic)), now);
}

void PeerHistory::tell(const opstack::gossip::PeerPruned& event, UnixTime now) {
  std::string text = "left the mesh of blocks of topic " + std::string(topic_version(event.topic)) + ": " +
                     std::string(libp2p::gossipsub::to_string(event.cause));
  std::optional<double> score;
  if (event.cause == libp2p::gossipsub::PruneCause::score) score = event.score;
  add(touch(event.peer, now), PeerEventKind::pruned, std::move(text), now, score);
}

// The most frequent event: a look-up and a count.
void PeerHistory::tell(const opstack::gossip::CopyReceived& event, UnixTime now) {
  if (Record* record = find(event.peer)) {
    ++record->about.tally.copies;
    record->about.last_seen = now;
  }
}

void PeerHistory::tell(const BlockJudged& event, UnixTime now) {
  const auto& verdict = event.verdict;
  if (verdict.local) return;
  const auto& outcome = verdict.outcome;
  Record& record = touch(verdict.from, now);
  auto& tally = record.about.tally;
  const std::string name =
      outcome.envelope ? block_name(outcome.envelope->payload.block_number) : std::string("a message without a block");
  switch (outcome.verdict) {
    case Verdict::accept:
      record.is_useful = true;
      if (tally.accepted++ == 0) add(record, PeerEventKind::first_block, "brought " + name + ", its first", now);
      break;
    case Verdict::reject: {
      ++tally.rejected;
      // The blame for it may have been told already, by who heard of the verdict earlier.
      auto id = libp2p::to_hex(verdict.message_id.bytes());
      if (!is_blamed_for(record, id))
        add(record, PeerEventKind::refused_block, name + " was rejected: " + outcome.text(), now, std::nullopt,
            std::move(id));
      break;
    }
    case Verdict::ignore: ++tally.ignored; break;
  }
  rank(record);
}

void PeerHistory::tell(const opstack::sync::BlockStored& event, UnixTime now) {
  if (!event.fetched) return;
  Record& record = touch(event.from, now);
  record.is_useful = true;
  if (record.about.tally.fetched++ == 0 && record.about.tally.accepted == 0)
    add(record, PeerEventKind::first_block, "gave " + block_name(event.block.number()) + " when asked, its first", now);
  rank(record);
}

void PeerHistory::tell(const opstack::sync::SyncFault& event, UnixTime now) {
  Record& record = touch(event.peer, now);
  ++record.about.tally.faults;
  record.is_blamed = true;
  std::string text =
      "answered a request for " + block_name(event.number) + " with a fault: " + std::string(to_string(event.kind));
  if (!event.evidence.empty()) text += " (" + event.evidence + ")";
  add(record, PeerEventKind::blamed, std::move(text), now);
  rank(record);
}

// --- reputation ---

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

// The number comes first: the reason may be long, and is cut at its end.
void PeerHistory::tell(const opstack::reputation::PeerBlamed& event, UnixTime now) {
  Record& record = touch(event.peer, now);
  ++record.about.tally.faults;
  record.is_blamed = true;
  const auto& fault = event.fault;
  std::string text = "blamed message " + std::to_string(event.blamed_messages) + " within ten minutes: ";
  if (fault.block_number) text += block_name(*fault.block_number) + ": ";
  text += fault.text;
  forget_refusal(record, fault.message_id);
  add(record, PeerEventKind::blamed, std::move(text), now, std::nullopt, fault.message_id);
}

void PeerHistory::tell(const opstack::reputation::PeerBanned& event, UnixTime now) {
  Record& record = touch(event.peer, now);
  ++record.about.tally.bans;
  record.is_blamed = true;
  const auto seconds = (event.ban.until - event.ban.since) / libp2p::Seconds(1);
  add(record, PeerEventKind::banned, "banned for " + std::to_string(seconds) + " s: " + event.ban.text, now,
      event.ban.score);
}

void PeerHistory::tell(const opstack::reputation::PeerUnbanned& event, UnixTime now) {
  add(touch(event.peer, now), PeerEventKind::unbanned, "its ban ended: " + std::string(ban_end_id(event.end)), now);
}

// A peer that is kept out for its address can come under any name, and is told of only when it is known. One that is
// kept out for what is on record of itself cannot.
void PeerHistory::tell(const opstack::reputation::GateRefused& event, UnixTime now) {
  using opstack::reputation::GateRule;
  if (event.peer.empty()) return;
  const bool has_record = event.rule == GateRule::peer_ban || event.rule == GateRule::score;
  if (!has_record && find(event.peer) == nullptr) return;
  const bool is_dial = event.hook == libp2p::GaterHook::peer_dial || event.hook == libp2p::GaterHook::addr_dial;
  add(touch(event.peer, now), PeerEventKind::kept_out,
      std::string(is_dial ? "not dialled" : "connection refused") + " (" +
          std::string(opstack::reputation::gate_rule_id(event.rule)) + "): " + event.why.text(),
      now, event.score);
}

// --- scores ---

void PeerHistory::tell(const PeerScoreCrossed& event, UnixTime now) {
  Record& record = touch(event.score.peer, now);
  const bool fell = event.now > event.before;
  record.about.score = event.score.score;
  add(record, fell ? PeerEventKind::score_fell : PeerEventKind::score_rose,
      "its score " + std::string(fell ? "fell below " : "rose above ") +
          standing_text(fell ? event.now : event.before) + ", " + number_text(event.threshold),
      now, event.score.score);
}

void PeerHistory::on_score(const PeerId& peer, double score, UnixTime now) {
  Record* record = find(peer);
  if (record == nullptr) return;
  const double before = record->about.score.value_or(0);
  const bool is_first = !record->about.score.has_value();
  const double step = std::abs(score - before);
  if (is_first ? score == 0 : step < kScoreStep && (step == 0 || now - record->sampled < kSampleInterval)) {
    if (is_first) record->about.score = score;
    return;
  }
  record->about.score = score;
  record->sampled = now;
  add(*record, PeerEventKind::score, "its score is " + number_text(score), now, score);
}

void PeerHistory::note(const PeerId& peer, PeerEventKind kind, std::string text, UnixTime now) {
  Record& record = touch(peer, now);
  if (kind == PeerEventKind::banned) ++record.about.tally.bans;
  if (kind == PeerEventKind::blamed) ++record.about.tally.faults;
  record.is_blamed = record.is_blamed || kind == PeerEventKind::banned || kind == PeerEventKind::blamed;
  add(record, kind, std::move(text), now);
  rank(record);
}

// --- the table ---

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

void PeerHistory::add(Record& record, PeerEventKind kind, std::string text, UnixTime now, std::optional<double> score,
                      std::string message_id) {
  text = bounded(text, limits_.text_bytes);
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
