#include "apps/devnet/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "opstack/rules/reason.hpp"

namespace opp2p::devnet {
namespace {

std::string latency_text(const std::optional<double>& ms) { return ms ? fmt::format("{:.1f}", *ms) : "-"; }

// With fewer behind than this a node is in step: the block that was just published is on its way to it.
constexpr std::uint64_t kNewsLag = 2;
constexpr std::size_t kReasonColumn = 30;
constexpr std::size_t kTwoColumns = 78;
constexpr std::size_t kMarksFrom = 110;  // columns: in a narrower window the marks are cut off, so the news has them
constexpr std::int64_t kReorganisedNews = 8;  // seconds
constexpr std::size_t kShownOfId = 6;         // at each end

std::uint64_t lag_of(const NodeRow& row, std::uint64_t head) {
  return head > row.head.number ? head - row.head.number : 0;
}

std::string holes_text(const NodeRow& row) {
  const auto& hole = row.holes.front();
  const auto more = row.hole_count > 1 ? fmt::format(" and {} more", row.hole_count - 1) : "";
  return range_text(hole.first, hole.last) + more;
}

std::string reorganised_news(const NodeRow& row, const Reorganisation& last) {
  if (!last.fork)
    return fmt::format("moved its head above a hole {} s ago: {} missing", *row.reorganised_ago,
                       row.holes.empty() ? "none" : holes_text(row));
  return fmt::format("reorganised {} s ago: {} replaced, from {} to {} on {}", *row.reorganised_ago,
                     blocks_text(last.depth), last.from.number, last.to.number, *last.fork);
}

std::optional<News> news_of(const NodeRow& row, std::uint64_t head) {
  const auto named = [&row](std::string_view what) { return fmt::format("{:<12} {}", row.name, what); };
  if (row.state.starts_with("ended")) return News{Colour::red, named(row.state + "; its log says why")};
  if (row.state == "silent") return News{Colour::red, named("does not answer")};
  if (row.state == "failed") return News{Colour::red, named("did not start; its log says why")};
  if (row.state == "starting" || row.state == "stopped") return News{Colour::yellow, named("is " + row.state)};
  const auto lag = lag_of(row, head);
  if (row.gap && row.gap->missing > 0) {
    return News{Colour::yellow,
                named(fmt::format("{} behind; fetching: {} left, {} fetched", lag, row.gap->missing, row.filled))};
  }
  if (row.reorganised_ago && *row.reorganised_ago < kReorganisedNews && row.last_reorganisation)
    return News{Colour::yellow, named(reorganised_news(row, *row.last_reorganisation))};
  if (row.hole_count > 0 && !row.holes.empty())
    return News{Colour::yellow, named(fmt::format("{} missing below its head: {}",
                                                  blocks_text(row.holes.front().missing), holes_text(row)))};
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
  auto out = fmt::format("{:<12} {} {}", status.has_intruder ? "intruder" : "", rejected, who);
  const auto bans = std::count_if(status.rows.begin(), status.rows.end(),
                                  [&](const NodeRow& row) { return has_banned(row, status.intruder); });
  if (bans > 0) out += fmt::format("; banned by {} of {} nodes", bans, status.rows.size());
  return out;
}

std::string node_line(const NodeRow& row, std::uint64_t head) {
  return fmt::format("{:<12} {:>7} {:>5} {:>5} {:>5} {:>8} {:>8} {:>7} {:>7} {:>7}", row.name, row.head.number,
                     lag_of(row, head), row.peers, row.mesh, row.accepted, sum(row.rejected), row.filled,
                     latency_text(row.p50_ms), latency_text(row.p99_ms));
}

std::string plain_latency(const std::optional<double>& ms) { return latency_text(ms) + (ms ? "ms" : ""); }

std::string plain_line(const NodeRow& row, std::uint64_t head) {
  return fmt::format(
      "{} {} head={} lag={} peers={} mesh={} accepted={} rejected={} ignored={} fetched={} gap={} reorgs={} depth={} "
      "hole={} banned={} p50={} p99={}{}",
      row.name, row.state, row.head.number, lag_of(row, head), row.peers, row.mesh, row.accepted, sum(row.rejected),
      sum(row.ignored), row.filled, row.gap ? std::to_string(row.gap->missing) : "none", row.reorganisations,
      row.last_reorganisation ? std::to_string(row.last_reorganisation->depth) : "none",
      row.holes.empty() ? "none" : range_text(row.holes.front().first, row.holes.front().last), row.banned.size(),
      plain_latency(row.p50_ms), plain_latency(row.p99_ms), row.sequences ? " sequences" : "");
}

std::string title_of(const DevnetStatus& status) {
  std::string sequencers;
  for (const auto& row : status.rows)
    if (row.sequences) sequencers += (sequencers.empty() ? ", sequenced by " : " and ") + row.name;
  return fmt::format("block {} after {} s{}", status.head, status.seconds, sequencers);
}

std::string heading(bool marks) {
  return fmt::format("{:<12} {:>7} {:>5} {:>5} {:>5} {:>8} {:>8} {:>7} {:>7} {:>7}{}", "node", "head", "lag", "peers",
                     "mesh", "accepted", "rejected", "fetched", "p50 ms", "p99 ms", marks ? "  marks" : "");
}

}  // namespace

std::string marks_of(const NodeRow& row) {
  std::string out;
  const auto add = [&out](const std::string& mark) { out += (out.empty() ? "" : "; ") + mark; };
  if (row.state != "running") add(row.state);
  if (row.sequences) add("sequences");
  if (row.reorganisations > 0 && row.last_reorganisation && row.last_reorganisation->fork)
    add(fmt::format("reorganised {}x, depth {}", row.reorganisations, row.last_reorganisation->depth));
  if (!row.banned.empty()) add(fmt::format("banned {} peer{}", row.banned.size(), row.banned.size() == 1 ? "" : "s"));
  if (row.gap) add("gap " + range_text(row.gap->start + 1, row.gap->end - 1));
  if (!row.holes.empty()) add("hole " + holes_text(row));
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
  add(Colour::bold, fmt::format("{:<60}{:>19}", title_of(status), "Ctrl-C ends it"));
  const auto news = news_of(status);
  const auto shown = std::min(news.size(), room / 3);
  for (std::size_t i = 0; i < shown; ++i) add(news[i].colour, news[i].text);
  if (shown < news.size()) add(Colour::yellow, fmt::format("{:<12} and {} more", "", news.size() - shown));
  if (const auto rejected = rejected_by_all(status.rows); !rejected.empty()) {
    add(Colour::magenta, rejected_heading(status, sum(rejected)));
    for (const auto& line : reason_lines(rejected, size.columns)) add(Colour::none, line);
  }
  const bool marks = size.columns >= kMarksFrom;
  add(Colour::bold, heading(marks));
  for (std::size_t i = 0; i < status.rows.size(); ++i) {
    const auto left = status.rows.size() - i;
    if (out.size() + 1 >= room && left > 1) {
      add(Colour::none, fmt::format("and {} more nodes", left));
      break;
    }
    const auto& row = status.rows[i];
    const auto line = news_of(row, status.head);
    add(line ? line->colour : Colour::none, node_line(row, status.head) + (marks ? "  " + marks_of(row) : ""));
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
