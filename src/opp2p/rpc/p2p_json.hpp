// The JSON of the opp2p_ methods, made of the node's snapshots: op-node's keys, their order and numbers. A latency or a
// score that is not known is null where op-node writes 0: its clients read both as 0, and others can tell them apart.
// What peers say of themselves is made readable by libp2p/base/peer_text.hpp. Pure functions. Source: op-node surface,
// section 10.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>

#include "opp2p/node/snapshots.hpp"

namespace opp2p {

// keccak256 of the uncompressed key, hexadecimal without 0x; zeros for a key that is not secp256k1.
std::string node_id(const std::optional<libp2p::crypto::PublicKey>& key);

boost::json::object peer_json(const PeerSnapshot& peer);
// A dump in parts: its beginning, "ID":{…} for each peer with commas between, its end.
std::string peer_dump_begin(std::size_t connected);
std::string peer_dump_item(const PeerSnapshot& peer);
// Without a gater the lists are null, as op-node's.
std::string peer_dump_end(const std::optional<BlockedSnapshot>& blocked);
boost::json::value blocked_peers_json(const BlockedSnapshot& blocked);
boost::json::value blocked_addresses_json(const BlockedSnapshot& blocked);
boost::json::value blocked_subnets_json(const BlockedSnapshot& blocked);  // Go's net.IPNet
boost::json::object peer_stats_json(const PeerStatsSnapshot& stats);
boost::json::object status_json(const StatusSnapshot& status);

}  // namespace opp2p
