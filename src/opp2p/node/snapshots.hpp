// What the node tells of itself and its peers when it is asked: plain values, copied at one moment, from which others
// make JSON or a page. The node takes them on the network thread; afterwards any thread may own them. Bounds: what a
// peer says of itself is cut to the limits below when the snapshot is taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/connection_id.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/crypto/hash.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opp2p/node/block_stats.hpp"
#include "opstack/reputation/peer_score_record.hpp"

namespace opp2p {

// The numbers of go-libp2p.
enum class Connectedness : std::uint8_t {
  not_connected = 0,
  connected = 1,
  can_connect = 2,
  cannot_connect = 3,
  limited = 4
};

struct PeerSnapshot {
  libp2p::PeerId id;
  std::optional<libp2p::crypto::PublicKey> key;
  std::string user_agent;
  std::string protocol_version;
  std::vector<libp2p::Multiaddr> addresses;  // without /p2p
  std::optional<std::vector<std::string>> protocols;
  Connectedness connectedness = Connectedness::not_connected;
  std::optional<libp2p::Direction> direction;  // of the first connection; none without one
  bool is_protected = false;
  std::optional<libp2p::Nanos> latency;
  bool gossip_blocks = false;
  std::optional<opstack::reputation::GossipScores> score;  // nothing when nobody is scored, or the peer is not known
  std::optional<opstack::reputation::ReqRespScores> req_resp;
  std::string enr;             // from the peer's metadata; empty when it is not known
  std::uint64_t chain_id = 0;  // the same; 0 when it is not known
};

// Peers whose snapshots are taken, in order, and what is the same for all of them.
struct PeerList {
  std::vector<libp2p::PeerId> ids;
  std::vector<libp2p::PeerId> gossiping;  // those in any of the blocks' topics, sorted
  std::size_t connected = 0;              // of ids
};

// Bounds of one peer's part of a dump; what a peer says of itself beyond them is left out.
inline constexpr std::size_t kMaxPeerText = 256;  // bytes of its agent, its version and each protocol
inline constexpr std::size_t kMaxPeerProtocols = 128;
inline constexpr std::size_t kMaxPeerAddresses = 32;
inline constexpr std::size_t kMaxPeerEnr = 512;

struct BlockedSnapshot {
  std::vector<libp2p::PeerId> peers;
  std::vector<std::string> addresses;
  std::vector<std::string> subnets;  // CIDR
};

struct PeerStatsSnapshot {
  std::size_t connected = 0;
  std::size_t table = 0;
  std::size_t blocks_topic[4] = {};  // V1 to V4
  std::size_t banned = 0;
  std::size_t known = 0;
};

struct StatusSnapshot {
  // Signed blocks above the head that do not connect to it: from the head to the lowest of them.
  struct Gap {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
  };
  // A missing parent below the head. Numbers from `first` to `last` are missing; none is where first > last: two blocks
  // of neighbouring numbers that are not linked.
  struct Hole {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    libp2p::crypto::Hash256 parent_hash{};  // of the block above the hole
  };
  static constexpr std::size_t kMostHoles = 16;
  libp2p::PeerId peer_id;
  std::uint64_t head_number = 0;
  libp2p::crypto::Hash256 head_hash{};
  std::uint64_t highest_seen = 0;
  std::size_t peers = 0;
  std::size_t mesh = 0;
  BlockStats stats;
  std::optional<Gap> gap;
  std::uint64_t connected_from = 0;  // the lowest block of the head's segment
  std::vector<Hole> holes;           // the highest first, at most kMostHoles
  std::size_t hole_count = 0;        // all of them
  std::optional<std::uint64_t> settled;
  // Of the program that the node runs in, which adds them.
  std::string version;
  std::optional<libp2p::Nanos> uptime;
  std::optional<libp2p::Nanos> head_age;  // nothing without a head
};

}  // namespace opp2p
