// What PeerHistory makes of each event: which peer it is about, what it counts, and the sentence.
#include "opp2p/observe/peer_history.hpp"

#include <cmath>
#include <cstdio>

#include "libp2p/base/peer_text.hpp"

namespace opp2p {

using libp2p::PeerId;
using libp2p::UnixTime;
using opstack::rules::Verdict;

namespace {

constexpr std::size_t kAgentBytes = 128;

std::string block_name(std::uint64_t number) { return "block " + std::to_string(number); }

// "blocks_v4" of "/optimism/10/3/blocks", as metrics name it.
std::string topic_name(std::string_view topic) {
  const auto end = topic.rfind('/');
  if (end == std::string_view::npos || end == 0) return std::string(topic);
  const auto digit = topic.substr(0, end).back();
  return digit >= '0' && digit <= '8' ? std::string("blocks_v") + static_cast<char>(digit + 1) : std::string(topic);
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

std::string_view prune_text(libp2p::gossipsub::PruneCause cause) {
  using libp2p::gossipsub::PruneCause;
  switch (cause) {
    case PruneCause::none: return "nobody says why";
    case PruneCause::score: return "its score is below zero";
    case PruneCause::blacklist: return "it is on the blacklist";
    case PruneCause::excess: return "the mesh had too many peers";
    case PruneCause::peer: return "the peer wanted it";
    case PruneCause::we_left: return "this node left the topic";
    case PruneCause::peer_left: return "the peer left the topic, or is gone";
    case PruneCause::version: return "its version of GossipSub has no mesh";
  }
  return {};
}

std::string number_text(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.6g", value);
  return out;
}

}  // namespace

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
  record.closing = libp2p::peer_text(event.why.message(), limits_.text_bytes);
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
  record.about.agent = libp2p::peer_text(around_.agent(event.peer), kAgentBytes);
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
  add(touch(event.peer, now), PeerEventKind::grafted, "came into the mesh of the topic " + topic_name(event.topic),
      now);
}

void PeerHistory::tell(const opstack::gossip::PeerPruned& event, UnixTime now) {
  std::string text =
      "left the mesh of the topic " + topic_name(event.topic) + ": " + std::string(prune_text(event.cause));
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

// The number comes first: the reason may be long, and is cut at its end.
void PeerHistory::tell(const opstack::reputation::PeerBlamed& event, UnixTime now) {
  Record& record = touch(event.peer, now);
  ++record.about.tally.faults;
  record.is_blamed = true;
  const auto& fault = event.fault;
  std::string text = "blamed, for message " + std::to_string(event.blamed_messages) + " within ten minutes: ";
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

}  // namespace opp2p
