#include "node/devnet/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace opp2p::node::devnet {
namespace json = boost::json;
namespace {

std::uint64_t number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  boost::system::error_code error;
  const auto out = value != nullptr && value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
  return error ? 0 : out;
}

std::map<std::string, std::uint64_t> reasons(const json::object& object, std::string_view key) {
  std::map<std::string, std::uint64_t> out;
  if (const auto* value = object.if_contains(key); value != nullptr && value->is_object())
    for (const auto& item : value->get_object()) out[std::string(item.key())] = number(value->get_object(), item.key());
  return out;
}

std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t out = 0;
  for (const auto& [reason, count] : counts) out += count;
  return out;
}

// A heading and a line for each reason; nothing when there is none.
std::string reasons_text(std::string_view heading, const std::map<std::string, std::uint64_t>& counts) {
  std::string out;
  for (const auto& [reason, count] : counts) out += fmt::format("  {:>6} {}\n", count, reason);
  return out.empty() ? out : fmt::format("{}\n{}", heading, out);
}

std::string latency_text(const std::optional<double>& ms) { return ms ? fmt::format("{:.1f}", *ms) : "-"; }

json::object counts_json(const std::map<std::string, std::uint64_t>& counts) {
  json::object out;
  for (const auto& [reason, count] : counts) out[reason] = count;
  return out;
}

json::value optional_json(const std::optional<double>& value) { return value ? json::value(*value) : json::value(nullptr); }

std::string gap_text(const NodeRow& row) {
  if (row.missing) return fmt::format("{} left, {} got", *row.missing, row.filled);
  return row.filled > 0 ? fmt::format("{} got", row.filled) : "-";
}

}  // namespace

NodeRow row_of(std::string name, const json::object& status) {
  NodeRow out;
  out.name = std::move(name);
  out.state = "running";
  if (const auto* head = status.if_contains("head"); head != nullptr && head->is_object())
    out.head = number(head->get_object(), "number");
  out.peers = number(status, "peers");
  out.mesh = number(status, "mesh");
  if (const auto* blocks = status.if_contains("blocks"); blocks != nullptr && blocks->is_object()) {
    out.accepted = number(blocks->get_object(), "accepted");
    out.rejected = reasons(blocks->get_object(), "rejected");
    out.ignored = reasons(blocks->get_object(), "ignored");
  }
  if (const auto* gap = status.if_contains("gap"); gap != nullptr && gap->is_object())
    out.missing = number(gap->get_object(), "missing");
  out.filled = number(status, "blocksSynced");
  if (const auto* latency = status.if_contains("latencyMs"); latency != nullptr && latency->is_object()) {
    const auto read = [&](std::string_view key) -> std::optional<double> {
      const auto* value = latency->get_object().if_contains(key);
      boost::system::error_code error;
      if (value == nullptr || !value->is_number()) return std::nullopt;
      return value->to_number<double>(error);
    };
    out.p50_ms = read("p50");
    out.p99_ms = read("p99");
  }
  return out;
}

json::object to_json(const NodeRow& row) {
  json::object out;
  out["name"] = row.name;
  out["state"] = row.state;
  out["head"] = row.head;
  out["peers"] = row.peers;
  out["mesh"] = row.mesh;
  out["accepted"] = row.accepted;
  out["rejected"] = counts_json(row.rejected);
  out["ignored"] = counts_json(row.ignored);
  out["missing"] = row.missing ? json::value(*row.missing) : json::value(nullptr);
  out["filled"] = row.filled;
  out["p50_ms"] = optional_json(row.p50_ms);
  out["p99_ms"] = optional_json(row.p99_ms);
  return out;
}

std::string render_table(const std::vector<NodeRow>& rows, const std::string& title) {
  std::string out = title + "\n";
  out += fmt::format("{:<12} {:<10} {:>7} {:>6} {:>5} {:>9} {:>9} {:>8}  {:<20} {:>8} {:>8}\n", "node", "state", "head", "peers",
                     "mesh", "accepted", "rejected", "ignored", "gap", "p50 ms", "p99 ms");
  std::map<std::string, std::uint64_t> rejected;
  std::map<std::string, std::uint64_t> ignored;
  for (const auto& row : rows) {
    out += fmt::format("{:<12} {:<10} {:>7} {:>6} {:>5} {:>9} {:>9} {:>8}  {:<20} {:>8} {:>8}\n", row.name, row.state, row.head,
                       row.peers, row.mesh, row.accepted, sum(row.rejected), sum(row.ignored), gap_text(row),
                       latency_text(row.p50_ms), latency_text(row.p99_ms));
    for (const auto& [reason, count] : row.rejected) rejected[reason] += count;
    for (const auto& [reason, count] : row.ignored) ignored[reason] += count;
  }
  return out + reasons_text("rejected, by all nodes together", rejected) +
         reasons_text("ignored, by all nodes together", ignored);
}

std::string cut_lines(const std::string& text, std::size_t width) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    out += text.substr(at, std::min(end - at, width)) + "\n";
    at = end + 1;
  }
  return out;
}

std::string render_line(const NodeRow& row) {
  return fmt::format("{} {} head={} peers={} mesh={} accepted={} rejected={} ignored={} gap={} p50={}ms p99={}ms", row.name,
                     row.state, row.head, row.peers, row.mesh, row.accepted, sum(row.rejected), sum(row.ignored),
                     row.missing ? std::to_string(*row.missing) : "none", latency_text(row.p50_ms), latency_text(row.p99_ms));
}

}  // namespace opp2p::node::devnet
