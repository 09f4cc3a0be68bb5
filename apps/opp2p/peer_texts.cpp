#include "peer_texts.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "libp2p/base/peer_text.hpp"
#include "opp2p/base/json_text.hpp"
#include "opp2p/observe/why.hpp"

namespace opp2p {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostText = 4096;
constexpr std::size_t kMostId = 128;

const json::value& member(const json::value& object, std::string_view key) {
  static const json::value kNone;
  const auto* found = object.if_object();
  const auto* value = found == nullptr ? nullptr : found->if_contains(key);
  return value == nullptr ? kNone : *value;
}

// The server is not trusted: its texts go to a terminal.
std::string text_of(const json::value& value) {
  const auto* text = value.if_string();
  return text == nullptr ? std::string() : libp2p::peer_text(std::string_view(*text), kMostText);
}

double decimal_of(const json::value& value) {
  boost::system::error_code error;
  const auto out = value.is_number() ? value.to_number<double>(error) : 0;
  return error ? 0 : out;
}

std::int64_t whole_of(const json::value& value) {
  boost::system::error_code error;
  const auto out = value.is_number() ? value.to_number<std::int64_t>(error) : 0;
  return error ? 0 : out;
}

std::string shown(double value, const char* format) {
  char out[48];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

std::string padded(std::string text, std::size_t width) {
  std::size_t characters = 0;
  for (const char byte : text) characters += (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
  if (characters < width) text.append(width - characters, ' ');
  return text;
}

libp2p::UnixTime from_ms(const json::value& value) { return libp2p::UnixTime(libp2p::Millis(whole_of(value))); }

const char* direction_text(std::int64_t direction) { return direction == 1 ? "in" : direction == 2 ? "out" : "-"; }

std::string peer_line(std::string_view id, const json::value& peer, std::size_t columns, const char* mark) {
  const auto& total = member(member(member(peer, "scores"), "gossip"), "total");
  const auto& latency = member(peer, "latency");
  std::string line =
      padded(columns < kWidePeerColumns ? short_peer(id) : std::string(id), columns < kWidePeerColumns ? 18 : 54);
  line += padded(*mark != '\0' ? mark : direction_text(whole_of(member(peer, "direction"))), 9);
  line += padded(total.is_null() ? "-" : shown(decimal_of(total), "%.4g"), 11);
  line += padded(latency.is_null() || decimal_of(latency) == 0 ? "-" : shown(decimal_of(latency) / 1e6, "%.1f ms"), 11);
  const auto& gossip = member(peer, "gossipBlocks");
  line += padded(gossip.is_bool() && gossip.get_bool() ? "yes" : "no", 8);
  const auto& kept = member(peer, "protected");
  line += padded(kept.is_bool() && kept.get_bool() ? "yes" : "no", 11);
  return line + text_of(member(peer, "userAgent"));
}

}  // namespace

std::set<std::string_view> peers_in(const json::value& listed) {
  std::set<std::string_view> out;
  const auto* list = listed.if_array();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const auto& item = (*list)[i];
    if (const auto* id = (item.is_string() ? item : member(item, "peer")).if_string()) out.insert(*id);
  }
  return out;
}

std::string short_peer(std::string_view id) {
  return id.size() <= 17 ? std::string(id) : std::string(id.substr(0, 8)) + "…" + std::string(id.substr(id.size() - 8));
}

std::string fitted(const std::string& line, std::size_t columns) {
  std::size_t characters = 0;
  std::size_t last = 0;  // where the last character that fits begins
  for (std::size_t at = 0; at < line.size(); ++at) {
    if ((static_cast<unsigned char>(line[at]) & 0xc0) == 0x80) continue;
    if (++characters == columns) last = at;
    if (characters > columns) return line.substr(0, last) + "…";
  }
  return line;
}

std::string peers_text(const json::value& dump, std::size_t columns, const json::value& bans) {
  const auto* peers = member(dump, "peers").if_object();
  const std::size_t count = peers == nullptr ? 0 : peers->size();
  std::size_t connected = 0, low = 0, gossiping = 0, kept_out = 0;
  const auto blocked = peers_in(member(dump, "bannedPeers"));  // op-node calls the blocked banned
  const auto banned = peers_in(bans);
  struct Row {
    std::string id;
    const json::value* peer;
    const char* mark;
  };
  std::vector<Row> rows;
  if (peers != nullptr) {
    for (const auto& item : *peers) {
      const auto& peer = item.value();
      const std::string_view id = item.key();
      const char* const mark = blocked.contains(id) ? "blocked" : banned.contains(id) ? "banned" : "";
      kept_out += *mark != '\0';
      rows.push_back({libp2p::peer_text(id, kMostId), &peer, mark});
      connected += whole_of(member(peer, "connectedness")) == 1;
      low += decimal_of(member(member(member(peer, "scores"), "gossip"), "total")) < 0;
      const auto& gossip = member(peer, "gossipBlocks");
      gossiping += gossip.is_bool() && gossip.get_bool();
    }
  }
  std::string out = connected == 0 ? "No peer is connected"
                                   : count_text(connected, "peer is connected", "peers are connected") + ", " +
                                         std::to_string(gossiping) + " of them exchange blocks";
  if (connected == 1)
    out = gossiping == 1 ? "1 peer is connected, and exchanges blocks" : "1 peer is connected, and exchanges no blocks";
  if (low > 0) out += "; " + count_text(low, "peer has", "peers have") + " a score below zero";
  if (count > connected)
    out += "; " + std::to_string(count - connected) + (count - connected == 1 ? " more is known" : " more are known");
  if (kept_out > 0)
    out += "; " + std::to_string(kept_out) + " of them " + (kept_out == 1 ? "is" : "are") + " banned or blocked";
  out += ".";
  if (rows.empty()) return out;
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.id < b.id; });
  const bool is_wide = columns >= kWidePeerColumns;
  out += "\n\n" + fitted(padded("PEER", is_wide ? 54 : 18) + padded("DIR", 9) + padded("SCORE", 11) +
                             padded("LATENCY", 11) + padded("BLOCKS", 8) + padded("PROTECTED", 11) + "AGENT",
                         columns);
  for (const auto& row : rows) out += "\n" + fitted(peer_line(row.id, *row.peer, columns, row.mark), columns);
  return out;
}

std::string why_text(const json::value& answer) {
  const auto why = text_of(member(answer, "why"));
  return why.empty() ? libp2p::peer_text(json_text(answer), kMostText) : why;
}

std::string timeline_text(const json::value& answer, std::size_t columns) {
  std::string out = why_text(answer);
  const auto& timeline = member(answer, "timeline");
  const auto* events = member(timeline, "events").if_array();
  if (events == nullptr) return out;
  const auto& counts = member(timeline, "counts");
  out += "\n\nSince " + time_text(from_ms(member(timeline, "firstSeenMs"))) + ": " +
         count_text(static_cast<std::uint64_t>(whole_of(member(counts, "blocksAccepted"))), "block", "blocks") +
         " accepted, " + std::to_string(whole_of(member(counts, "blocksRejected"))) + " rejected, " +
         std::to_string(whole_of(member(counts, "blocksIgnored"))) + " ignored, " +
         std::to_string(whole_of(member(counts, "blocksFetched"))) + " fetched, " +
         count_text(static_cast<std::uint64_t>(whole_of(member(counts, "copies"))), "copy", "copies") + ", " +
         count_text(static_cast<std::uint64_t>(whole_of(member(counts, "faults"))), "fault", "faults") + ".";
  if (const auto agent = text_of(member(timeline, "userAgent")); !agent.empty()) out += " Agent: " + agent + ".";
  if (const auto dropped = whole_of(member(timeline, "dropped")); dropped > 0)
    out += " " + count_text(static_cast<std::uint64_t>(dropped), "earlier event is", "earlier events are") +
           " not kept any more.";
  out += "\n";
  for (const auto& event : *events) {
    std::string line = time_text(from_ms(member(event, "timeMs"))) + "  " + text_of(member(event, "text"));
    const auto& score = member(event, "score");
    if (!score.is_null() && text_of(member(event, "event")) != "score")
      line += " (score " + shown(decimal_of(score), "%.4g") + ")";
    if (const auto count = whole_of(member(event, "count")); count > 1)
      line += " (" + std::to_string(count) + " times, last " + time_text(from_ms(member(event, "lastTimeMs"))) + ")";
    out += "\n" + fitted(line, columns);
  }
  return out;
}

std::string bans_text(const json::value& bans, libp2p::UnixTime now) {
  const auto* list = bans.if_array();
  const std::size_t count = list == nullptr ? 0 : list->size();
  if (count == 0) return "Nobody is banned.";
  std::string out = count_text(count, "ban holds.", "bans hold.");
  for (const auto& ban : *list) {
    const auto peer = text_of(member(ban, "peer"));
    const auto until = libp2p::from_unix_seconds(whole_of(member(ban, "until")));
    out += "\n\n" + (peer.empty() ? text_of(member(ban, "ip")) : peer) + " until " + time_text(until) + " (" +
           rough_duration(until - now) + " left), by rule " + text_of(member(ban, "rule")) + ": " +
           text_of(member(ban, "text"));
    const auto* evidence = member(ban, "evidence").if_array();
    if (evidence == nullptr) continue;
    for (const auto& fault : *evidence) {
      out += "\n  " + time_text(libp2p::from_unix_seconds(whole_of(member(fault, "time")))) + "  " +
             text_of(member(fault, "text"));
      const auto& number = member(fault, "blockNumber");
      if (!number.is_null()) out += ", block " + std::to_string(whole_of(number));
      if (const auto id = text_of(member(fault, "messageID")); !id.empty()) out += ", message " + id;
    }
  }
  return out;
}

}  // namespace opp2p
