#include "apps/devnet/judgement.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace opp2p::devnet {
namespace {

// A run that was interrupted is no reproach to a node that had no time to see the chain.
bool is_judged(const Record& record, const NodeRecord& node) {
  constexpr std::uint64_t kTimeToJoin = 2;  // blocks
  if (!node.runs()) return false;
  return !record.interrupted || (node.row.state != "starting" && record.head.number >= node.up_at + kTimeToJoin);
}

Check judge_chain(const Record& record, const NodeRecord& node) {
  const auto& name = node.row.name;
  if (node.row.state != "running") return {false, fmt::format("{}: {}", name, node.row.state)};
  if (!node.chain_from) return {false, fmt::format("the chain of {} could not be read", name)};
  const auto from = std::max<std::uint64_t>(*node.chain_from, 1);
  const auto below = std::min<std::uint64_t>(from - 1, record.chain.size());
  const auto expected = record.chain.begin() + static_cast<std::ptrdiff_t>(below);
  if (node.chain == std::vector<std::string>(expected, record.chain.end()))
    return {true, fmt::format("{} has the sequencer's chain from block {} on", name, from)};
  const auto differs = std::mismatch(node.chain.begin(), node.chain.end(), expected, record.chain.end());
  return {false, fmt::format("{} has {} of {}, from block {} on, and differs from block {} on", name, node.chain.size(),
                             blocks_text(record.chain.size() - below), from,
                             static_cast<std::uint64_t>(differs.first - node.chain.begin()) + from)};
}

// Who sequenced at the end.
std::string sequencer_of(const Record& record) {
  for (const auto& node : record.nodes)
    if (node.row.sequences) return node.row.name;
  return "sequencer";
}

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Checks judge_run(const Record& record) {
  if (record.chain.empty() && record.interrupted) return {{false, "stopped before the first block"}};
  Checks out;
  for (const auto& problem : record.problems) out.push_back({false, problem});
  if (record.chain.empty()) out.push_back({false, "the sequencer published no block"});
  std::size_t in_order = 0;
  std::size_t judged = 0;
  for (const auto& node : record.nodes) {
    if (!is_judged(record, node)) continue;
    ++judged;
    auto check = judge_chain(record, node);
    if (check.ok)
      ++in_order;
    else
      out.push_back(std::move(check));
  }
  if (judged > 0 && in_order == judged && !record.chain.empty())
    out.push_back({true, fmt::format("all {} nodes ended on the chain of the {}, at block {}", judged,
                                     sequencer_of(record), record.chain.size())});
  return out;
}

Check judge_no_holes(const Record& record, const std::vector<std::string>& except) {
  std::string names;
  for (const auto& node : record.nodes) {
    if (!is_judged(record, node) || is_one_of(except, node.row.name) || node.row.hole_count == 0) continue;
    names += (names.empty() ? "" : ", ") + node.row.name;
  }
  if (!names.empty()) return {false, "blocks are missing below the heads of " + names};
  return {true, except.empty() ? "no node has a hole below its head" : "no other node has a hole below its head"};
}

Check judge_reorganised(const NodeRecord& node, const TakeOver& cause) {
  const auto& name = node.row.name;
  const auto seen = node.reorganisations.size() + node.unseen_reorganisations;
  if (seen != 1) return {false, fmt::format("{} reorganised {} times, not once", name, seen)};
  const auto& only = node.reorganisations.front();
  if (!only.fork)
    return {false,
            fmt::format("{} moved its head above a hole instead of reorganising at block {}", name, cause.parent)};
  const auto text = fmt::format("{} reorganised once, from block {} to {}: fork point {}, depth {}", name,
                                only.from.number, only.to.number, *only.fork, only.depth);
  if (*only.fork != cause.parent || only.depth != cause.replaced)
    return {false, fmt::format("{}. Expected: fork point {}, depth {}", text, cause.parent, cause.replaced)};
  return {true, text};
}

Checks judge_bans(const Record& record) {
  constexpr std::uint64_t kMostBlamed = 10;  // that a node may reject, with those on their way at the time of the ban
  std::size_t banned = 0;
  std::uint64_t most = 0;
  std::uint64_t sent = 0;
  Checks out;
  for (const auto& node : record.nodes) {
    const auto count = blamed(node.row.rejected);
    const bool has = has_banned(node.row, record.intruder);
    banned += has ? 1 : 0;
    sent += count;
    if (has) most = std::max(most, count);
    if (!record.bans_intruder && has)
      out.push_back({false, node.row.name + " banned the intruder against its options"});
    if (!record.bans_intruder || !is_judged(record, node)) continue;
    if (count > kMostBlamed)
      out.push_back({false, fmt::format("{} rejected {} invalid blocks of the intruder and {}", node.row.name, count,
                                        has ? "banned it late" : "did not ban it")});
  }
  if (!out.empty()) return out;
  if (!record.bans_intruder)
    return {{true, fmt::format("no node banned the intruder, which sent {} invalid blocks, because bans are switched "
                               "off or its blocks cost it nothing",
                               sent)}};
  if (banned == 0) return {{true, "the run is too short for a ban of the intruder"}};
  return {{true, fmt::format("{} nodes banned the intruder, each after at most {} invalid blocks", banned, most)}};
}

Check judge_stayed(const NodeRecord& node) {
  const auto seen = node.reorganisations.size() + node.unseen_reorganisations;
  if (seen > 0) return {false, fmt::format("{} reorganised {} times, though its branch won", node.row.name, seen)};
  return {true, node.row.name + " did not reorganise"};
}

Check judge_gap_seen(const NodeRecord& node) {
  if (node.gaps.empty()) return {false, fmt::format("{} did not see that it missed blocks", node.row.name)};
  const auto& gap = node.gaps.front();
  return {true, fmt::format("{} saw that it missed {}, {}", node.row.name, blocks_text(gap.missing),
                            range_text(gap.start + 1, gap.end - 1))};
}

Check judge_take_over(const Record& record, std::string_view by, std::uint64_t replaced) {
  for (const auto& each : record.take_overs) {
    if (each.by != by) continue;
    return {each.replaced == replaced,
            fmt::format("{} took over on block {}: it replaced {}", by, each.parent, blocks_text(each.replaced))};
  }
  return {false, fmt::format("{} did not take over", by)};
}

bool all_ok(const Checks& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.ok; });
}

void append(Checks& checks, Checks more) {
  for (auto& check : more) checks.push_back(std::move(check));
}

}  // namespace opp2p::devnet
