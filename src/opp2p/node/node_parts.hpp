// NodeParts: what a node is made of. The steps of its construction (node_steps.hpp) make the parts in this order and
// take them away in reverse; a part uses only parts above it. Nothing but the id is here before the node starts, and
// after a start that failed.
//
// Owner: the node. Thread: the network thread. Bounds: those of the parts.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/host/peerstore_archive.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "libp2p/storage/datastore.hpp"
#include "opp2p/node/backoff_keeper.hpp"
#include "opp2p/node/peer_scoring.hpp"
#include "opp2p/node/static_peer_list.hpp"
#include "opp2p/store/block_store_adapter.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/reputation/reputation.hpp"
#include "opstack/sync/drive/follower.hpp"
#include "opstack/sync/drive/sync_server.hpp"

namespace opp2p {

struct NodeParts {
  libp2p::PeerId id;
  std::optional<libp2p::HostConfig> host_config;  // until the host is made of it
  std::shared_ptr<libp2p::storage::Datastore> datastore;
  std::unique_ptr<libp2p::storage::BatchWriter> writer;  // of what has none of its own
  std::shared_ptr<libp2p::BlockingGater> blocking;       // the innermost
  std::unique_ptr<opstack::reputation::Reputation> reputation;
  std::shared_ptr<libp2p::Gater> gater;  // the outermost
  std::unique_ptr<libp2p::Host> host;
  std::unique_ptr<libp2p::PeerstoreArchive> archive;  // keeps the host's peerstore in the datastore
  std::unique_ptr<libp2p::IdentifyService> identify;
  std::unique_ptr<libp2p::PingService> ping;
  std::unique_ptr<libp2p::GossipsubService> gossip;
  std::unique_ptr<BlockStoreAdapter> chain;
  std::unique_ptr<opstack::sync::Follower> follower;
  std::unique_ptr<opstack::sync::SyncServer> server;  // none with --p2p.sync.req-resp=false
  std::unique_ptr<opstack::gossip::BlockGossip> blocks;
  std::unique_ptr<BackoffKeeper> backoffs;
  std::unique_ptr<PeerScoring> scoring;
  std::vector<libp2p::Multiaddr> announced;  // besides the addresses that the host listens at
  std::unique_ptr<StaticPeerList> static_peers;
  std::set<libp2p::PeerId> static_ids;  // of those in static_peers, also after they are gone
};

}  // namespace opp2p
