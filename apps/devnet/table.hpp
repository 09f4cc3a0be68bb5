// The devnet's status as text: first the news (which node is behind, what it fetches, who has just reorganised, what
// the nodes rejected from the intruder), then one line per node. Pure: values in, text out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/devnet/node_row.hpp"
#include "apps/devnet/screen.hpp"

namespace opp2p::devnet {

struct DevnetStatus {
  std::int64_t seconds = 0;
  std::uint64_t head = 0;  // the last block that was published
  std::vector<NodeRow> rows;
  bool foreign_peers = false;  // there are others than the intruder whose messages may be rejected
  bool has_intruder = true;
  std::string intruder;  // its peer id
  bool intruder_runs = true;
};

// What is not as it always is, a line each: who has ended, is silent or starts, who is behind and what it fetches, who
// has just reorganised, and below whose head blocks are missing.
struct News {
  Colour colour = Colour::none;
  std::string text;
};
std::vector<News> news_of(const DevnetStatus& status);

// What a row says beyond its numbers: "sequences; reorganised 1x, depth 3; hole 6-13".
std::string marks_of(const NodeRow& row);

// For a terminal: the title, the news, what was rejected, and the nodes; within `size`. What does not fit is said.
std::vector<std::string> live_lines(const DevnetStatus& status, TerminalSize size, bool colours);
// For everything else: the same as lines for a log.
std::string plain_lines(const DevnetStatus& status);

// "/ip4/127.0.0.1/tcp/1/p2p/16Uiu2..8hDzsab": a peer id as a terminal shows it, its ends.
std::string with_short_peer_id(const std::string& address);

}  // namespace opp2p::devnet
