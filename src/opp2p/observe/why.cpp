#include "opp2p/observe/why.hpp"

#include <algorithm>
#include <cstdio>

namespace opp2p {

using libp2p::Nanos;
using libp2p::Seconds;
using libp2p::UnixTime;
using opstack::rules::Verdict;

namespace {

std::string rounded_text(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.4g", value);
  return out;
}

// "1,024", for numbers below a million.
std::string grouped(std::uint64_t number) {
  auto out = std::to_string(number);
  if (out.size() > 3) out.insert(out.size() - 3, ",");
  return out;
}

std::string blocks_text(const PeerTally& tally) {
  const auto brought = tally.accepted + tally.fetched;
  if (brought == 0 && tally.rejected == 0) return "it brought no block";
  std::string out = "it brought " + count_text(brought, "block", "blocks");
  if (tally.rejected > 0) out += ", and " + std::to_string(tally.rejected) + " that were rejected";
  return out;
}

std::string ban_text(const PeerFacts& facts, UnixTime now) {
  const auto& ban = *facts.ban;
  std::string out = "is banned until " + time_text(ban.until) + " (" + rough_duration(ban.until - now) +
                    " left): " + (ban.text.empty() ? std::string(ban_rule_id(ban.rule)) : ban.text);
  if (!ban.evidence.empty()) out += "; its last fault: " + ban.evidence.back().text;
  return out;
}

std::string low_text(const PeerFacts& facts) {
  const double score = *facts.score;
  const auto& at = facts.thresholds;
  std::string out = "is connected, but its score is " + rounded_text(score) + ", ";
  if (score < at.graylist)
    out += "below the graylist threshold (" + rounded_text(at.graylist) + "): nothing is taken from it";
  else if (score < at.publish)
    out += "below the publish threshold (" + rounded_text(at.publish) + "): own blocks are not sent to it";
  else if (score < at.gossip)
    out += "below the gossip threshold (" + rounded_text(at.gossip) + "): no gossip is exchanged with it";
  else
    out += "below zero: it is kept out of the mesh";
  if (!facts.faults.empty()) out += "; its last fault: " + facts.faults.back().text;
  return out;
}

std::string gone_text(const PeerFacts& facts, UnixTime now) {
  const auto& about = *facts.timeline;
  if (about.tally.connections == 0) {
    const auto& last = about.events.empty() ? std::string("it was never connected") : about.events.back().text;
    return "was never connected since this node started: " + last;
  }
  // Not its last event, which may be a ban or a dial that failed.
  const auto ended = about.ended.value_or(about.last_seen);
  std::string out = "has not been connected since " + time_text(ended) + " (" + rough_duration(now - ended) + " ago)";
  if (about.end) out += ": " + *about.end;
  return out + "; " + blocks_text(about.tally);
}

std::string peer_state(const PeerFacts& facts, UnixTime now) {
  if (facts.is_self) return "is this node itself";
  if (facts.ban) return ban_text(facts, now) + (facts.blocked ? "; it is also blocked by the operator" : "");
  if (facts.blocked) return "is blocked by the operator";
  if (!facts.connected && facts.kept_out) return "is kept out: " + *facts.kept_out;
  if (facts.connected && facts.score && *facts.score < 0) return low_text(facts);
  if (facts.connected) {
    std::string out = "is connected";
    if (facts.timeline)
      out += ", first seen " + time_text(facts.timeline->first_seen) + "; " + blocks_text(facts.timeline->tally);
    if (!facts.faults.empty()) return out + "; its last fault: " + facts.faults.back().text;
    return out + (facts.score ? "; it has no faults, and its score is not below zero" : "; it has no faults");
  }
  if (facts.timeline) return gone_text(facts, now);
  return "is not known: this node has had nothing to do with it since it started, or has forgotten it";
}

// --- blocks ---

std::string short_hash(const opstack::payload::Hash& hash) {
  const auto text = libp2p::to_hex0x(hash);
  return text.substr(0, 10) + "…" + text.substr(text.size() - 4);
}

std::string lateness(const BlockRecord& record) {
  const auto ms = record.late / libp2p::Millis(1);
  if (ms < 0) return rough_duration(-record.late) + " before its timestamp";
  return (ms < 10'000 ? std::to_string(ms) + " ms" : rough_duration(record.late)) + " after its timestamp";
}

std::string source_text(const BlockRecord& record) {
  switch (record.source) {
    case BlockRecord::Source::own: return "this node published it";
    case BlockRecord::Source::fetched: return "this node asked for it, and " + record.from.to_base58() + " gave it";
    case BlockRecord::Source::unknown: return "the operator posted it";
    case BlockRecord::Source::gossip: break;
  }
  return record.from.to_base58() + " brought it first, " + lateness(record);
}

std::string fate_text(const BlockRecord& record) {
  if (!record.store_error.empty()) return "the store did not keep it: " + record.store_error;
  if (!record.stored) return "it is not stored yet";
  if (record.canonical) return "it is stored and canonical";
  return "it is stored and not canonical" +
         (record.orphan_reason.empty() ? std::string(": its branch has not won") : " (" + record.orphan_reason + ")");
}

std::string verdict_text(const BlockRecord& record, std::uint64_t block_time) {
  std::string out = "block " + std::to_string(record.number) + " (" + short_hash(record.hash) + ") ";
  if (record.verdict && *record.verdict != Verdict::accept) {
    out += *record.verdict == Verdict::reject ? "was rejected: " : "was ignored: ";
    out += to_string(record.reason);
    if (!record.detail.empty()) out += " (" + record.detail + ")";
    return out + "; " + source_text(record);
  }
  const bool is_late = record.source == BlockRecord::Source::gossip &&
                       record.late > Seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(block_time, 3600)));
  out += record.verdict ? is_late ? "was accepted, but it came late: " : "was accepted: " : "is known: ";
  out += source_text(record) + "; " + fate_text(record);
  if (record.copies > 0) out += "; " + count_text(record.copies, "copy", "copies") + " came after it";
  return out;
}

std::string height_text(const BlockFacts& facts) {
  const auto number = std::to_string(*facts.number);
  if (!facts.height.empty()) {
    std::string out = "at height " + number + " it knows ";
    for (std::size_t i = 0; i < std::min<std::size_t>(facts.height.size(), 3); ++i)
      out += (i == 0 ? "" : ", ") + short_hash(facts.height[i].hash) +
             (facts.height[i].verdict.value_or(Verdict::accept) == Verdict::accept ? " (accepted)" : " (refused)");
    return out;
  }
  return "its head is " + std::to_string(facts.head);
}

// Of a block that is asked for by its number, and of which there is no record.
std::string no_record(const BlockFacts& facts) {
  const auto number = std::to_string(*facts.number);
  if (*facts.number > facts.head)
    return "this node has no record of block " + number + ": it is above its head, " + std::to_string(facts.head);
  return "this node has no record of block " + number + ". It keeps the last " +
         grouped(BlockHistoryLimits().accepted) + " accepted blocks since its start. Its head is " +
         std::to_string(facts.head);
}

std::string unknown_block(const BlockFacts& facts) {
  std::string out = "this node ";
  if (facts.stored) {
    out += facts.canonical ? "has the block in its store, canonical" : "has the block in its store, not canonical";
    if (!facts.orphan_reason.empty()) out += " (" + facts.orphan_reason + ")";
    return out + "; how it came is not recorded any more";
  }
  if (facts.hash) {
    out += "knows nothing of block " + libp2p::to_hex0x(*facts.hash);
    if (facts.number) out += "; " + height_text(facts);
  } else {
    out = no_record(facts);
  }
  if (facts.crowded > 0) out += "; " + std::to_string(facts.crowded) + " further blocks of that height were refused";
  return out;
}

}  // namespace

std::string why_peer(const PeerFacts& facts, UnixTime now) {
  std::string out = facts.peer.to_base58() + " " + peer_state(facts, now);
  if (facts.is_static) out += "; it is a static peer";
  if (facts.is_protected && !facts.is_static) out += "; it is protected";
  return out + ".";
}

std::string why_block(const BlockFacts& facts) {
  std::string out;
  if (facts.records.empty()) {
    out = unknown_block(facts);
  } else {
    // The canonical one, else a good one, if there is one: refused blocks of the same name are others.
    const auto rank = [](const BlockRecord& record) {
      const bool good = record.verdict.value_or(Verdict::accept) == Verdict::accept;
      return good ? 1 + static_cast<int>(record.canonical) : 0;
    };
    const auto& told = *std::max_element(facts.records.begin(), facts.records.end(),
                                         [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    out = verdict_text(told, facts.block_time);
    if (const auto others = facts.records.size() - 1 + facts.crowded; others > 0)
      out += "; " + count_text(others, "other message", "other messages") + " named " +
             (facts.hash ? "it" : "this height");
  }
  out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out + ".";
}

std::string count_text(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string rough_duration(Nanos duration) {
  const auto seconds = std::max<std::int64_t>(0, duration / Seconds(1));
  if (seconds == 0) return std::to_string(std::max<std::int64_t>(0, duration / libp2p::Millis(1))) + " ms";
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  static constexpr Unit kUnits[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
  std::string out;
  auto left = seconds;
  int shown = 0;
  for (const auto& unit : kUnits) {
    const auto count = left / unit.seconds;
    left %= unit.seconds;
    if (count == 0) {
      if (shown > 0) break;
      continue;
    }
    out += (shown == 0 ? "" : " ") + std::to_string(count) + " " + unit.name;
    if (++shown == 2) break;
  }
  return out;
}

}  // namespace opp2p
