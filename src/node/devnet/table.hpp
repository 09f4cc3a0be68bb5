// What the devnet shows of its nodes: a table that is drawn again in place on a terminal, plain lines elsewhere. Pure: text out.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace opp2p::node::devnet {

struct NodeRow {
  std::string name;
  std::string state;  // "starting", "running", "ended 1"
  std::uint64_t head = 0;
  std::size_t peers = 0;
  std::size_t mesh = 0;
  std::uint64_t accepted = 0;
  std::map<std::string, std::uint64_t> rejected;  // by reason
  std::map<std::string, std::uint64_t> ignored;
  std::optional<std::uint64_t> missing;  // blocks of the gap that is being filled
  std::uint64_t filled = 0;              // blocks that came by request
  std::optional<double> p50_ms;
  std::optional<double> p99_ms;
};

// What a node's opp2p_status says, as a row.
NodeRow row_of(std::string name, const boost::json::object& status);

boost::json::object to_json(const NodeRow& row);

std::string render_table(const std::vector<NodeRow>& rows, const std::string& title);
// The same text with every line cut to `width` columns, so that a terminal wraps none and a redraw finds each where it was.
std::string cut_lines(const std::string& text, std::size_t width);
// One line a node.
std::string render_line(const NodeRow& row);

}  // namespace opp2p::node::devnet
