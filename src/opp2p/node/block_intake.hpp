// BlockIntake: blocks that do not come from peers: those that the node publishes, and those that its operator vouches
// for. The follower keeps each of them; a published block is gossiped after that. A block that the operator vouches for
// is hashed and encoded on the worker pool. The follower gets these blocks in the order in which they were posted,
// whichever is ready first.
//
// Owner: the node, once it has started; destroyed before its parts. Thread: the network thread. Bounds: the publisher's
// and the follower's; `kMostVouched` posted blocks on the worker pool, further ones are Errc::exhausted. Re-entrancy:
// `done` may run inside publish() and post_unsafe_payload(), and inside the destructor. It may destroy the intake,
// except in these calls. Source: op-node surface, 5.7 and section 10.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "libp2p/base/life_token.hpp"
#include "opp2p/config/config.hpp"
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
  // Answers Errc::closed for the blocks that are still on the worker pool.
  ~BlockIntake() { stop(); }
  void stop();

  // What Node::publish(), publish_signed() and post_unsafe_payload() do.
  void publish(opstack::payload::SharedEnvelope envelope, Done done);
  void publish_signed(opstack::payload::SharedEnvelope envelope, const opstack::rules::Signature& signature, Done done);
  void post_unsafe_payload(opstack::payload::SharedEnvelope envelope, Done done);

 private:
  struct Vouched;
  static constexpr std::size_t kMostVouched = 64;

  opstack::gossip::Publisher::Done telling(Done done);

  // On a worker: the block with its header, or what is wrong with it.
  static Result<opstack::payload::Block> make_vouched(const Vouched& job);
  // Gives what is ready to the follower, up to the first block that is not.
  void hand_over();

  NodeParts& parts_;
  const NodeConfig& config_;
  NodeEvents& events_;
  std::deque<std::shared_ptr<Vouched>> vouched_;  // in the order of their calls
  libp2p::LifeToken life_;
};

}  // namespace opp2p
