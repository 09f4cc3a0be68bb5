// Block gossip of one chain: joins its four topics, judges every message by the block rules, hands accepted blocks of
// others to the node and publishes the node's own. Whose signature counts can be changed at any time; a signer that was
// replaced keeps its grace period. examples/op_listener.cpp shows how it is used.
//
// Owner: the node; destroyed before the GossipsubService. Thread: the network thread. A callback must not destroy the
// object. Bounds: the validation pipeline's and the publisher's. Source: op-node surface, sections 5 and 2.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "libp2p/base/event_source.hpp"
#include "opstack/gossip/publisher.hpp"
#include "opstack/gossip/subscriber.hpp"

namespace opstack::gossip {

using libp2p::PeerId;
using libp2p::Result;
using libp2p::Seconds;
using rules::Address;

struct BlockGossipConfig {
  chain::ChainId chain_id;
  // Which version a block of this time (Unix seconds) is published as: by the fork schedule.
  Publisher::VersionAt version_at;
  std::optional<std::uint64_t> jovian_time;
  Seconds max_age{60};
  std::function<std::optional<std::string>(const payload::Envelope&)> extra_rule;
  ValidationQueueLimits queue;
};

// A peer subscribed to one of the topics, or is in it no more.
struct PeerJoinedTopic {
  PeerId peer;
  std::string topic;
};
struct PeerLeftTopic {
  PeerId peer;
  std::string topic;
};
// We did.
struct TopicJoined {
  std::string topic;
};
struct TopicLeft {
  std::string topic;
};
// A peer is in our mesh of a topic now, and is in it no more. `score` is what the cause is about, where it is the
// score.
struct PeerGrafted {
  const PeerId& peer;
  const std::string& topic;
};
struct PeerPruned {
  const PeerId& peer;
  const std::string& topic;
  libp2p::gossipsub::PruneCause cause{};
  double score = 0;
};
// A peer brought a message that had come before. Told of every copy, so it must cost little.
struct CopyReceived {
  const PeerId& peer;
  const libp2p::gossipsub::MessageId& id;
};
// A BlockVerdict is told of every message, own ones too; what it refers to is valid until the listener returns.
using BlockGossipEvent = std::variant<BlockVerdict, PeerJoinedTopic, PeerLeftTopic, TopicJoined, TopicLeft, PeerGrafted,
                                      PeerPruned, CopyReceived>;

// The router's configuration for a chain's blocks: its message id, and only its four topics.
libp2p::GossipsubConfig block_gossip_config(const chain::ChainId& chain_id, libp2p::gossipsub::Params params);

class BlockGossip final : libp2p::LiveCounted<BlockGossip> {
 public:
  // Called for each accepted block; never for our own publications.
  using PayloadFn = Subscriber::PayloadFn;

  // `gossip` outlives this.
  BlockGossip(libp2p::runtime::Runtime& runtime, libp2p::GossipsubService& gossip, BlockGossipConfig config,
              PayloadFn on_unsafe_payload);
  ~BlockGossip();
  BlockGossip(const BlockGossip&) = delete;
  BlockGossip& operator=(const BlockGossip&) = delete;

  // All four topics, or none and the error.
  Result<void> join();
  void leave();

  // Told on the network thread, where it happens: for logs, metrics and reputation.
  libp2p::Subscription subscribe(std::function<void(const BlockGossipEvent&)> listener) {
    return events_.subscribe(std::move(listener));
  }

  Publisher& publisher() { return publisher_; }

  const rules::SignerState& signers() const { return signers_; }
  // The signer from now on; the one before keeps its grace.
  void rotate_signer(std::optional<Address> signer) { signers_.rotate(signer, runtime_.now().wall); }
  void set_signers(const rules::SignerState& signers) { signers_ = signers; }

  // Messages that are being judged.
  std::size_t validating() const { return pipeline_.queue().items(); }

  // Every invariant of the four topics and of the queue, by assertion.
  void check() const;

 private:
  void on_trace(const libp2p::gossipsub::Trace& trace);
  bool is_ours(const std::string& topic) const;

  libp2p::runtime::Runtime& runtime_;
  libp2p::GossipsubService& gossip_;
  libp2p::EventSource<BlockGossipEvent> events_;
  rules::SignerState signers_;
  ValidationPipeline pipeline_;
  Publisher publisher_;
  std::array<std::unique_ptr<Subscriber>, 4> subscribers_;
  libp2p::Subscription gossip_events_;
};

}  // namespace opstack::gossip
