// BlockIntake: blocks that do not come from peers: those that the node publishes, and those that its operator vouches
// for. The follower keeps each of them; a published block is gossiped after that.
//
// Owner: the node, once it has started; destroyed before its parts. Thread: the network thread. Bounds: the publisher's
// and the follower's. Source: op-node surface, 5.7 and section 10.
#pragma once

#include <functional>

#include "opp2p/node/node_events.hpp"
#include "opp2p/node/node_parts.hpp"

namespace opp2p {

using libp2p::Result;

class BlockIntake {
 public:
  using Done = std::function<void(Result<void>)>;

  // All outlive it.
  BlockIntake(NodeParts& parts, const NodeConfig& config, NodeEvents& events)
      : parts_(parts), config_(config), events_(events) {}
  BlockIntake(const BlockIntake&) = delete;
  BlockIntake& operator=(const BlockIntake&) = delete;

  // What Node::publish(), publish_signed() and post_unsafe_payload() do.
  void publish(opstack::payload::SharedEnvelope envelope, Done done);
  void publish_signed(opstack::payload::SharedEnvelope envelope, const opstack::rules::Signature& signature, Done done);
  void post_unsafe_payload(opstack::payload::SharedEnvelope envelope, Done done);

 private:
  opstack::gossip::Publisher::Done telling(Done done);

  NodeParts& parts_;
  const NodeConfig& config_;
  NodeEvents& events_;
};

}  // namespace opp2p
