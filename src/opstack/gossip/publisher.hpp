// Publishes blocks: encodes, signs and compresses on the worker pool, and gives the message to GossipSub on the topic
// of the block's own time. What is published passes the block rules of this node first, as in op-node, so a block that
// every peer would refuse is an error here. The block is encoded once; PublishedBlock has the bytes, for the store.
//
// The owner may keep a block before anybody else gets it (set_keep): a block of an allowed signer is gossiped only once
// it is kept. What no peer would ever take from us is refused before that: a block that breaks a rule of its fork, and
// one of the future. When the block rules refuse it after it was kept, because it is too old for one, it stays kept,
// and the publication succeeds with the reason in PublishedBlock::not_gossiped.
//
// Owner: BlockGossip. Thread: the network thread. Two blocks that are published at once may leave in either order.
// Bounds: blocks that are being made, in items (more are Errc::exhausted). Re-entrancy: `done` runs
// inside publish() when the block is refused at once, else later; it must not destroy the publisher. Source: op-node
// surface, 5.7.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "opstack/rules/block_message.hpp"
#include "opstack/rules/block_rules.hpp"

namespace opstack::gossip {

using libp2p::Result;
using rules::Address;
using rules::Secret;
using rules::Signature;
using rules::Version;

struct PublishedBlock {
  std::string topic;
  Version version = Version::v1;
  Signature signature{};
  Address signer{};
  libp2p::gossipsub::MessageId message_id;
  std::size_t bytes = 0;     // as gossiped
  payload::Block block;      // with the body that was signed and gossiped
  std::string not_gossiped;  // why nobody got it; empty when it was gossiped
  // From the call of publish(): until it was kept, and until the publication had ended. Without a Keep, the first is 0.
  libp2p::Nanos kept_after{};
  libp2p::Nanos done_after{};
  PublishedBlock() = default;
};

class Publisher : libp2p::LiveCounted<Publisher> {
 public:
  using Done = std::function<void(Result<PublishedBlock>)>;
  // Which version a block of this time (Unix seconds) has. Empty where nothing is published: publish() then fails.
  using VersionAt = std::function<Version(std::uint64_t timestamp)>;
  // Keeps a block that is about to be gossiped. `kept` is called on the network thread, once.
  using Keep = std::function<void(const PublishedBlock&, std::function<void(Result<void>)> kept)>;

  // `rules`: those that a block has to keep before it is kept, of whatever version.
  Publisher(libp2p::GossipsubService& gossip, libp2p::runtime::Runtime& runtime, rules::BlockRulesConfig rules,
            VersionAt version_at);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // The key that signs from now on; none: nothing can be published unsigned. Kept in memory only.
  void set_key(std::optional<Secret> key) { key_ = key; }
  // `allows`: whether a signer's blocks count now. Those of others are not kept: the block rules say why.
  void set_keep(Keep keep, std::function<bool(const Address&)> allows) {
    keep_ = std::move(keep);
    allows_ = std::move(allows);
  }
  // Whose signature publish() makes.
  std::optional<Address> signer() const;
  // Blocks that are being made.
  std::size_t making() const { return making_; }

  // Without a key: Errc::denied, "node has no p2p signer, payload … cannot be published". Errc::invalid_argument,
  // mismatch or too_large for a block that cannot be sent, Errc::mismatch "validation failed" for one that the rules
  // refuse.
  void publish(payload::SharedEnvelope envelope, Done done);
  // The same with somebody else's signature over the block.
  void publish_signed(payload::SharedEnvelope envelope, const Signature& signature, Done done);

  libp2p::runtime::Task<Result<PublishedBlock>> publish(payload::SharedEnvelope envelope);
  libp2p::runtime::Task<Result<PublishedBlock>> publish_signed(payload::SharedEnvelope envelope, Signature signature);

 private:
  struct Job;
  struct Wait;
  void make(std::shared_ptr<Job> job);
  void on_made(const std::shared_ptr<Job>& job);
  // Why a block is not kept.
  std::optional<libp2p::Error> refusal(const Job& job) const;
  void send(const std::shared_ptr<Job>& job);
  libp2p::runtime::Task<Result<PublishedBlock>> wait_for(std::shared_ptr<Wait> wait);

  libp2p::GossipsubService& gossip_;
  libp2p::runtime::Runtime& runtime_;
  const rules::BlockRulesConfig rules_;
  VersionAt version_at_;
  std::optional<Secret> key_;
  Keep keep_;
  std::function<bool(const Address&)> allows_;
  std::size_t making_ = 0;
  libp2p::LifeToken life_;
};

}  // namespace opstack::gossip
