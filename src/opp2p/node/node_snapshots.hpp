// NodeSnapshots: takes the snapshots of a node (snapshots.hpp, node_sizes.hpp): copies of plain values, of the moment
// of the call. Snapshots of peers are taken one by one from a list, so that whoever takes them can stop in between.
//
// Owner: the node; destroyed before its parts. Thread: the network thread. Bounds: those of the snapshots.
#pragma once

#include <functional>

#include "opp2p/node/block_counter.hpp"
#include "opp2p/node/node_parts.hpp"
#include "opp2p/node/node_readings.hpp"
#include "opp2p/node/node_sizes.hpp"
#include "opp2p/node/node_view.hpp"
#include "opp2p/node/snapshots.hpp"

namespace opp2p {

class NodeSnapshots {
 public:
  // All outlive it.
  NodeSnapshots(const NodeParts& parts, const NodeView& view, const BlockCounter& counter)
      : parts_(parts), view_(view), counter_(counter) {}
  NodeSnapshots(const NodeSnapshots&) = delete;
  NodeSnapshots& operator=(const NodeSnapshots&) = delete;

  PeerSnapshot self() const;
  PeerList list_peers(bool connected_only) const;
  PeerSnapshot snapshot_of(const libp2p::PeerId& peer, const PeerList& list) const;
  PeerStatsSnapshot peer_stats() const;
  // All parts of a peer's score; nothing when it is not scored or not known.
  std::optional<libp2p::gossipsub::PeerScoreParts> score_of(const libp2p::PeerId& peer) const;
  // These two of a node that has started.
  StatusSnapshot status() const;
  // The head that is stored and may be told; the chain's genesis without one.
  opstack::sync::BlockRef head() const;
  // What the node's queues hold now.
  NodeSizes sizes() const;
  // What its parts have counted and hold; also of a node that has not started.
  NodeReadings readings() const;
  // Calls `take` with the scores of each connected peer that is scored.
  using TakeScore = std::function<void(const opstack::reputation::PeerScoreRecord&)>;
  void each_score(const TakeScore& take) const;

 private:
  void read_network(NodeReadings& out) const;
  const NodeParts& parts_;
  const NodeView& view_;
  const BlockCounter& counter_;
};

}  // namespace opp2p
