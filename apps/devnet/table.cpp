#include "apps/devnet/table.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::map<std::string, std::uint64_t> reasons(const json::object& object, std::string_view key) {
  std::map<std::string, std::uint64_t> out;
  if (const auto* value = object.if_contains(key); value != nullptr && value->is_object())
    for (const auto& item : value->get_object()) out[std::string(item.key())] = number(value->get_object(), item.key());
  return out;
}

std::string latency_text(const std::optional<double>& ms) { return ms ? fmt::format("{:.1f}", *ms) : "-"; }

json::object counts_json(const std::map<std::string, std::uint64_t>& counts) {
  json::object out;
  for (const auto& [reason, count] : counts) out[reason] = count;
  return out;
}

json::value optional_json(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

// With fewer behind than this a node is in step: the block that was just published is on its way to it.
constexpr std::uint64_t kNewsLag = 2;
constexpr std::size_t kReasonColumn = 30;
constexpr std::size_t kTwoColumns = 78;
constexpr std::size_t kShownOfId = 6;  // at each end

std::uint64_t lag_of(const NodeRow& row, std::uint64_t head) { return head > row.head ? head - row.head : 0; }

std::optional<News> news_of(const NodeRow& row, std::uint64_t head) {
  const auto named = [&row](std::string_view what) { return fmt::format("{:<12} {}", row.name, what); };
  if (row.state.starts_with("ended")) return News{Colour::red, named(row.state + "; its log says why")};
  if (row.state == "silent") return News{Colour::red, named("does not answer")};
  if (row.state == "starting") return News{Colour::yellow, named("is starting")};
  const auto lag = lag_of(row, head);
  if (row.missing.value_or(0) > 0) {
    return News{Colour::yellow,
                named(fmt::format("{} behind; fetching: {} left, {} fetched", lag, *row.missing, row.filled))};
  }
  if (lag >= kNewsLag) return News{Colour::yellow, named(fmt::format("{} blocks behind", lag))};
  return std::nullopt;
}

// What a node says of a reason is its id; people read its words.
std::string words_of(const std::string& id) {
  const auto reason = opstack::rules::reason_of(id);
  return reason ? std::string(to_string(*reason)) : id;
}

// "  24 invalid block signature", two beside each other where they fit.
std::vector<std::string> reason_lines(const std::map<std::string, std::uint64_t>& counts, std::size_t columns) {
  std::vector<std::string> out;
  bool beside = columns >= kTwoColumns;
  for (const auto& [id, count] : counts) beside = beside && words_of(id).size() <= kReasonColumn;
  for (const auto& [id, count] : counts) {
    const auto entry = fmt::format("{:>6} {}", count, words_of(id));
    if (beside && !out.empty() && out.back().size() <= kReasonColumn + 7) {
      out.back() += std::string(kReasonColumn + 9 - out.back().size(), ' ') + entry;
    } else {
      out.push_back(entry);
    }
  }
  return out;
}

std::string rejected_heading(const DevnetStatus& status, std::uint64_t rejected) {
  const auto* who = status.foreign_peers ? "rejected by all nodes together, the intruder's among them"
                                         : "rejected, all nodes together";
  return fmt::format("{:<12} {} {}", "intruder", rejected, who);
}

std::string node_line(const NodeRow& row, std::uint64_t head) {
  return fmt::format("{:<12} {:>7} {:>5} {:>5} {:>5} {:>8} {:>8} {:>7} {:>7} {:>7}", row.name, row.head,
                     lag_of(row, head), row.peers, row.mesh, row.accepted, sum(row.rejected), row.filled,
                     latency_text(row.p50_ms), latency_text(row.p99_ms));
}

std::string plain_latency(const std::optional<double>& ms) { return latency_text(ms) + (ms ? "ms" : ""); }

std::string plain_line(const NodeRow& row, std::uint64_t head) {
  return fmt::format(
      "{} {} head={} lag={} peers={} mesh={} accepted={} rejected={} ignored={} fetched={} gap={} p50={} p99={}",
      row.name, row.state, row.head, lag_of(row, head), row.peers, row.mesh, row.accepted, sum(row.rejected),
      sum(row.ignored), row.filled, row.missing ? std::to_string(*row.missing) : "none", plain_latency(row.p50_ms),
      plain_latency(row.p99_ms));
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

std::vector<News> news_of(const DevnetStatus& status) {
  std::vector<News> out;
  if (!status.intruder_runs)
    out.push_back({Colour::red, fmt::format("{:<12} has ended; its log says why", "intruder")});
  for (const auto& row : status.rows)
    if (auto news = news_of(row, status.head)) out.push_back(std::move(*news));
  return out;
}

std::vector<std::string> live_lines(const DevnetStatus& status, TerminalSize size, bool colours) {
  std::vector<std::string> out;
  const auto add = [&](Colour colour, const std::string& text) {
    out.push_back(in_colour(colours ? colour : Colour::none, text));
  };
  const auto room = std::max<std::size_t>(size.rows, 8) - 1;
  add(Colour::bold,
      fmt::format("{:<60}{:>19}", fmt::format("block {} after {} s", status.head, status.seconds), "Ctrl-C ends it"));
  const auto news = news_of(status);
  const auto shown = std::min(news.size(), room / 3);
  for (std::size_t i = 0; i < shown; ++i) add(news[i].colour, news[i].text);
  if (shown < news.size()) add(Colour::yellow, fmt::format("{:<12} and {} more", "", news.size() - shown));
  if (const auto rejected = rejected_by_all(status.rows); !rejected.empty()) {
    add(Colour::magenta, rejected_heading(status, sum(rejected)));
    for (const auto& line : reason_lines(rejected, size.columns)) add(Colour::none, line);
  }
  add(Colour::bold, fmt::format("{:<12} {:>7} {:>5} {:>5} {:>5} {:>8} {:>8} {:>7} {:>7} {:>7}", "node", "head", "lag",
                                "peers", "mesh", "accepted", "rejected", "fetched", "p50 ms", "p99 ms"));
  for (std::size_t i = 0; i < status.rows.size(); ++i) {
    const auto left = status.rows.size() - i;
    if (out.size() + 1 >= room && left > 1) {
      add(Colour::none, fmt::format("and {} more nodes", left));
      break;
    }
    const auto line = news_of(status.rows[i], status.head);
    add(line ? line->colour : Colour::none, node_line(status.rows[i], status.head));
  }
  return out;
}

std::string plain_lines(const DevnetStatus& status) {
  auto out = fmt::format("--- {} s, block {}\n", status.seconds, status.head);
  for (const auto& news : news_of(status)) out += news.text + "\n";
  if (const auto rejected = rejected_by_all(status.rows); !rejected.empty()) {
    out += rejected_heading(status, sum(rejected));
    char before = ':';
    for (const auto& [id, count] : rejected) {
      out += fmt::format("{} {} {}", before, count, words_of(id));
      before = ',';
    }
    out += "\n";
  }
  for (const auto& row : status.rows) out += plain_line(row, status.head) + "\n";
  return out;
}

std::string with_short_peer_id(const std::string& address) {
  const auto at = address.rfind('/') + 1;  // of a peer id alone: 0
  if (address.size() - at <= 2 * kShownOfId + 2) return address;
  return address.substr(0, at + kShownOfId) + ".." + address.substr(address.size() - kShownOfId);
}

}  // namespace opp2p::devnet
