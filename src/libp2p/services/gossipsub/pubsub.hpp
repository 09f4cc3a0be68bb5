// Publish and subscribe in a few lines: PubSub is a GossipsubService with signatures, and with a PeerScorer when it is
// given parameters for one. examples/gossip_chat.cpp shows it.
//
// A PubSub joins topics. Each is a PubSubTopic, which publishes, subscribes and judges messages, and leaves the topic
// when it is destroyed. As in go-libp2p-pubsub messages are signed with the host's key (StrictSign), own messages pass
// the topic's validator, and then own subscribers get them too. Other than there, joining a topic announces it to peers
// before anybody subscribes, and the bounds are Params' (op-node's) unless the configuration says otherwise.
//
// Owner: the application. A PubSub is destroyed before its Host; topics and readers may outlive it and then answer
// Errc::closed. Thread: the network thread. Bounds: GossipsubConfig's, a queue for each reader, and
// PubSubConfig::max_validator_tasks. Re-entrancy: validators and subscribers are called from the runtime's queue, never
// inside another call of this file's. They may do anything, also destroy the topic or the PubSub.
// Source: libp2p specifications pubsub and gossipsub v1.0 to v1.2.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/gossipsub/gossipsub_callbacks.hpp"
#include "libp2p/services/gossipsub/gossipsub_config.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/services/gossipsub/pubsub_reader.hpp"

namespace libp2p {

namespace detail {
class PubSubState;
}  // namespace detail

struct PubSubConfig {
  // Every topic is signed; router.policies changes that.
  PubSubConfig();

  GossipsubConfig gossipsub;
  // None: every peer has the score 0. The thresholds are gossipsub.router.params.thresholds.
  std::optional<gossipsub::PeerScoreParams> scores;
  // P5 of a peer when it is added; none: 0.
  gossipsub::PeerScorer::ApplicationScore application_score = nullptr;
  // Coroutines of validators that run at a time. Further messages are throttled: they are dropped, and no peer is
  // blamed for it.
  std::size_t max_validator_tasks = 256;
};

// What a topic has of its own. It takes the place of what Params::topics says of it, and stays with the name when the
// topic is left, until it is joined with other options.
struct PubSubTopicOptions {
  // The sizes of its mesh and a bound of its messages.
  gossipsub::TopicParams params;
  // How peers are scored in it; with PubSubConfig::scores only. None: as PubSubConfig::scores has it.
  std::optional<gossipsub::TopicScoreParams> scores;
};

// A topic that is joined. Move-only; the topic is left when this is destroyed. Every call answers Errc::closed, or
// nothing, once the topic is left or the PubSub is closed.
class PubSubTopic {
 public:
  // A validator judges a message at once, later by calling `done` (once, on the network thread), or in a coroutine. The
  // coroutine is a named function or a lambda without captures (docs/architecture.md, "Coroutines"). A verdict that
  // takes longer than GossipsubConfig::validation_timeout counts as an ignore.
  using Validator = std::function<gossipsub::ValidationResult(const PubSubMessage& message)>;
  using LaterValidator = std::function<void(const PubSubMessage& message, GossipsubDone done)>;
  using TaskValidator = std::function<runtime::Task<gossipsub::ValidationResult>(PubSubMessage message)>;
  using Subscriber = std::function<void(const PubSubMessage& message)>;
  using PublishedFn = std::function<void(gossipsub::ValidationResult verdict)>;

  PubSubTopic(std::string name, detail::PubSubState& state);  // by PubSub::join
  ~PubSubTopic() { leave(); }
  PubSubTopic(PubSubTopic&& other) noexcept;
  PubSubTopic& operator=(PubSubTopic&& other) noexcept;

  const std::string& name() const { return name_; }

  // Sends `data` to the peers of the topic and gives it to the own subscribers. A validator judges it first, and
  // without its accept neither happens. `published` hears the verdict, before the own subscribers get the message;
  // without a validator it is accept. In a topic without signatures, data that was published or received within
  // Params::seen_ttl is known already: then nothing is done, and `published` is not called. Errc::too_large above
  // RpcLimits::max_rpc, Errc::exhausted when the validator has as many messages as ValidationParams allows.
  Result<gossipsub::MessageId> publish(ByteView data, PublishedFn published = nullptr);
  Result<gossipsub::MessageId> publish(std::string_view text, PublishedFn published = nullptr) {
    return publish(as_bytes(text), std::move(published));
  }

  // Calls `subscriber` for each accepted message, own ones included, until the Subscription is dropped or the topic is
  // left. Errc::invalid_argument for an empty function.
  Result<Subscription> subscribe(Subscriber subscriber);
  // The same messages for a coroutine. Errc::invalid_argument when a limit is 0.
  Result<PubSubReader> subscribe(PubSubQueueLimits limits = PubSubQueueLimits());

  // From now on messages are judged by this one; before, every message is accepted. It takes the place of the one
  // before. An empty function is Errc::invalid_argument.
  Result<void> set_validator(Validator validator);
  Result<void> set_validator(LaterValidator validator);
  Result<void> set_validator(TaskValidator validator);

  // Partial messages of the topic (partial_messages.hpp): until it is left, and instead of whole messages where
  // `handler.use` says so. Errc::unsupported unless GossipsubConfig's Params::partial enables them.
  Result<void> enable_partial(GossipsubPartialHandler handler);
  // Asks `parts` for each peer of the group, inside of the call, and sends what it answers; answers to how many.
  Result<std::size_t> publish_partial(ByteView group, const gossipsub::PartialPartsFn& parts);
  // What a partial message of the peer was worth: its score hears of it.
  void judge_partial(const PeerId& peer, gossipsub::Router::PartialVerdict verdict);
  // From now on peers are scored in this topic by these (PeerScorer::set_topic_params). Errc::invalid_argument when
  // peers are not scored at all, or with a text that names the field that breaks its rule.
  Result<void> set_score_params(const gossipsub::TopicScoreParams& params);

  // Peers that are known to be in the topic, and those among them that are in our mesh.
  std::vector<PeerId> peers() const;
  std::vector<PeerId> mesh() const;
  // The peers of the topic, each with its whole score and what this topic adds to it. Without scores it is empty.
  gossipsub::ScoreSnapshot scores() const;

  void leave();

 private:
  detail::PubSubState* state() const { return alive_ && *alive_ ? state_ : nullptr; }
  Error left() const;
  Result<void> install(LaterValidator validator);

  std::string name_;
  detail::PubSubState* state_ = nullptr;
  std::optional<LifeWatch> alive_;  // of the state; none once the topic is left
};

class PubSub final : LiveCounted<PubSub> {
 public:
  // Throws std::invalid_argument when the parameters of a topic, or the parameters or the thresholds of the scores,
  // break their rules (validate; ScoreRules::fields_in_use); the text names the field.
  explicit PubSub(Host& host, PubSubConfig config = PubSubConfig());
  ~PubSub();
  PubSub(const PubSub&) = delete;
  PubSub& operator=(const PubSub&) = delete;

  // Errc::invalid_argument when the topic is joined already: share the one PubSubTopic. Errc::denied when
  // GossipsubConfig's topic filter refuses it, Errc::closed after close().
  Result<PubSubTopic> join(std::string_view topic);
  // Errc::invalid_argument too when an option breaks its rule; the text names the field.
  Result<PubSubTopic> join(std::string_view topic, const PubSubTopicOptions& options);

  // Peers that GossipSub has a stream to, in whatever topics.
  std::vector<PeerId> peers() const;
  // Of every connected peer, each part of its score. Empty without PubSubConfig::scores.
  gossipsub::ScoreSnapshot scores() const;
  // Shows them every GossipsubConfig::inspect_interval, as long as the Subscription is kept.
  Subscription inspect_scores(std::function<void(const gossipsub::ScoreSnapshot&)> listener);
  // P5 of a peer that is connected; a finite number. Does nothing without PubSubConfig::scores.
  void set_application_score(const PeerId& peer, double score);

  // For what is not here: events, the blacklist, counters, relay-only topics. Topics that are joined here are neither
  // joined nor left there.
  GossipsubService& service();

  // Leaves all topics, lets go of all streams and ends the validators' coroutines. Not from one of these.
  runtime::Task<void> close();

 private:
  std::unique_ptr<detail::PubSubState> state_;
};

}  // namespace libp2p
