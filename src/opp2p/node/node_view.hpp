// NodeView: what a sink of events may ask of the node when an event alone does not say enough. Read-only; every answer
// is of the moment of the call.
//
// Owner: the node; valid as long as it. Thread: the network thread.
#pragma once

#include <cstddef>

#include "libp2p/multiformats/peer_id.hpp"
#include "opp2p/config/config.hpp"

namespace opp2p {

class NodeView {
 public:
  virtual ~NodeView() = default;
  virtual const NodeConfig& config() const = 0;
  virtual const libp2p::PeerId& id() const = 0;
  virtual bool is_static(const libp2p::PeerId& peer) const = 0;
  virtual std::size_t static_peers() const = 0;
  // The peer has brought a block that was accepted or stored.
  virtual bool is_proven(const libp2p::PeerId& peer) const = 0;
  // The node opened one of the connections to the peer.
  virtual bool dialled(const libp2p::PeerId& peer) const = 0;
  virtual std::size_t connected_peers() const = 0;
  // Peers in the topic of the chain's blocks that has most of them.
  virtual std::size_t topic_peers() const = 0;
};

}  // namespace opp2p
