// One sentence for people: why a peer is gone, banned, blocked or low, and why a block was accepted, rejected or late.
// Pure functions over what the histories and the reputation system know.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "opp2p/observe/block_history.hpp"
#include "opp2p/observe/peer_history.hpp"
#include "opstack/reputation/ban.hpp"
#include "opstack/reputation/ban_text.hpp"

namespace opp2p {

// What is known of a peer.
struct PeerFacts {
  libp2p::PeerId peer;
  bool is_self = false;
  bool connected = false;
  bool blocked = false;  // by the operator
  bool is_static = false;
  bool is_protected = false;
  std::optional<opstack::reputation::Ban> ban;
  std::optional<std::string> kept_out;  // by its score, and why
  std::optional<double> score;          // now; none when it is not scored
  libp2p::gossipsub::ScoreThresholds thresholds;
  std::vector<opstack::reputation::Fault> faults;  // on record, the oldest first
  std::optional<PeerTimeline> timeline;
};
std::string why_peer(const PeerFacts& facts, libp2p::UnixTime now);

// What is known of a block and of its height.
struct BlockFacts {
  std::optional<opstack::payload::Hash> hash;  // that was asked for
  std::optional<std::uint64_t> number;         // that was asked for, or that of the block
  std::vector<BlockRecord> records;            // of the block or of the height
  std::vector<BlockRecord> height;             // the others of the height
  std::uint64_t crowded = 0;                   // refused blocks of the height without a record
  // Of the store.
  bool stored = false;
  bool canonical = false;
  std::string orphan_reason;
  std::uint64_t head = 0;
  std::uint64_t block_time = 2;
};
std::string why_block(const BlockFacts& facts);

// "1 peer", "2 peers".
std::string count_text(std::uint64_t count, const char* one, const char* many);
using opstack::reputation::time_text;
// "3 min 5 s", at most two units.
std::string rough_duration(libp2p::Nanos duration);

}  // namespace opp2p
