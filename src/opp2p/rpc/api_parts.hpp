// ApiParts: what the RPC keeps beside a node: the histories of peers and blocks, which are sinks of the node's events,
// the ports over its parts, and a timer that samples the scores of connected peers.
//
// Owner: the daemon, after the node and before the RPC's methods. Made before the node starts, so that it hears of
// everything. Thread: the network thread. Bounds: those of the histories; a look at each connected peer every
// kInterval.
#pragma once

#include <memory>

#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/part_ports.hpp"

namespace opp2p {

class ApiParts {
 public:
  static constexpr libp2p::Nanos kInterval = libp2p::Seconds(15);

  // Both outlive it.
  ApiParts(libp2p::runtime::Runtime& runtime, Node& node);
  ~ApiParts();
  ApiParts(const ApiParts&) = delete;
  ApiParts& operator=(const ApiParts&) = delete;

  ApiPorts ports();
  // Of a node that has started.
  void start();
  void stop();

 private:
  void sample();

  libp2p::runtime::Runtime& runtime_;
  Node& node_;
  PeerHistory peers_;
  BlockHistory blocks_;
  BlockingGaterPort gating_;
  ReputationPartPort reputation_;
  StaticPeersPartPort static_peers_;
  libp2p::Subscription telling_peers_;
  libp2p::Subscription telling_blocks_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
};

}  // namespace opp2p
