// The devnet's status as text: first the news (which node is behind, what it fetches, what the nodes rejected from the
// intruder), then one line per node. Pure: values in, text out.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/devnet/screen.hpp"

namespace opp2p::devnet {

struct NodeRow {
  std::string name;
  std::string state;  // "starting", "running", "silent", "ended 1"
  std::uint64_t head = 0;
  std::size_t peers = 0;
  std::size_t mesh = 0;
  std::uint64_t accepted = 0;
  std::map<std::string, std::uint64_t> rejected;  // by the id of the reason
  std::map<std::string, std::uint64_t> ignored;
  std::optional<std::uint64_t> missing;  // blocks of the gap that is being filled
  std::uint64_t filled = 0;              // blocks that came by request
  std::optional<double> p50_ms;
  std::optional<double> p99_ms;
};

struct DevnetStatus {
  std::int64_t seconds = 0;
  std::uint64_t head = 0;  // the last block that was published
  std::vector<NodeRow> rows;
  bool foreign_peers = false;  // there are others than the intruder whose messages may be rejected
  bool intruder_runs = true;
};

// What a node's opp2p_status says, as a row.
NodeRow row_of(std::string name, const boost::json::object& status);

boost::json::object to_json(const NodeRow& row);

std::map<std::string, std::uint64_t> rejected_by_all(const std::vector<NodeRow>& rows);
std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts);

// What is not as it always is, a line each: who has ended, is silent or starts, who is behind and what it fetches.
struct News {
  Colour colour = Colour::none;
  std::string text;
};
std::vector<News> news_of(const DevnetStatus& status);

// For a terminal: the title, the news, what was rejected, and the nodes; within `size`. What does not fit is said.
std::vector<std::string> live_lines(const DevnetStatus& status, TerminalSize size, bool colours);
// For everything else: the same as lines for a log.
std::string plain_lines(const DevnetStatus& status);

// "/ip4/127.0.0.1/tcp/1/p2p/16Uiu2..8hDzsab": a peer id as a terminal shows it, its ends.
std::string with_short_peer_id(const std::string& address);

}  // namespace opp2p::devnet
