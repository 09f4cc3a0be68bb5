// A node of a chain's peer-to-peer network, without the process around it: a host with its services, block gossip, the
// unsafe chain over a store, the server of payload_by_number and the reverse sync. The daemon runs it on sockets
// (apps/opp2p/daemon.hpp), tests and simulations on a simulated runtime.
//
// Owner: the daemon or a test; destroyed after close() and before its Runtime, store and log. Thread: the network
// thread. Bounds: those of its parts; NodeConfig::sync_memory for blocks that wait.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/live_count.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "libp2p/services/static_peers/static_peers.hpp"
#include "opp2p/config/config.hpp"
#include "opp2p/node/sizes.hpp"
#include "opp2p/node/snapshots.hpp"
#include "opp2p/observe/block_log.hpp"
#include "opp2p/observe/block_stats.hpp"
#include "opp2p/observe/event_log.hpp"
#include "opp2p/observe/health.hpp"
#include "opp2p/observe/log.hpp"
#include "opp2p/observe/peer_log.hpp"
#include "opp2p/observe/sync_log.hpp"
#include "opp2p/store/block_store_adapter.hpp"
#include "opp2p/store/store.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/sync/drive/follower.hpp"
#include "opstack/sync/drive/sync_server.hpp"

namespace opp2p {

using libp2p::Result;

class Node final : libp2p::LiveCounted<Node> {
 public:
  // `store`, `log` and `runtime` outlive the node.
  Node(libp2p::runtime::Runtime& runtime, NodeConfig config, BlockStore& store, Log& log);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Listens, joins the topics, dials the static peers. The error says which of it failed.
  Result<void> start();
  // Everything in the reverse order of its start, within `limit`. What the store has been given is written when it is
  // closed after.
  libp2p::runtime::Task<void> close(libp2p::Nanos limit);

  libp2p::Host& host() { return *host_; }
  const NodeConfig& config() const { return config_; }

  using Done = std::function<void(Result<void>)>;
  // Signs the block with the node's sequencer key, gossips it, and takes it over as its own head. `done` when it is
  // stored.
  void publish(opstack::payload::SharedEnvelope envelope, Done done);
  // The same with a signature that is there already.
  void publish_signed(opstack::payload::SharedEnvelope envelope, const opstack::rules::Signature& signature, Done done);
  // Takes over a block that the operator vouches for: its hash is checked, and the fields by the rules of its fork.
  // `done` when it is stored; a block that does not connect yet waits in memory, and the answer is Errc::would_block.
  void post_unsafe_payload(opstack::payload::SharedEnvelope envelope, Done done);

  // Snapshots for the RPC: copies of plain values, from which others make JSON. Those of peers are taken one by one
  // from a list, so that whoever takes them can stop in between.
  PeerSnapshot self() const;
  PeerList list_peers(bool connected_only) const;
  PeerSnapshot snapshot_of(const libp2p::PeerId& peer, const PeerList& list) const;
  PeerStatsSnapshot peer_stats() const;
  StatusSnapshot status() const;
  libp2p::runtime::Task<Result<void>> connect(libp2p::Multiaddr address);
  Result<void> disconnect(const libp2p::PeerId& peer);

  // The head that is stored and may be told.
  opstack::sync::BlockRef head() const;
  const BlockStats& stats() const { return stats_; }
  // When the head's block was made; read from any thread.
  const HeadClock& head_clock() const { return head_clock_; }
  // What the node's queues hold now.
  NodeSizes sizes() const;
  // Ends the process when an invariant of a part is violated. Outside of the node's calls; for simulations and tests.
  void check() const;

 private:
  opstack::gossip::Publisher::Done taking_over(opstack::payload::SharedEnvelope envelope, Done done);

  // --- the events of block gossip and of the follower ---
  void listen();
  void on(const opstack::gossip::BlockVerdict& verdict);
  void on(const opstack::gossip::PeerJoinedTopic& event);
  void on(const opstack::gossip::PeerLeftTopic& event);
  void on(const opstack::gossip::TopicJoined& event);
  void on(const opstack::gossip::TopicLeft& event);
  void on(const opstack::sync::BlockStored& event);
  void on(const opstack::sync::StoreFailed& event);
  void on(const opstack::sync::ChainTrace& trace);
  void on(const opstack::sync::SyncTrace& trace);
  void on(const opstack::sync::SyncFault& fault);
  void on(const opstack::sync::PeerReport&) {}  // for reputation
  Surroundings surroundings() const;

  libp2p::runtime::Runtime& runtime_;
  NodeConfig config_;
  BlockStore& store_;
  Log& log_;
  BlockStats stats_;
  HeadClock head_clock_;
  EventLog events_;
  SyncLog sync_log_;

  // In the order of their start; the destructor takes them down the other way round.
  std::unique_ptr<libp2p::Host> host_;
  std::unique_ptr<PeerLog> peer_log_;
  std::unique_ptr<libp2p::IdentifyService> identify_;
  std::unique_ptr<libp2p::PingService> ping_;
  libp2p::gossipsub::NeutralScores scores_;
  std::unique_ptr<libp2p::GossipsubService> gossip_;
  std::unique_ptr<BlockStoreAdapter> chain_;
  std::unique_ptr<opstack::sync::Follower> follower_;
  std::unique_ptr<opstack::sync::SyncServer> server_;
  std::unique_ptr<BlockLog> block_log_;
  std::unique_ptr<opstack::gossip::BlockGossip> blocks_;
  std::unique_ptr<libp2p::StaticPeers> static_peers_;
  std::vector<libp2p::Subscription> subscriptions_;
};

}  // namespace opp2p
