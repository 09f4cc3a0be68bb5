// A node of a chain's peer-to-peer network, without the process around it: a host with its services, block gossip, the
// unsafe chain over a store, the server of payload_by_number and the reverse sync. The daemon runs it on sockets
// (apps/opp2p/daemon.hpp), tests and simulations on a simulated runtime.
//
// This class only wires. The parts (node_parts.hpp) are made by the table of steps in node_steps.hpp; own blocks come
// in through block_intake.hpp; snapshots are taken by node_snapshots.hpp; what happens is told as NodeEvents
// (node_event.hpp), which part_listener.hpp gathers. The node writes no log: observe/node_log.hpp is a sink of its
// events.
//
// Owner: the daemon or a test; destroyed after close() and before its Runtime and store. Thread: the network thread.
// Bounds: those of its parts; NodeConfig::sync_memory for blocks that wait. Re-entrancy: neither a sink nor a listener
// may destroy or close the node.
#pragma once

#include <functional>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "opp2p/node/block_counter.hpp"
#include "opp2p/node/block_intake.hpp"
#include "opp2p/node/node_events.hpp"
#include "opp2p/node/node_parts.hpp"
#include "opp2p/node/node_snapshots.hpp"
#include "opp2p/node/node_steps.hpp"
#include "opp2p/node/part_listener.hpp"
#include "opp2p/node/parts_view.hpp"

namespace opp2p {

class Node final : libp2p::LiveCounted<Node> {
 public:
  // `store` and `runtime` outlive the node. Nothing of the node is made before start(), by `steps`: whoever has a part
  // of its own replaces the step that makes it.
  Node(libp2p::runtime::Runtime& runtime, NodeConfig config, BlockStore& store, NodeSteps steps = node_steps());
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Sinks are added before the start, so that they hear of everything, and each hears of an event before those that
  // were added after it. The node's own counter is the first.
  libp2p::Subscription add_sink(NodeSink& sink);
  // Hears of an event after all sinks; at any time, for everybody else.
  libp2p::Subscription subscribe(std::function<void(const NodeEvent&)> listener) {
    return events_.subscribe(std::move(listener));
  }

  // Makes the parts, joins the topics, listens, dials the static peers. The error says which step failed; nothing is
  // left of the others then. Once.
  Result<void> start();
  // Ends everything in the reverse order of its start, within `limit`. What the store has been given is written when it
  // is closed after.
  libp2p::runtime::Task<void> close(libp2p::Nanos limit);

  // Of a node that has started.
  libp2p::Host& host() { return *parts_.host; }
  libp2p::BlockingGater* blocking() { return parts_.blocking.get(); }
  opstack::reputation::Reputation* reputation() { return parts_.reputation.get(); }
  libp2p::storage::Datastore* datastore() { return parts_.datastore.get(); }
  // Null also when the node is stopping.
  StaticPeerList* static_peers() { return parts_.static_peers.get(); }
  const NodeConfig& config() const { return config_; }
  const NodeView& view() const { return view_; }
  const NodeSnapshots& snapshots() const { return snapshots_; }
  opstack::sync::BlockRef head() const { return snapshots_.head(); }
  const BlockStats& stats() const { return counter_.stats(); }
  // When the head's block was made; read from any thread.
  const HeadClock& head_clock() const { return counter_.head_clock(); }

  // These four of a node that has started.
  using Done = BlockIntake::Done;
  // Signs the block with the node's sequencer key, stores it, and gossips it. `done` when both have happened, also when
  // the block is too old to be gossiped: it is part of the node's chain then all the same.
  void publish(opstack::payload::SharedEnvelope envelope, Done done);
  // The same with a signature that is there already.
  void publish_signed(opstack::payload::SharedEnvelope envelope, const opstack::rules::Signature& signature, Done done);
  // Takes over a block that the operator vouches for, if it extends the head or fills a hole by its hash: otherwise
  // Errc::would_block. Its hash is checked, its time, and the fields by the rules of its fork. `done` when it is
  // stored.
  void post_unsafe_payload(opstack::payload::SharedEnvelope envelope, Done done);

  // From now on blocks of this signer count; those of the one before for a time (opstack/rules/signer_state.hpp). Opens
  // an era. The configuration keeps the signer that the node was started with.
  void rotate_signer(const opstack::rules::Address& signer);

  libp2p::runtime::Task<Result<void>> connect(libp2p::Multiaddr address);
  Result<void> disconnect(const libp2p::PeerId& peer);

  // Ends the process when an invariant of a part is violated. Outside of the node's calls; for simulations and tests.
  void check() const;
  // The part of it that does not walk over blocks: host, gossip and server.
  void check_network() const;

 private:
  NodeWiring wiring() { return {runtime_, config_, store_, parts_, events_, listener_}; }

  libp2p::runtime::Runtime& runtime_;
  NodeConfig config_;
  BlockStore& store_;
  BlockCounter counter_;
  NodeEvents events_;
  NodeParts parts_;
  NodeConstruction construction_;
  const PartsView view_{parts_, config_};
  const NodeSnapshots snapshots_{parts_, view_, counter_};
  BlockIntake intake_{parts_, config_, events_};
  libp2p::Subscription counting_;
  PartListener listener_{parts_, view_, events_};
  bool started_ = false;
  libp2p::LifeToken life_;
};

}  // namespace opp2p
