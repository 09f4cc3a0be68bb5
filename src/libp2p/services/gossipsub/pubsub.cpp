#include "libp2p/services/gossipsub/pubsub.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/services/gossipsub/pubsub_queue.hpp"

namespace libp2p {

using gossipsub::LocalCheck;
using gossipsub::ScoreRules;
using gossipsub::ScoreSnapshot;
using gossipsub::ValidationResult;
using runtime::Task;
using SharedTaskValidator = std::shared_ptr<const PubSubTopic::TaskValidator>;

namespace detail {

// All that a PubSub is. Topics know it through its life token, which ends with shut().
class PubSubState {
 public:
  struct Topic {
    // None: everything is accepted. Shared with the call that it judges in, which may replace it.
    std::shared_ptr<const PubSubTopic::LaterValidator> validator;
    EventSource<PubSubMessage> subscribers;
    std::vector<std::weak_ptr<PubSubQueue>> queues;
  };

  PubSubState(Host& host, PubSubConfig config);
  ~PubSubState() { shut(); }
  PubSubState(const PubSubState&) = delete;
  PubSubState& operator=(const PubSubState&) = delete;

  bool is_shut() const { return shut_; }
  void shut();
  Task<void> close();

  Result<void> join(const std::string& name);
  void leave(const std::string& name);
  Topic& topic(const std::string& name);
  Result<gossipsub::MessageId> publish(const std::string& name, ByteView data, PubSubTopic::PublishedFn published);
  // In a coroutine, if there is room for one.
  void judge(SharedTaskValidator validator, const PubSubMessage& message, GossipsubDone done);
  ScoreSnapshot scores() const;
  Result<void> set_score_params(const std::string& name, const gossipsub::TopicScoreParams& params);
  Result<void> set_options(const std::string& name, const PubSubTopicOptions& options);

  Host& host;
  const std::size_t max_tasks;
  const std::unique_ptr<gossipsub::PeerScorer> scorer;  // null without parameters
  gossipsub::NeutralScores no_scores;
  const gossipsub::SignaturePolicies policies;
  const PeerId self;  // as whom we sign
  LifeToken life;
  GossipsubService service;

 private:
  void validate(const gossipsub::Validate& action, GossipsubDone done);
  void deliver(const PubSubMessage& message);
  void on_published(const PubSubMessage& message, ValidationResult verdict, const PubSubTopic::PublishedFn& published);

  bool shut_ = false;
  std::map<std::string, Topic, std::less<>> topics_;
  runtime::TaskScope tasks_;  // of validators
};

}  // namespace detail

namespace {

void check_topics(const gossipsub::Params& params) {
  for (const auto& [name, topic] : params.topics) {
    const Result<void> valid = validate(topic, params.rpc);
    if (!valid) throw std::invalid_argument("the topic " + name + " of a PubSub: " + valid.error().message());
  }
}

std::unique_ptr<gossipsub::PeerScorer> make_scorer(Host& host, const PubSubConfig& config) {
  check_topics(config.gossipsub.router.params);
  if (!config.scores) return nullptr;
  const Result<void> params = validate(*config.scores, ScoreRules::fields_in_use);
  if (!params) throw std::invalid_argument("the scores of a PubSub: " + params.error().message());
  const Result<void> thresholds = validate(config.gossipsub.router.params.thresholds, ScoreRules::fields_in_use);
  if (!thresholds) throw std::invalid_argument("the score thresholds of a PubSub: " + thresholds.error().message());
  return std::make_unique<gossipsub::PeerScorer>(*config.scores, host.runtime().rng().next_u64(), host.runtime().now(),
                                                 config.application_score);
}

Error no_scorer() { return fail(Errc::invalid_argument, "peers are not scored: PubSubConfig::scores is not set"); }

// A parameter holds the validator for as long as its coroutine runs.
Task<void> judge_in_task(SharedTaskValidator validator, PubSubMessage message, GossipsubDone done) {
  Task<ValidationResult> judging = (*validator)(std::move(message));
  const ValidationResult verdict = co_await judging;
  done(verdict);
}

}  // namespace

namespace detail {

PubSubState::PubSubState(Host& h, PubSubConfig config)
    : host(h),
      max_tasks(config.max_validator_tasks),
      scorer(make_scorer(h, config)),
      policies(config.gossipsub.router.policies),
      self(config.gossipsub.router.signatures != nullptr ? config.gossipsub.router.signatures->self() : h.id()),
      service(h, std::move(config.gossipsub),
              scorer ? static_cast<gossipsub::PeerScores&>(*scorer) : static_cast<gossipsub::PeerScores&>(no_scores)),
      tasks_(h.runtime()) {}

void PubSubState::shut() {
  if (std::exchange(shut_, true)) return;
  life.end();
  const auto topics = std::exchange(topics_, {});  // what subscribers hold may call back when it goes
  for (const auto& [name, topic] : topics) {
    service.leave(name);
    service.disable_partial(name);
    for (const auto& waiting : topic.queues) {
      if (const auto queue = waiting.lock()) queue->close("the topic " + name + " is left: no message follows");
    }
  }
}

Task<void> PubSubState::close() {
  co_await service.close();
  co_await tasks_.close();
}

Result<void> PubSubState::join(const std::string& name) {
  const auto judge = [this](const gossipsub::Validate& action, GossipsubDone done) {
    validate(action, std::move(done));
  };
  const auto take = [this](const gossipsub::Deliver& action) {
    deliver(PubSubMessage(action.topic, action.id, action.data, action.author, action.from));
  };
  OPP2P_TRYV(service.join(name, judge, take));
  const bool fresh = topics_.try_emplace(name).second;
  OPP2P_ASSERT(fresh, "the service knows which topics are joined");
  return {};
}

void PubSubState::leave(const std::string& name) {
  service.leave(name);
  service.disable_partial(name);
  const auto left = topics_.extract(name);
  OPP2P_ASSERT(!left.empty(), "a topic is left once");
  for (const auto& waiting : left.mapped().queues) {
    if (const auto queue = waiting.lock()) queue->close("the topic " + name + " is left: no message follows");
  }
}

PubSubState::Topic& PubSubState::topic(const std::string& name) {
  const auto found = topics_.find(name);
  OPP2P_ASSERT(found != topics_.end(), "who has a handle has joined the topic");
  return found->second;
}

Result<gossipsub::MessageId> PubSubState::publish(const std::string& name, ByteView data,
                                                  PubSubTopic::PublishedFn published) {
  const bool judged = topic(name).validator != nullptr;
  const bool is_signed = makes_signatures(policies.of(name));
  PubSubMessage message(name, gossipsub::MessageId(), share(Bytes(data.begin(), data.end())),
                        is_signed ? self : PeerId(), host.id());
  if (!judged) {
    OPP2P_TRY(const auto publication, service.publish(name, data, LocalCheck::already_valid));
    message.id = publication.id;
    // Never inside the caller's call.
    if (publication.sent) {
      host.runtime().post(life.guard([this, message = std::move(message), published = std::move(published)] {
        on_published(message, ValidationResult::accept, published);
      }));
    }
    return publication.id;
  }
  const auto hear = [this, message = std::move(message),
                     published = std::move(published)](const gossipsub::Published& action) {
    PubSubMessage named = message;
    named.id = action.id;
    on_published(named, action.verdict, published);
  };
  OPP2P_TRY(const auto publication, service.publish(name, data, LocalCheck::validate, hear));
  return publication.id;
}

void PubSubState::on_published(const PubSubMessage& message, ValidationResult verdict,
                               const PubSubTopic::PublishedFn& published) {
  const LifeWatch alive = life.watch();
  if (published) published(verdict);
  if (alive && verdict == ValidationResult::accept) deliver(message);
}

void PubSubState::validate(const gossipsub::Validate& action, GossipsubDone done) {
  const auto found = topics_.find(action.topic);
  if (found == topics_.end() || !found->second.validator) return done(ValidationResult::accept);
  const auto validator = found->second.validator;  // it may leave the topic
  const PubSubMessage message(action.topic, action.id, action.data, action.author,
                              action.local ? host.id() : action.from);
  (*validator)(message, std::move(done));
}

// The last thing that its callers do: a subscriber may destroy all this.
void PubSubState::deliver(const PubSubMessage& message) {
  const auto found = topics_.find(message.topic);
  if (found == topics_.end()) return;
  for (const auto& waiting : found->second.queues) {
    if (const auto queue = waiting.lock()) queue->push(message);
  }
  found->second.subscribers.emit(message);
}

void PubSubState::judge(SharedTaskValidator validator, const PubSubMessage& message, GossipsubDone done) {
  if (tasks_.running() >= max_tasks) return done(ValidationResult::throttled);
  tasks_.spawn(judge_in_task(std::move(validator), message, std::move(done)));
}

Result<void> PubSubState::set_score_params(const std::string& name, const gossipsub::TopicScoreParams& params) {
  if (scorer) return scorer->set_topic_params(name, params, ScoreRules::fields_in_use);
  return no_scorer();
}

// All of them or none.
Result<void> PubSubState::set_options(const std::string& name, const PubSubTopicOptions& options) {
  if (topics_.contains(name)) return fail(Errc::invalid_argument, "the topic " + name + " is joined already");
  if (options.scores && !scorer) return no_scorer();
  if (options.scores) OPP2P_TRYV(gossipsub::validate(*options.scores, ScoreRules::fields_in_use));
  OPP2P_TRYV(service.set_topic_params(name, options.params));
  if (options.scores) OPP2P_TRYV(set_score_params(name, *options.scores));
  return {};
}

ScoreSnapshot PubSubState::scores() const {
  ScoreSnapshot all;
  if (scorer) scorer->snapshot(all);
  return all;
}

}  // namespace detail

PubSubConfig::PubSubConfig() { gossipsub.router.policies.standard = gossipsub::SignaturePolicy::strict_sign; }

// --- PubSubTopic ---

PubSubTopic::PubSubTopic(std::string name, detail::PubSubState& state)
    : name_(std::move(name)), state_(&state), alive_(state.life.watch()) {}

PubSubTopic::PubSubTopic(PubSubTopic&& other) noexcept
    : name_(std::move(other.name_)), state_(other.state_), alive_(std::exchange(other.alive_, std::nullopt)) {}

PubSubTopic& PubSubTopic::operator=(PubSubTopic&& other) noexcept {
  if (this == &other) return *this;
  leave();
  name_ = std::move(other.name_);
  state_ = other.state_;
  alive_ = std::exchange(other.alive_, std::nullopt);
  return *this;
}

Error PubSubTopic::left() const {
  return fail(Errc::closed, alive_ ? "the PubSub of the topic " + name_ + " is closed"
                                   : "the topic " + name_ + " is left; join it again");
}

Result<gossipsub::MessageId> PubSubTopic::publish(ByteView data, PublishedFn published) {
  if (state() == nullptr) return left();
  return state()->publish(name_, data, std::move(published));
}

Result<Subscription> PubSubTopic::subscribe(Subscriber subscriber) {
  if (state() == nullptr) return left();
  if (!subscriber) {
    return fail(Errc::invalid_argument, "the subscriber of the topic " + name_ + " is an empty function");
  }
  return state()->topic(name_).subscribers.subscribe(std::move(subscriber));
}

Result<PubSubReader> PubSubTopic::subscribe(PubSubQueueLimits limits) {
  if (state() == nullptr) return left();
  if (limits.messages == 0 || limits.bytes == 0) {
    return fail(Errc::invalid_argument, "a reader of the topic " + name_ + " needs room for a message: a limit is 0");
  }
  auto queue = std::make_shared<detail::PubSubQueue>(state()->host.runtime(), name_, limits);
  auto& queues = state()->topic(name_).queues;
  std::erase_if(queues, [](const auto& waiting) { return waiting.expired(); });
  queues.push_back(queue);
  return PubSubReader(std::move(queue));
}

Result<void> PubSubTopic::install(LaterValidator validator) {
  if (state() == nullptr) return left();
  if (!validator) return fail(Errc::invalid_argument, "the validator of the topic " + name_ + " is an empty function");
  auto shared = std::make_shared<const LaterValidator>(std::move(validator));
  std::swap(state()->topic(name_).validator, shared);  // what the old one holds may call back when it goes
  return {};
}

Result<void> PubSubTopic::set_validator(Validator validator) {
  if (!validator) return install(nullptr);
  return install([validator = std::move(validator)](const PubSubMessage& message, const GossipsubDone& done) {
    done(validator(message));
  });
}

Result<void> PubSubTopic::set_validator(LaterValidator validator) { return install(std::move(validator)); }

Result<void> PubSubTopic::set_validator(TaskValidator validator) {
  if (!validator) return install(nullptr);
  auto shared = std::make_shared<const TaskValidator>(std::move(validator));
  return install([state = state_, shared = std::move(shared)](const PubSubMessage& message, GossipsubDone done) {
    state->judge(shared, message, std::move(done));
  });
}

Result<void> PubSubTopic::enable_partial(GossipsubPartialHandler handler) {
  if (state() == nullptr) return left();
  return state()->service.enable_partial(name_, std::move(handler));
}

Result<std::size_t> PubSubTopic::publish_partial(ByteView group, const gossipsub::PartialPartsFn& parts) {
  if (state() == nullptr) return left();
  return state()->service.publish_partial(name_, group, parts);
}

void PubSubTopic::judge_partial(const PeerId& peer, gossipsub::Router::PartialVerdict verdict) {
  if (state() != nullptr) state()->service.judge_partial(peer, name_, verdict);
}

Result<void> PubSubTopic::set_score_params(const gossipsub::TopicScoreParams& params) {
  if (state() == nullptr) return left();
  return state()->set_score_params(name_, params);
}

std::vector<PeerId> PubSubTopic::peers() const {
  return state() != nullptr ? state()->service.router().subscribers(name_) : std::vector<PeerId>();
}

std::vector<PeerId> PubSubTopic::mesh() const {
  return state() != nullptr ? state()->service.router().mesh(name_) : std::vector<PeerId>();
}

ScoreSnapshot PubSubTopic::scores() const {
  if (state() == nullptr) return {};
  ScoreSnapshot all = state()->scores();
  const std::vector<PeerId> here = peers();
  const auto is_away = [&here](const auto& one) { return std::find(here.begin(), here.end(), one.peer) == here.end(); };
  std::erase_if(all.peers, is_away);
  const auto at = std::find(all.topics.begin(), all.topics.end(), name_);
  const auto index = static_cast<std::size_t>(at - all.topics.begin());
  for (auto& peer : all.peers) {
    if (index < peer.topics.size()) {
      peer.topics = {peer.topics[index]};
    } else {
      peer.topics.clear();
    }
  }
  all.topics = at == all.topics.end() ? std::vector<std::string>() : std::vector<std::string>{name_};
  return all;
}

void PubSubTopic::leave() {
  detail::PubSubState* const joined = state();
  alive_.reset();
  if (joined != nullptr) joined->leave(name_);
}

// --- PubSub ---

PubSub::PubSub(Host& host, PubSubConfig config)
    : state_(std::make_unique<detail::PubSubState>(host, std::move(config))) {}

PubSub::~PubSub() = default;

Result<PubSubTopic> PubSub::join(std::string_view topic, const PubSubTopicOptions& options) {
  if (state_->is_shut()) return fail(Errc::closed, "the PubSub is closed");
  OPP2P_TRYV(state_->set_options(std::string(topic), options));
  return join(topic);
}

Result<PubSubTopic> PubSub::join(std::string_view topic) {
  if (state_->is_shut()) return fail(Errc::closed, "the PubSub is closed");
  std::string name(topic);
  OPP2P_TRYV(state_->join(name));
  return PubSubTopic(std::move(name), *state_);
}

std::vector<PeerId> PubSub::peers() const { return state_->service.peers(); }
ScoreSnapshot PubSub::scores() const { return state_->scores(); }

Subscription PubSub::inspect_scores(std::function<void(const ScoreSnapshot&)> listener) {
  return state_->service.inspect_scores(std::move(listener));
}

void PubSub::set_application_score(const PeerId& peer, double score) {
  if (state_->scorer) state_->scorer->set_application_score(peer, score);
}

GossipsubService& PubSub::service() { return state_->service; }

Task<void> PubSub::close() {
  state_->shut();
  return state_->close();
}

}  // namespace libp2p
