// The JSON shapes of the opp2p_ methods: op-node's keys, their order and numbers. What is not known, a latency or a
// score, is null where op-node writes 0: its clients read both as 0, and others can tell them apart. What peers say of
// themselves is made text by libp2p/base/peer_text.hpp. Pure functions over a snapshot. Source: op-node surface,
// section 10.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opp2p/observe/stats.hpp"

namespace opp2p {

// The numbers of go-libp2p.
enum class Connectedness : std::uint8_t {
  not_connected = 0,
  connected = 1,
  can_connect = 2,
  cannot_connect = 3,
  limited = 4
};
enum class ConnectionDirection : std::uint8_t { unknown = 0, inbound = 1, outbound = 2 };

struct PeerSnapshot {
  libp2p::PeerId id;
  std::optional<libp2p::crypto::PublicKey> key;
  std::string user_agent;
  std::string protocol_version;
  std::vector<libp2p::Multiaddr> addresses;  // without /p2p
  std::optional<std::vector<std::string>> protocols;
  Connectedness connectedness = Connectedness::not_connected;
  ConnectionDirection direction = ConnectionDirection::unknown;
  bool is_protected = false;
  std::optional<libp2p::Nanos> latency;
  bool gossip_blocks = false;
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
  struct Gap {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
  };
  libp2p::PeerId peer_id;
  std::uint64_t head_number = 0;
  std::string head_hash;
  std::uint64_t highest_seen = 0;
  std::size_t peers = 0;
  std::size_t mesh = 0;
  BlockStats stats;
  std::optional<Gap> gap;
  std::string version;  // of the program
  std::optional<libp2p::Nanos> uptime;
  std::optional<libp2p::Nanos> head_age;  // nothing without a head
};

// keccak256 of the uncompressed key, hexadecimal without 0x; zeros for a key that is not secp256k1.
std::string node_id(const std::optional<libp2p::crypto::PublicKey>& key);

boost::json::object peer_info(const PeerSnapshot& peer);
// A dump in parts: its beginning, "ID":{…} for each peer with commas between, its end.
std::string peer_dump_begin(std::size_t connected);
std::string peer_dump_item(const PeerSnapshot& peer);
std::string peer_dump_end(const BlockedSnapshot& blocked);
boost::json::object peer_stats(const PeerStatsSnapshot& stats);
boost::json::object status_json(const StatusSnapshot& status);

}  // namespace opp2p
