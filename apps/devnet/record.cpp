#include "apps/devnet/record.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace opp2p::devnet {
namespace json = boost::json;
namespace {

Event reorganised(const Reorganisation& last) {
  Event out;
  out.data = to_json(last);
  if (!last.fork) {
    out.id = "above_hole";
    out.text = fmt::format("moved its head from block {} to {}, above a hole", last.from.number, last.to.number);
    return out;
  }
  out.id = "reorganised";
  out.text = fmt::format("reorganised from block {} to {}: fork point {}, depth {}", last.from.number, last.to.number,
                         *last.fork, last.depth);
  return out;
}

void watch_reorganisations(NodeRecord& node, const NodeRow& row, std::vector<Event>& out) {
  const auto before = node.row.reorganisations;
  if (row.reorganisations <= before || !row.last_reorganisation) return;
  node.unseen_reorganisations += row.reorganisations - before - 1;
  node.reorganisations.push_back(*row.last_reorganisation);
  out.push_back(reorganised(*row.last_reorganisation));
}

void watch_gap(NodeRecord& node, const NodeRow& row, std::vector<Event>& out) {
  if (row.gap && !node.row.gap) {
    node.gaps.push_back(*row.gap);
    node.filled_before_gap = node.row.filled;
    out.push_back({"gap",
                   fmt::format("misses {} of {}", blocks_text(row.gap->missing),
                               range_text(row.gap->start + 1, row.gap->end - 1)),
                   Event::Mood::notable,
                   {{"first", row.gap->start + 1}, {"last", row.gap->end - 1}, {"missing", row.gap->missing}}});
  }
  if (!node.row.gap || row.gap || row.hole_count > node.row.hole_count) return;
  ++node.gaps_filled;
  const auto fetched = row.filled - std::min(row.filled, node.filled_before_gap);
  out.push_back({"gap_filled",
                 fmt::format("has filled the gap: it fetched {}", blocks_text(fetched)),
                 Event::Mood::good,
                 {{"fetched", fetched}}});
}

void watch_holes(const NodeRecord& node, const NodeRow& row, std::vector<Event>& out) {
  if (row.hole_count > node.row.hole_count && !row.holes.empty()) {
    const auto& hole = row.holes.front();
    out.push_back({"hole",
                   fmt::format("has a hole on record, {}; connected from block {} on",
                               range_text(hole.first, hole.last), row.connected_from),
                   Event::Mood::notable,
                   {{"first", hole.first}, {"last", hole.last}, {"connectedFrom", row.connected_from}}});
  }
  if (row.hole_count < node.row.hole_count)
    out.push_back({"hole_filled",
                   fmt::format("has filled a hole; connected from block {} on", row.connected_from),
                   Event::Mood::good,
                   {{"connectedFrom", row.connected_from}}});
}

}  // namespace

const NodeRecord* Record::find(std::string_view name) const {
  const auto at = std::find_if(nodes.begin(), nodes.end(), [&](const NodeRecord& n) { return n.row.name == name; });
  return at == nodes.end() ? nullptr : &*at;
}

bool Record::is_in_step(std::string_view name) const {
  const auto* node = find(name);
  return node != nullptr && node->is_up() && node->row.head.number > 0 && node->row.head.number + 1 >= head.number &&
         !node->row.gap;
}

bool Record::all_running(const std::function<bool(const NodeRecord&)>& hold) const {
  return std::all_of(nodes.begin(), nodes.end(), [&](const NodeRecord& node) { return !node.runs() || hold(node); });
}

NodeRecord* Record::find(std::string_view name) {
  return const_cast<NodeRecord*>(static_cast<const Record&>(*this).find(name));
}

std::vector<Event> take_row(NodeRecord& node, NodeRow row, libp2p::Nanos elapsed) {
  std::vector<Event> out;
  const bool ended = row.state.starts_with("ended") && node.row.state != row.state;
  if (ended) out.push_back({"ended", row.state, Event::Mood::bad});
  if (row.state == "running") {
    watch_reorganisations(node, row, out);
    watch_gap(node, row, out);
    watch_holes(node, row, out);
    if (row.reorganisations > node.row.reorganisations) node.reorganised_at = elapsed;
    if (row.gap && !node.row.gap) node.gap_at = elapsed;
    if (row.hole_count > node.row.hole_count) node.hole_at = elapsed;
  }
  if (node.reorganised_at)
    row.reorganised_ago = std::chrono::duration_cast<libp2p::Seconds>(elapsed - *node.reorganised_at).count();
  node.row = std::move(row);
  return out;
}

}  // namespace opp2p::devnet
