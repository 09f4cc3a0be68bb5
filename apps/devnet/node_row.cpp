#include "apps/devnet/node_row.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "opstack/reputation/fault.hpp"
#include "opstack/rules/reason.hpp"

namespace opp2p::devnet {
namespace json = boost::json;
namespace {

std::uint64_t number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  boost::system::error_code error;
  const auto out = value != nullptr && value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
  return error ? 0 : out;
}

// An empty object when there is none.
const json::object& object_at(const json::object& object, std::string_view key) {
  static const json::object kNone;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

std::map<std::string, std::uint64_t> reasons(const json::object& object, std::string_view key) {
  std::map<std::string, std::uint64_t> out;
  for (const auto& item : object_at(object, key))
    out[std::string(item.key())] = number(object_at(object, key), item.key());
  return out;
}

std::optional<double> milliseconds(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  boost::system::error_code error;
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>(error);
}

BlockId block_of(const json::object& object) {
  BlockId out;
  out.number = number(object, "number");
  if (const auto* hash = object.if_contains("hash"); hash != nullptr && hash->is_string())
    out.hash = std::string(hash->get_string());
  return out;
}

std::optional<Reorganisation> reorganisation_of(const json::object& object) {
  if (object.empty()) return std::nullopt;
  Reorganisation out;
  out.from = block_of(object_at(object, "from"));
  out.to = block_of(object_at(object, "to"));
  if (const auto* fork = object.if_contains("fork"); fork != nullptr && fork->is_number())
    out.fork = number(object, "fork");
  out.depth = number(object, "depth");
  return out;
}

std::vector<HoleRow> holes_of(const json::object& status) {
  std::vector<HoleRow> out;
  const auto* holes = status.if_contains("holes");
  if (holes == nullptr || !holes->is_array()) return out;
  for (const auto& hole : holes->get_array())
    if (hole.is_object())
      out.push_back({number(hole.get_object(), "first"), number(hole.get_object(), "last"),
                     number(hole.get_object(), "missing")});
  return out;
}

json::object counts_json(const std::map<std::string, std::uint64_t>& counts) {
  json::object out;
  for (const auto& [reason, count] : counts) out[reason] = count;
  return out;
}

template <class Value>
json::value optional_json(const std::optional<Value>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::array holes_json(const std::vector<HoleRow>& holes) {
  json::array out;
  for (const auto& hole : holes)
    out.push_back(json::object{{"first", hole.first}, {"last", hole.last}, {"missing", hole.missing}});
  return out;
}

}  // namespace

NodeRow row_of(std::string name, const json::object& status) {
  NodeRow out;
  out.name = std::move(name);
  out.state = "running";
  out.head = block_of(object_at(status, "head"));
  out.peers = number(status, "peers");
  out.mesh = number(status, "mesh");
  const auto& blocks = object_at(status, "blocks");
  out.accepted = number(blocks, "accepted");
  out.rejected = reasons(blocks, "rejected");
  out.ignored = reasons(blocks, "ignored");
  if (const auto& gap = object_at(status, "gap"); !gap.empty())
    out.gap = GapRow{number(gap, "start"), number(gap, "end"), number(gap, "missing")};
  out.filled = number(status, "blocksSynced");
  out.reorganisations = number(status, "reorganisations");
  out.last_reorganisation = reorganisation_of(object_at(status, "lastReorganisation"));
  out.connected_from = number(status, "connectedFrom");
  out.holes = holes_of(status);
  out.hole_count = number(status, "holeCount");
  out.p50_ms = milliseconds(object_at(status, "latencyMs"), "p50");
  out.p99_ms = milliseconds(object_at(status, "latencyMs"), "p99");
  return out;
}

std::vector<std::string> banned_peers(const json::value& bans) {
  std::vector<std::string> out;
  if (!bans.is_array()) return out;
  for (const auto& ban : bans.get_array()) {
    const auto* peer = ban.is_object() ? ban.get_object().if_contains("peer") : nullptr;
    if (peer != nullptr && peer->is_string()) out.emplace_back(peer->get_string());
  }
  return out;
}

json::object to_json(const BlockId& block) { return {{"number", block.number}, {"hash", block.hash}}; }

json::object to_json(const Reorganisation& reorganisation) {
  return {{"from", to_json(reorganisation.from)},
          {"to", to_json(reorganisation.to)},
          {"fork", optional_json(reorganisation.fork)},
          {"depth", reorganisation.depth}};
}

json::object to_json(const NodeRow& row) {
  json::object out;
  out["name"] = row.name;
  out["state"] = row.state;
  out["sequences"] = row.sequences;
  out["head"] = row.head.number;
  out["peers"] = row.peers;
  out["mesh"] = row.mesh;
  out["accepted"] = row.accepted;
  out["rejected"] = counts_json(row.rejected);
  out["ignored"] = counts_json(row.ignored);
  out["missing"] = row.gap ? json::value(row.gap->missing) : json::value(nullptr);
  out["filled"] = row.filled;
  out["reorganisations"] = row.reorganisations;
  out["lastReorganisation"] =
      row.last_reorganisation ? json::value(to_json(*row.last_reorganisation)) : json::value(nullptr);
  out["connectedFrom"] = row.connected_from;
  out["holes"] = holes_json(row.holes);
  out["holeCount"] = row.hole_count;
  out["banned"] = json::array(row.banned.begin(), row.banned.end());
  out["p50_ms"] = optional_json(row.p50_ms);
  out["p99_ms"] = optional_json(row.p99_ms);
  return out;
}

std::uint64_t blamed(const std::map<std::string, std::uint64_t>& rejected) {
  std::uint64_t out = 0;
  for (const auto& [id, count] : rejected) {
    const auto reason = opstack::rules::reason_of(id);
    if (reason && opstack::reputation::is_blamed(*reason, true)) out += count;
  }
  return out;
}

bool has_banned(const NodeRow& row, const std::string& peer) {
  return std::find(row.banned.begin(), row.banned.end(), peer) != row.banned.end();
}

std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t out = 0;
  for (const auto& [reason, count] : counts) out += count;
  return out;
}

std::map<std::string, std::uint64_t> rejected_by_all(const std::vector<NodeRow>& rows) {
  std::map<std::string, std::uint64_t> out;
  for (const auto& row : rows)
    for (const auto& [reason, count] : row.rejected) out[reason] += count;
  return out;
}

std::string range_text(std::uint64_t first, std::uint64_t last) {
  if (first == last) return std::to_string(first);
  return fmt::format("{}{}{}", std::min(first, last), first < last ? "-" : "|", std::max(first, last));
}

std::string blocks_text(std::uint64_t count) { return fmt::format("{} block{}", count, count == 1 ? "" : "s"); }

}  // namespace opp2p::devnet
