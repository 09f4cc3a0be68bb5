// The JSON shapes of the opp2p_ methods, exactly op-node's: keys, their order, nulls and numbers. Pure functions over a snapshot.
// Source: op-node surface, section 10.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "multiformats/multiaddr.hpp"
#include "multiformats/peer_id.hpp"

namespace opp2p::node {

// The numbers of go-libp2p.
enum class Connectedness : std::uint8_t { not_connected = 0, connected = 1, can_connect = 2, cannot_connect = 3, limited = 4 };
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
  libp2p::Nanos latency{};
  bool gossip_blocks = false;
};

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

// keccak256 of the uncompressed key, hexadecimal without 0x; zeros for a key that is not secp256k1.
std::string node_id(const std::optional<libp2p::crypto::PublicKey>& key);

boost::json::object peer_info(const PeerSnapshot& peer);
boost::json::object peer_dump(const std::vector<PeerSnapshot>& peers, const BlockedSnapshot& blocked);
boost::json::object peer_stats(const PeerStatsSnapshot& stats);

}  // namespace opp2p::node
