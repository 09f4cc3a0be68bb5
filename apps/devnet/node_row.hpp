// What the devnet knows of a node at one moment: what its opp2p_status says, and what the devnet has done to it. Pure.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace opp2p::devnet {

struct BlockId {
  std::uint64_t number = 0;
  std::string hash;  // 0x…
  friend bool operator==(const BlockId&, const BlockId&) = default;
};

struct Reorganisation {
  BlockId from;
  BlockId to;
  std::optional<std::uint64_t> fork;  // none: the head moved above a hole
  std::uint64_t depth = 0;            // blocks that are canonical no more
};

// Blocks above the head do not connect to it. `start` is the head, `end` the lowest of them.
struct GapRow {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t missing = 0;  // blocks
};

// Missing blocks below the head.
struct HoleRow {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t missing = 0;  // blocks
};

struct NodeRow {
  std::string name;
  std::string state;       // "starting", "running", "silent", "stopped" (by the story), "ended 1"
  bool sequences = false;  // it publishes the blocks now
  BlockId head;
  std::size_t peers = 0;
  std::size_t mesh = 0;
  std::uint64_t accepted = 0;
  std::map<std::string, std::uint64_t> rejected;  // by the id of the reason
  std::map<std::string, std::uint64_t> ignored;
  std::optional<GapRow> gap;  // that is being filled
  std::uint64_t filled = 0;   // blocks that came by request
  std::uint64_t reorganisations = 0;
  std::optional<Reorganisation> last_reorganisation;
  std::optional<std::int64_t> reorganised_ago;  // seconds since the devnet saw it
  std::uint64_t connected_from = 0;
  std::vector<HoleRow> holes;  // the highest first
  std::uint64_t hole_count = 0;
  std::vector<std::string> banned;  // peer ids
  std::optional<double> p50_ms;
  std::optional<double> p99_ms;
};

// What a node's opp2p_status says, as a row.
NodeRow row_of(std::string name, const boost::json::object& status);
// The peers in what its opp2p_bans says.
std::vector<std::string> banned_peers(const boost::json::value& bans);

boost::json::object to_json(const BlockId& block);
boost::json::object to_json(const Reorganisation& reorganisation);
boost::json::object to_json(const NodeRow& row);

std::map<std::string, std::uint64_t> rejected_by_all(const std::vector<NodeRow>& rows);
// Of those, the ones for which a node blames their sender.
std::uint64_t blamed(const std::map<std::string, std::uint64_t>& rejected);
bool has_banned(const NodeRow& row, const std::string& peer);
std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts);

// "6-13", "6" or, when the neighbouring heights 5 and 6 are not linked, "5|6".
std::string range_text(std::uint64_t first, std::uint64_t last);
// "1 block", "3 blocks".
std::string blocks_text(std::uint64_t count);

}  // namespace opp2p::devnet
