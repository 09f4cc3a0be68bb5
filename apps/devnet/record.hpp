// What the devnet has seen since its start: the chain that was published, and of each node its last row, its
// reorganisations, its gaps and, at the end, its chain. The steps of a story wait for it and the judgement reads
// nothing else. Pure values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/devnet/node_row.hpp"
#include "libp2p/base/time.hpp"

namespace opp2p::devnet {

// A node began to sequence on a block below the one that was published last.
struct TakeOver {
  std::string by;
  std::uint64_t parent = 0;    // its first block stands on this one
  std::uint64_t replaced = 0;  // blocks above it that were published before
};

struct NodeRecord {
  NodeRow row;              // the last; the name and the state are in it
  bool waits = false;       // the story starts it later
  bool stopped = false;     // by the story
  std::uint64_t up_at = 0;  // the number of the last published block when it came up
  std::vector<Reorganisation> reorganisations;
  std::optional<libp2p::Nanos> reorganised_at;  // the last one, by the devnet's clock
  std::uint64_t unseen_reorganisations = 0;  // counted by the node, but another one followed before the devnet looked
  std::vector<GapRow> gaps;                  // as they were when the devnet saw them first
  std::optional<libp2p::Nanos> gap_at;       // when the last one was seen, by the devnet's clock
  std::optional<libp2p::Nanos> hole_at;      // when the head was seen above a hole
  std::uint64_t gaps_filled = 0;
  std::uint64_t filled_before_gap = 0;      // NodeRow::filled when the last gap was seen
  std::optional<std::uint64_t> chain_from;  // the number of the first block of `chain`; none: it was not read
  std::vector<std::string> chain;           // hashes

  bool runs() const { return !waits && !stopped; }
  bool is_up() const { return row.state == "running"; }
};

struct Record {
  libp2p::Nanos elapsed{0};     // since the first block was begun
  libp2p::Nanos since_step{0};  // since the story's last step
  libp2p::Nanos block_time{0};
  BlockId head;                    // of the published chain
  std::vector<std::string> chain;  // the hashes of the published chain, from block 1 on; at the end
  std::vector<TakeOver> take_overs;
  std::vector<NodeRecord> nodes;      // in the order of the plan
  std::vector<std::string> problems;  // what the devnet could not do, in sentences
  std::string intruder;               // its peer id; empty: there is none
  bool bans_intruder = false;         // as the nodes are configured
  bool interrupted = false;           // a signal ended the run
  bool story_ended = false;           // all its steps were made

  // Whether it is up and has every block, but for one that may be on its way.
  bool is_in_step(std::string_view name) const;
  // Whether it holds for all that are neither stopped nor wait.
  bool all_running(const std::function<bool(const NodeRecord&)>& hold) const;
  // Nothing for a name that nobody has.
  const NodeRecord* find(std::string_view name) const;
  NodeRecord* find(std::string_view name);
};

// Something that happened once.
struct Event {
  std::string id;    // for programs: "reorganised"
  std::string text;  // for people, without the name of the node
  enum class Mood { good, notable, bad } mood = Mood::notable;
  boost::json::object data = {};
};

// What has happened to a node between its last row and this one. Takes both over into the record.
std::vector<Event> take_row(NodeRecord& node, NodeRow row, libp2p::Nanos elapsed);

}  // namespace opp2p::devnet
