// One block topic from the network's side: joins it, has every message judged by the block rules of the topic's
// version, answers the router, and hands accepted blocks of others on. Own publications pass the rules as well, as in
// op-node, but are not handed back. The checks that need no memory run on the worker pool; what earlier messages decide
// is added on the network thread.
//
// Owner: BlockGossip. Thread: the network thread. Bounds: the validation queue's. Source: op-node surface, 5.5 and
// section 2 (FilterSelf).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libp2p/base/live_count.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "opstack/gossip/validation_queue.hpp"
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

class Subscriber : libp2p::LiveCounted<Subscriber> {
 public:
  using VerdictFn = std::function<void(const BlockVerdict&)>;
  // `from` is the peer that the block came from.
  using PayloadFn = std::function<void(const PeerId& from, const payload::SharedEnvelope&)>;

  // `signers` belongs to the owner and is shared by the four topics; it and `queue` outlive the subscriber.
  Subscriber(libp2p::GossipsubService& gossip, libp2p::runtime::Runtime& runtime, ValidationQueue& queue,
             rules::SignerState& signers, rules::BlockRulesConfig config, VerdictFn on_verdict, PayloadFn on_payload);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Errc::denied when the router's topic filter refuses the topic, Errc::invalid_argument when it is joined already.
  Result<void> join();
  void leave();
  const std::string& topic() const { return topic_; }

 private:
  struct Job;
  void validate(const libp2p::gossipsub::Validate& message, libp2p::GossipsubService::Done done);
  static constexpr std::size_t kLarge = 64 * 1024;  // bytes of contents
  void submit(const std::shared_ptr<Job>& job);
  void submit_parts(const std::shared_ptr<Job>& job);
  void conclude(const std::shared_ptr<Job>& job);
  void finish(const Job& job, const rules::Outcome& outcome);

  libp2p::GossipsubService& gossip_;
  libp2p::runtime::Runtime& runtime_;
  ValidationQueue& queue_;
  rules::SignerState& signers_;
  std::string topic_;
  std::shared_ptr<rules::BlockRules> rules_;  // shared with examinations on the pool, which may outlive this
  VerdictFn on_verdict_;
  PayloadFn on_payload_;
  bool joined_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace opstack::gossip
