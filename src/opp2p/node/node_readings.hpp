// NodeReadings: what a node's parts have counted and what they hold, read at one moment. For metrics: all of it is
// numbers of fixed meaning, and nothing in it was chosen by a stranger. A plain value; NodeSnapshots takes it on the
// network thread, at the cost of a walk over the open connections. Bounds: one number for each field.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "libp2p/host/host_counters.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/protocols/gossipsub/router_counters.hpp"
#include "libp2p/services/gossipsub/gossipsub_counters.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "opp2p/node/node_sizes.hpp"
#include "opstack/reputation/ban.hpp"
#include "opstack/sync/drive/follower.hpp"

namespace opp2p {

struct NodeReadings {
  // Since the start, each by its cause.
  libp2p::HostCounters host;
  libp2p::PeerstoreCounters peerstore;
  libp2p::IdentifyCounters identify;
  libp2p::GossipsubCounters gossip;
  libp2p::gossipsub::Counters router;

  NodeSizes sizes;
  // By direction, inbound first. A peer counts by its first connection.
  std::array<std::size_t, 2> connections{};
  std::array<std::size_t, 2> peers{};
  std::size_t static_peers = 0;
  std::size_t static_connected = 0;
  std::size_t known_peers = 0;
  std::size_t stranger_memory = 0;  // of Host::memory(), and its limit
  std::size_t stranger_memory_limit = 0;
  std::uint64_t bytes_in = 0;  // of the open connections, from their beginning
  std::uint64_t bytes_out = 0;
  // Of the chain's four topics, by version.
  std::array<std::size_t, 4> mesh{};
  std::array<std::size_t, 4> topic_peers{};

  // Bans in force, by rule; and what the operator blocks.
  opstack::reputation::BanCounts peer_bans{};
  opstack::reputation::BanCounts ip_bans{};
  std::size_t blocked_peers = 0;
  std::size_t blocked_ips = 0;
  std::size_t blocked_subnets = 0;

  std::uint64_t head_number = 0;  // stored; the genesis without one
  std::uint64_t highest_seen = 0;
  std::size_t holes = 0;
  std::optional<opstack::sync::BlockRef> lowest_waiting;  // the lowest signed block that does not connect to the head
  std::size_t publishing = 0;                             // own blocks that are being made
};

}  // namespace opp2p
