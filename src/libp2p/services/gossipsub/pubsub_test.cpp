// PubSub between hosts on a virtual clock: who hears what, who judges, and what ends when.
#include "libp2p/services/gossipsub/pubsub.hpp"

#include <gmock/gmock.h>

#include <map>

#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using gossipsub::ValidationResult;
using runtime::Task;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kChat = "chat";

std::string text_of(const PubSubMessage& message) { return std::string(as_text(message.data.view())); }

struct Heard {
  PubSubTopic::Subscriber note() {
    return [this](const PubSubMessage& message) {
      texts.push_back(text_of(message));
      from.push_back(message.from);
      received_from.push_back(message.received_from);
    };
  }
  std::vector<std::string> texts;
  std::vector<PeerId> from;
  std::vector<PeerId> received_from;
};

// Nodes in a row, each in the topic with a subscriber: 0 - 1 - 2.
class PubSubTest : public testing::Test {
 protected:
  struct Node {
    Node(Host& host, PubSubConfig config) : pubsub(std::make_unique<PubSub>(host, std::move(config))) {
      topic.emplace(pubsub->join(kChat).value());
      subscription = topic->subscribe(heard.note()).value();
    }
    std::unique_ptr<PubSub> pubsub;
    std::optional<PubSubTopic> topic;
    Heard heard;
    Subscription subscription;
  };

  void start(std::size_t count, const PubSubConfig& config = PubSubConfig()) {
    for (std::size_t i = 0; i < count; ++i) nodes_.push_back(std::make_unique<Node>(net_.add(), config));
    for (std::size_t i = 1; i < count; ++i) EXPECT_TRUE(net_.connect(i - 1, i));
    net_.run_for(Seconds(2));
  }
  Node& at(std::size_t i) { return *nodes_.at(i); }
  PubSubTopic& topic(std::size_t i) { return *at(i).topic; }
  Heard& heard(std::size_t i) { return at(i).heard; }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }
  void publish(std::size_t i, std::string_view text) {
    ASSERT_TRUE(topic(i).publish(text).has_value());
    net_.run_for(Seconds(1));
  }
  const gossipsub::Counters& counters(std::size_t i) { return at(i).pubsub->service().router().counters(); }

  SimHosts net_{91};
  std::vector<std::unique_ptr<Node>> nodes_;
};

TEST_F(PubSubTest, tells_who_published_from_who_forwarded_and_signs_by_default) {
  start(3);
  publish(0, "hello");
  EXPECT_THAT(heard(1).texts, ElementsAre("hello"));
  EXPECT_THAT(heard(1).from, ElementsAre(peer(0)));
  EXPECT_THAT(heard(1).received_from, ElementsAre(peer(0)));
  EXPECT_THAT(heard(2).texts, ElementsAre("hello"));
  EXPECT_THAT(heard(2).from, ElementsAre(peer(0)));
  EXPECT_THAT(heard(2).received_from, ElementsAre(peer(1)));
}

TEST_F(PubSubTest, gives_own_messages_to_own_subscribers_after_the_call) {
  start(1);
  const auto id = topic(0).publish("to myself");
  ASSERT_TRUE(id.has_value());
  EXPECT_FALSE(id->empty());
  EXPECT_THAT(heard(0).texts, IsEmpty()) << "nobody is called inside publish()";
  net_.run_for(Millis(1));
  EXPECT_THAT(heard(0).texts, ElementsAre("to myself"));
  EXPECT_THAT(heard(0).from, ElementsAre(peer(0)));
  EXPECT_THAT(heard(0).received_from, ElementsAre(peer(0)));
  publish(0, "to myself");
  EXPECT_THAT(heard(0).texts, ElementsAre("to myself", "to myself")) << "each has a number of its own";
}

TEST_F(PubSubTest, names_no_author_and_takes_the_same_data_once_where_nobody_signs) {
  PubSubConfig config;
  config.gossipsub.router.policies.topics[kChat] = gossipsub::SignaturePolicy::strict_no_sign;
  start(2, config);
  publish(0, "once");
  publish(0, "once");
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_THAT(heard(i).texts, ElementsAre("once"));
    EXPECT_THAT(heard(i).from, ElementsAre(PeerId()));
    EXPECT_THAT(heard(i).received_from, ElementsAre(peer(0)));
  }
}

TEST_F(PubSubTest, a_validator_keeps_what_it_rejects_from_subscribers_and_from_peers) {
  start(3);
  std::vector<PeerId> judged;
  const auto judge = [&judged](const PubSubMessage& message) {
    judged.push_back(message.received_from);
    return text_of(message) == "bad" ? ValidationResult::reject : ValidationResult::accept;
  };
  ASSERT_TRUE(topic(1).set_validator(judge).has_value());
  publish(0, "bad");
  publish(0, "good");
  EXPECT_THAT(heard(1).texts, ElementsAre("good"));
  EXPECT_THAT(heard(2).texts, ElementsAre("good"));
  EXPECT_THAT(judged, ElementsAre(peer(0), peer(0)));
  EXPECT_EQ(counters(1).rejected, 1u);
}

TEST_F(PubSubTest, own_messages_pass_the_own_validator_and_the_publisher_hears_its_verdict) {
  start(2);
  const auto judge = [this](const PubSubMessage& message) {
    EXPECT_EQ(message.from, peer(0));
    EXPECT_EQ(message.received_from, peer(0));
    return text_of(message) == "bad" ? ValidationResult::reject : ValidationResult::accept;
  };
  std::vector<ValidationResult> verdicts;
  const auto note = [&verdicts](ValidationResult verdict) { verdicts.push_back(verdict); };
  ASSERT_TRUE(topic(0).publish("not judged", note).has_value());
  net_.run_for(Seconds(1));
  ASSERT_TRUE(topic(0).set_validator(judge).has_value());
  ASSERT_TRUE(topic(0).publish("bad", note).has_value());
  ASSERT_TRUE(topic(0).publish("good", note).has_value());
  EXPECT_EQ(verdicts.size(), 1u);
  net_.run_for(Seconds(1));
  EXPECT_THAT(verdicts, ElementsAre(ValidationResult::accept, ValidationResult::reject, ValidationResult::accept));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_THAT(heard(i).texts, ElementsAre("not judged", "good"));
    EXPECT_THAT(heard(i).from, ElementsAre(peer(0), peer(0)));
  }
}

TEST_F(PubSubTest, a_validator_keeps_what_it_counts_and_may_replace_itself) {
  start(2);
  const auto first_two = [this, taken = 0](const PubSubMessage&) mutable {
    if (++taken < 2) return ValidationResult::accept;
    const auto none = [](const PubSubMessage&) { return ValidationResult::ignore; };
    EXPECT_TRUE(topic(1).set_validator(none).has_value());
    return ValidationResult::accept;
  };
  ASSERT_TRUE(topic(1).set_validator(first_two).has_value());
  for (const std::string_view text : {"one", "two", "three"}) publish(0, text);
  EXPECT_THAT(heard(1).texts, ElementsAre("one", "two"));
}

TEST_F(PubSubTest, a_validator_may_answer_later) {
  start(2);
  std::vector<GossipsubDone> open;
  const auto judge = [&open](const PubSubMessage&, GossipsubDone done) { open.push_back(std::move(done)); };
  ASSERT_TRUE(topic(1).set_validator(judge).has_value());
  publish(0, "first");
  publish(0, "second");
  ASSERT_EQ(open.size(), 2u);
  EXPECT_THAT(heard(1).texts, IsEmpty());
  open[1](ValidationResult::accept);
  open[0](ValidationResult::ignore);
  open[0](ValidationResult::accept);  // once only
  net_.run_for(Seconds(1));
  EXPECT_THAT(heard(1).texts, ElementsAre("second"));
}

// Takes as many seconds as the message says.
Task<ValidationResult> wait_as_told(runtime::Runtime& runtime, PubSubMessage message) {
  const Result<void> slept = co_await runtime::sleep_for(runtime, Seconds(message.data.view()[0] - '0'));
  co_return slept ? ValidationResult::accept : ValidationResult::ignore;
}

TEST_F(PubSubTest, a_validator_may_be_a_coroutine_and_only_so_many_run) {
  PubSubConfig config;
  config.max_validator_tasks = 2;
  start(2, config);
  runtime::Runtime& runtime = net_.host(1).runtime();
  const auto judge = [&runtime](PubSubMessage message) { return wait_as_told(runtime, std::move(message)); };
  ASSERT_TRUE(topic(1).set_validator(judge).has_value());
  for (const std::string_view text : {"5 s", "3 s", "1 s"}) ASSERT_TRUE(topic(0).publish(text).has_value());
  net_.run_for(Seconds(2));
  EXPECT_THAT(heard(1).texts, IsEmpty());
  EXPECT_EQ(counters(1).throttled, 1u);
  net_.run_for(Seconds(5));
  EXPECT_THAT(heard(1).texts, ElementsAre("3 s", "5 s"));
  EXPECT_EQ(counters(1).rejected + counters(1).ignored, 0u);
}

Task<ValidationResult> destroy(std::unique_ptr<PubSub>& pubsub, PubSubMessage message) {
  pubsub.reset();
  co_return message.data.empty() ? ValidationResult::ignore : ValidationResult::accept;
}

TEST_F(PubSubTest, a_validating_coroutine_may_destroy_all) {
  start(2);
  const auto judge = [this](PubSubMessage message) { return destroy(at(1).pubsub, std::move(message)); };
  ASSERT_TRUE(topic(1).set_validator(judge).has_value());
  publish(0, "the last");
  EXPECT_EQ(at(1).pubsub, nullptr);
  EXPECT_THAT(heard(1).texts, IsEmpty());
  EXPECT_EQ(live<PubSub>(), 1);
}

Task<std::string> read_one(PubSubReader& reader) {
  const auto message = co_await reader.next();
  co_return message ? text_of(*message) : message.error().message();
}

TEST_F(PubSubTest, a_coroutine_awaits_the_next_message) {
  start(2);
  PubSubReader reader = topic(1).subscribe().value();
  ASSERT_TRUE(topic(0).publish("one").has_value());
  EXPECT_EQ(net_.run(1, read_one(reader)), "one");
  publish(0, "two");
  publish(1, "three");
  EXPECT_EQ(reader.waiting(), 2u);
  EXPECT_EQ(net_.run(1, read_one(reader)), "two");
  EXPECT_EQ(text_of(reader.poll().value()), "three");
  EXPECT_FALSE(reader.poll().has_value());
  EXPECT_EQ(reader.dropped(), 0u);
}

TEST_F(PubSubTest, a_slow_reader_loses_the_oldest_messages_and_counts_them) {
  start(1);
  PubSubQueueLimits by_count;
  by_count.messages = 2;
  PubSubQueueLimits by_bytes;
  by_bytes.bytes = 100;
  PubSubReader few = topic(0).subscribe(by_count).value();
  PubSubReader small = topic(0).subscribe(by_bytes).value();
  for (const char* text : {"a", "b", "c"}) publish(0, text);
  EXPECT_EQ(few.dropped(), 1u);
  EXPECT_EQ(text_of(few.poll().value()), "b");
  EXPECT_EQ(text_of(few.poll().value()), "c");
  EXPECT_EQ(small.dropped(), 0u);
  publish(0, std::string(1000, 'x'));
  EXPECT_EQ(small.dropped(), 3u);
  EXPECT_EQ(small.poll().value().data.size(), 1000u) << "the newest is kept whatever its size";
}

Task<void> note_next(PubSubReader& reader, std::vector<std::string>& answers) {
  const auto message = co_await reader.next();
  answers.push_back(message ? text_of(*message) : message.error().message());
}

TEST_F(PubSubTest, whoever_awaits_hears_that_the_topic_is_left_the_reader_gone_or_the_task_cancelled) {
  start(1);
  std::vector<std::string> answers;
  runtime::TaskScope scope(net_.host(0).runtime());
  auto gone = std::make_unique<PubSubReader>(topic(0).subscribe().value());
  PubSubReader reader = topic(0).subscribe().value();
  scope.spawn(note_next(*gone, answers));
  scope.spawn(note_next(reader, answers));
  net_.run_for(Millis(1));
  EXPECT_THAT(answers, IsEmpty());
  scope.spawn(note_next(reader, answers));
  net_.run_for(Millis(1));
  EXPECT_THAT(answers, ElementsAre(HasSubstr("another task awaits")));
  gone.reset();
  net_.run_for(Millis(1));
  EXPECT_EQ(answers.back(), "closed: the reader of the topic chat is gone");
  publish(0, "for the second");
  EXPECT_EQ(answers.back(), "for the second");

  publish(0, "still there");
  topic(0).leave();
  EXPECT_EQ(net_.run(0, read_one(reader)), "still there");
  EXPECT_EQ(net_.run(0, read_one(reader)), "closed: the topic chat is left: no message follows");

  PubSubTopic again = at(0).pubsub->join(kChat).value();
  PubSubReader other = again.subscribe().value();
  scope.spawn(note_next(other, answers));
  net_.run_for(Millis(1));
  scope.cancel();
  net_.run_for(Millis(1));
  EXPECT_THAT(answers.back(), HasSubstr("cancelled"));
  EXPECT_EQ(scope.running(), 0u);
}

TEST_F(PubSubTest, closing_ends_who_awaits_and_what_comes_later_says_so) {
  start(2);
  runtime::Runtime& runtime = net_.host(1).runtime();
  const auto judge = [&runtime](PubSubMessage message) { return wait_as_told(runtime, std::move(message)); };
  ASSERT_TRUE(topic(1).set_validator(judge).has_value());
  publish(0, "9 s");
  PubSubReader reader = topic(1).subscribe().value();
  std::vector<std::string> answers;
  runtime::TaskScope scope(runtime);
  scope.spawn(note_next(reader, answers));
  net_.run_for(Millis(1));
  EXPECT_TRUE(net_.run(1, at(1).pubsub->close()));
  EXPECT_THAT(answers, ElementsAre("closed: the topic chat is left: no message follows"));
  const auto published = topic(1).publish("late");
  ASSERT_FALSE(published.has_value());
  EXPECT_EQ(published.error().message(), "closed: the PubSub of the topic chat is closed");
  EXPECT_EQ(at(1).pubsub->join("other").error().code(), Errc::closed);
  EXPECT_THAT(topic(1).peers(), IsEmpty());
  at(1).pubsub.reset();  // before its topic
  net_.run_for(Seconds(1));
  EXPECT_THAT(topic(0).peers(), IsEmpty());
  EXPECT_EQ(live<runtime::detail::Root>(), 0);
}

TEST_F(PubSubTest, leaving_is_told_to_peers_and_the_topic_can_be_joined_again) {
  start(2);
  EXPECT_THAT(topic(0).peers(), ElementsAre(peer(1)));
  EXPECT_THAT(topic(0).mesh(), ElementsAre(peer(1)));
  EXPECT_THAT(at(0).pubsub->peers(), ElementsAre(peer(1)));
  EXPECT_EQ(at(1).pubsub->join(kChat).error().code(), Errc::invalid_argument);
  PubSubTopic moved = std::move(topic(1));
  EXPECT_EQ(topic(1).subscribe().error().code(), Errc::closed);
  EXPECT_TRUE(moved.publish("from the new place").has_value());
  moved.leave();
  moved.leave();
  net_.run_for(Seconds(1));
  EXPECT_THAT(topic(0).peers(), IsEmpty());
  EXPECT_THAT(heard(0).texts, ElementsAre("from the new place"));
  const auto late = moved.publish("late");
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().message(), "closed: the topic chat is left; join it again");
  moved = at(1).pubsub->join(kChat).value();
  net_.run_for(Seconds(1));
  EXPECT_THAT(topic(0).peers(), ElementsAre(peer(1)));
}

TEST_F(PubSubTest, misuse_is_an_error_that_says_what_is_wrong) {
  start(1);
  EXPECT_EQ(topic(0).subscribe(PubSubTopic::Subscriber()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(topic(0).set_validator(PubSubTopic::Validator()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(topic(0).set_validator(PubSubTopic::LaterValidator()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(topic(0).set_validator(PubSubTopic::TaskValidator()).error().code(), Errc::invalid_argument);
  PubSubQueueLimits none;
  none.messages = 0;
  EXPECT_EQ(topic(0).subscribe(none).error().code(), Errc::invalid_argument);
  EXPECT_EQ(topic(0).publish(std::string(11U << 20, 'x')).error().code(), Errc::too_large);
  PubSubConfig config;
  config.gossipsub.router.topic_filter = [](std::string_view topic) { return topic != "forbidden"; };
  PubSub other(net_.add(), config);
  EXPECT_EQ(other.join("forbidden").error().code(), Errc::denied);
  config.scores.emplace();
  config.scores->behaviour_penalty_weight = 1;
  EXPECT_THROW(PubSub(net_.host(0), config), std::invalid_argument);
}

gossipsub::PeerScoreParams scores_of_chat() {
  gossipsub::PeerScoreParams params;
  params.app_specific_weight = 1;
  gossipsub::TopicScoreParams& topic = params.topics[kChat];
  topic.topic_weight = 1;
  topic.first_message_deliveries_weight = 1;
  topic.first_message_deliveries_decay = 0.99;
  topic.first_message_deliveries_cap = 100;
  topic.invalid_message_deliveries_weight = -10;
  topic.invalid_message_deliveries_decay = 0.99;
  return params;
}

TEST_F(PubSubTest, scores_show_what_peers_of_a_topic_have_done) {
  PubSubConfig config;
  config.scores = scores_of_chat();
  start(3, config);
  EXPECT_THAT(topic(1).scores().topics, ElementsAre(kChat));
  PubSubTopic other = at(1).pubsub->join("other").value();
  const auto judge = [](const PubSubMessage& message) {
    return text_of(message) == "bad" ? ValidationResult::reject : ValidationResult::accept;
  };
  ASSERT_TRUE(topic(1).set_validator(judge).has_value());
  publish(0, "good");
  publish(2, "bad");
  std::map<PeerId, double> by_peer;
  for (const auto& one : topic(1).scores().peers) {
    ASSERT_EQ(one.topics.size(), 1u);
    by_peer[one.peer] = one.score;
  }
  ASSERT_EQ(by_peer.size(), 2u);
  EXPECT_GT(by_peer[peer(0)], 0.9);
  EXPECT_LT(by_peer[peer(2)], -9);
  at(1).pubsub->set_application_score(peer(0), 5);
  EXPECT_EQ(at(1).pubsub->scores().peers.size(), 2u);
  EXPECT_GT(topic(1).scores().peers.front().score, 5.9);
  EXPECT_THAT(other.scores().peers, IsEmpty()) << "nobody else is in that topic";
  EXPECT_THAT(other.scores().topics, IsEmpty()) << "which is not scored";
}

TEST_F(PubSubTest, without_parameters_nobody_is_scored) {
  start(2);
  EXPECT_THAT(at(0).pubsub->scores().peers, IsEmpty());
  EXPECT_THAT(topic(0).scores().peers, IsEmpty());
  at(0).pubsub->set_application_score(peer(1), 5);
}

TEST_F(PubSubTest, a_subscriber_may_destroy_the_topic_or_all) {
  start(3);
  at(1).subscription = topic(1).subscribe([this](const PubSubMessage&) { at(1).topic.reset(); }).value();
  at(2).subscription = topic(2).subscribe([this](const PubSubMessage&) { at(2).pubsub.reset(); }).value();
  at(0).subscription = topic(0).subscribe([this](const PubSubMessage&) { at(0).pubsub.reset(); }).value();
  publish(1, "away");
  EXPECT_FALSE(at(1).topic.has_value());
  EXPECT_EQ(at(0).pubsub, nullptr);
  EXPECT_EQ(at(2).pubsub, nullptr);
  EXPECT_EQ(live<PubSub>(), 1);
}

TEST_F(PubSubTest, whoever_hears_the_verdict_or_judges_may_destroy_all) {
  start(2);
  ASSERT_TRUE(topic(0).publish("bye", [this](ValidationResult) { at(0).pubsub.reset(); }).has_value());
  net_.run_for(Seconds(1));
  EXPECT_EQ(at(0).pubsub, nullptr);
  EXPECT_THAT(heard(0).texts, IsEmpty());
  const auto judge = [this](const PubSubMessage&) {
    at(1).pubsub.reset();
    return ValidationResult::accept;
  };
  ASSERT_TRUE(topic(1).set_validator(judge).has_value());
  publish(1, "nobody judges");
  EXPECT_EQ(at(1).pubsub, nullptr);
  EXPECT_EQ(live<PubSub>(), 0);
}

}  // namespace
}  // namespace libp2p
