// One block topic from the network's side: joins it, has every message judged by the block rules of the topic's
// version, answers the router, and hands accepted blocks of others on, with the bytes that they came in. Own
// publications pass the rules as well, as in op-node, but are not handed on. The validation pipeline runs the checks
// that need no memory; what earlier messages decide is added here, on the network thread.
//
// Owner: BlockGossip. Thread: the network thread. Bounds: the pipeline's. Re-entrancy: a verdict is told, and then the
// router answered, inside the router's call or later; an accepted block is handed on from the runtime's queue. Neither
// may destroy the subscriber. The router hears of a rejection that nobody is to blame for (rules/blame.hpp) as such.
// Source: op-node surface, 5.5 and section 2 (FilterSelf).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "opstack/gossip/validation_pipeline.hpp"
#include "opstack/rules/block_rules.hpp"

namespace opstack::gossip {

using libp2p::Result;
using rules::Version;

using libp2p::ByteView;
using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::Now;
using libp2p::PeerId;

// What became of one message, for logs and metrics.
struct BlockVerdict {
  const std::string& topic;
  Version version;
  libp2p::gossipsub::MessageId message_id;
  const PeerId& from;  // empty for our own
  bool local;
  const rules::Outcome& outcome;
  std::size_t bytes;  // as gossiped
  Nanos took;         // from the message's arrival to the verdict
};

// An accepted block of somebody else, with the bytes that it came in: its body is a slice of the decompressed message.
struct AcceptedBlock {
  PeerId from;  // the peer that brought it
  payload::Block block;
  rules::Signature signature{};
  rules::Address signer{};
};

class Subscriber : libp2p::LiveCounted<Subscriber> {
 public:
  using VerdictFn = std::function<void(const BlockVerdict&)>;
  using PayloadFn = std::function<void(const AcceptedBlock&)>;

  // `signers` belongs to the owner and is shared by the four topics; it and `pipeline` outlive the subscriber.
  Subscriber(libp2p::GossipsubService& gossip, libp2p::runtime::Runtime& runtime, ValidationPipeline& pipeline,
             rules::SignerState& signers, rules::BlockRulesConfig config, VerdictFn on_verdict, PayloadFn on_payload);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Errc::denied when the router's topic filter refuses the topic, Errc::invalid_argument when it is joined already.
  Result<void> join();
  void leave();
  const std::string& topic() const { return topic_; }

  // Every invariant of the topic's rules, by assertion.
  void check() const { rules_.check(); }

 private:
  struct Job;
  void validate(const libp2p::gossipsub::Validate& message, libp2p::GossipsubService::Done done);
  void examine(const std::shared_ptr<Job>& job, rules::Examination examination);
  void conclude(const std::shared_ptr<Job>& job, rules::Examination examination);
  void finish(const Job& job, const rules::Outcome& outcome);

  libp2p::GossipsubService& gossip_;
  libp2p::runtime::Runtime& runtime_;
  ValidationPipeline& pipeline_;
  rules::SignerState& signers_;
  std::string topic_;
  rules::BlockRules rules_;
  VerdictFn on_verdict_;
  PayloadFn on_payload_;
  bool joined_ = false;
  libp2p::LifeToken life_;
};

}  // namespace opstack::gossip
