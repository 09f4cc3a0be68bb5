// NodeParts: what a node is made of, each part made from the node's configuration. A part uses only parts above it; the
// destructor takes them down from the last to the first. Nothing is wired here: Node (node.hpp) subscribes and starts.
//
// Owner: the node. Thread: the network thread. Bounds: those of the parts.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "libp2p/services/static_peers/static_peers.hpp"
#include "opp2p/config/config.hpp"
#include "opp2p/node/peer_scoring.hpp"
#include "opp2p/store/block_store_adapter.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/sync/drive/follower.hpp"
#include "opstack/sync/drive/sync_server.hpp"

namespace opp2p {

struct NodeParts {
  // From the start.
  std::unique_ptr<libp2p::Host> host;
  std::unique_ptr<libp2p::IdentifyService> identify;
  std::unique_ptr<libp2p::PingService> ping;
  std::unique_ptr<PeerScoring> scoring;
  std::unique_ptr<libp2p::GossipsubService> gossip;
  std::unique_ptr<BlockStoreAdapter> chain;
  // From Node::start().
  std::unique_ptr<opstack::sync::Follower> follower;
  std::unique_ptr<opstack::sync::SyncServer> server;  // none with --p2p.sync.req-resp=false
  std::unique_ptr<opstack::gossip::BlockGossip> blocks;
  std::unique_ptr<libp2p::StaticPeers> static_peers;
  std::set<libp2p::PeerId> static_ids;  // of those in static_peers, also after they are gone

  // The host alone: who hears of it first subscribes before the other parts do.
  explicit NodeParts(std::unique_ptr<libp2p::Host> the_host) : host(std::move(the_host)) {}
  // Identify, ping, gossip with its scores, and the chain's store.
  void make_services(const NodeConfig& config, BlockStore& store);
  // The chain that the store has (without a head it begins at the first accepted block), and its server. `config`
  // outlives them.
  void make_chain(const NodeConfig& config, const opstack::sync::ChainView& view);
  // Block gossip, which hands accepted blocks to the chain.
  void make_block_gossip(const NodeConfig& config);
};

std::unique_ptr<libp2p::Host> make_host(libp2p::runtime::Runtime& runtime, const NodeConfig& config);

}  // namespace opp2p
