// What a topic of a PubSub has of its own, and looks at the scores of peers.
#include <gmock/gmock.h>

#include "libp2p/services/gossipsub/pubsub.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using gossipsub::ScoreSnapshot;
using testing::HasSubstr;
using testing::SizeIs;

const std::string kRoom = "room";

gossipsub::TopicScoreParams score_params_of_room(double first_weight) {
  gossipsub::TopicScoreParams params;
  params.topic_weight = 1;
  params.first_message_deliveries_weight = first_weight;
  params.first_message_deliveries_decay = 0.999;
  params.first_message_deliveries_cap = 100;
  params.invalid_message_deliveries_weight = -1;
  params.invalid_message_deliveries_decay = 0.9;
  return params;
}

PubSubConfig scored_config() {
  PubSubConfig config;
  config.scores.emplace();
  config.scores->app_specific_weight = 1;
  return config;
}

class PubSubTopics : public testing::Test {
 protected:
  // Node 0 and others that are connected to it.
  void start(std::size_t others, const PubSubConfig& config) {
    for (std::size_t i = 0; i <= others; ++i) nodes_.push_back(std::make_unique<PubSub>(net_.add(), config));
    for (std::size_t i = 1; i <= others; ++i) ASSERT_TRUE(net_.connect(0, i));
  }
  PubSubTopic join(std::size_t i, const PubSubTopicOptions& options = {}) {
    return nodes_[i]->join(kRoom, options).value();
  }
  std::string refusal(const PubSubTopicOptions& options) {
    const auto joined = nodes_[0]->join(kRoom, options);
    return joined ? "none" : joined.error().message();
  }

  SimHosts net_{31};
  std::vector<std::unique_ptr<PubSub>> nodes_;
};

TEST_F(PubSubTopics, a_topic_is_joined_with_a_mesh_and_a_bound_of_its_own) {
  start(5, PubSubConfig());
  std::vector<PubSubTopic> others;
  for (std::size_t i = 1; i <= 5; ++i) others.push_back(join(i));
  net_.run_for(Seconds(2));
  PubSubTopicOptions options;
  options.params.mesh = gossipsub::MeshSizes{.degree = 2, .low = 1, .high = 3, .outbound = 0};
  options.params.max_message = 1000;
  const PubSubTopic topic = join(0, options);
  net_.run_for(Seconds(5));
  EXPECT_THAT(topic.peers(), SizeIs(5));
  EXPECT_THAT(topic.mesh(), testing::AllOf(SizeIs(testing::Ge(1U)), SizeIs(testing::Le(3U))));
}

TEST_F(PubSubTopics, an_option_that_breaks_a_rule_is_named_and_the_topic_is_not_joined) {
  start(0, scored_config());
  PubSubTopicOptions options;
  options.params.mesh = gossipsub::MeshSizes{.degree = 2, .low = 3, .high = 3, .outbound = 0};
  EXPECT_THAT(refusal(options), HasSubstr("mesh.low is 3"));
  options.params = gossipsub::TopicParams();
  options.params.max_message = 0;
  EXPECT_THAT(refusal(options), HasSubstr("max_message is 0"));
  options.params = gossipsub::TopicParams();
  options.scores = score_params_of_room(-1);
  EXPECT_THAT(refusal(options), HasSubstr("first_message_deliveries_weight is -1"));
  EXPECT_THAT(nodes_[0]->service().router().topics(), testing::IsEmpty());
  EXPECT_EQ(refusal(PubSubTopicOptions()), "none");
  EXPECT_EQ(refusal(PubSubTopicOptions()), "none") << "it was left";
}

TEST_F(PubSubTopics, a_configuration_with_a_topic_that_breaks_a_rule_is_refused) {
  PubSubConfig config;
  config.gossipsub.router.params.topics[kRoom].mesh =
      gossipsub::MeshSizes{.degree = 4, .low = 3, .high = 3, .outbound = 0};
  try {
    const PubSub refused(net_.add(), config);
    FAIL() << "it was taken";
  } catch (const std::invalid_argument& why) {
    EXPECT_THAT(why.what(), HasSubstr("room"));
    EXPECT_THAT(why.what(), HasSubstr("mesh.high is 3"));
  }
}

TEST_F(PubSubTopics, a_publication_above_the_bound_of_its_topic_is_refused) {
  start(0, PubSubConfig());
  PubSubTopicOptions options;
  options.params.max_message = 1000;
  PubSubTopic topic = join(0, options);
  EXPECT_TRUE(topic.publish(std::string(500, 'x')).has_value());
  const auto large = topic.publish(std::string(1000, 'x'));
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code(), Errc::too_large);
  EXPECT_THAT(large.error().message(), HasSubstr("1000 bytes"));
}

TEST_F(PubSubTopics, score_parameters_can_change_while_peers_are_scored) {
  start(1, scored_config());
  PubSubTopicOptions options;
  options.scores = score_params_of_room(1);
  PubSubTopic ours = join(0, options);
  PubSubTopic theirs = join(1);
  net_.run_for(Seconds(2));
  ASSERT_TRUE(theirs.publish("first").has_value());
  net_.run_for(Millis(100));
  ASSERT_THAT(ours.scores().peers, SizeIs(1));
  EXPECT_NEAR(ours.scores().peers[0].score, 1, 0.01);
  ASSERT_TRUE(ours.set_score_params(score_params_of_room(5)).has_value());
  EXPECT_NEAR(ours.scores().peers[0].score, 5, 0.05);
  EXPECT_THAT(ours.set_score_params(score_params_of_room(-5)).error().message(),
              HasSubstr("first_message_deliveries_weight is -5"));
  ours.leave();
  EXPECT_EQ(ours.set_score_params(score_params_of_room(1)).error().code(), Errc::closed);
}

TEST_F(PubSubTopics, score_parameters_without_scores_are_an_error) {
  start(0, PubSubConfig());
  PubSubTopicOptions options;
  options.scores = score_params_of_room(1);
  EXPECT_THAT(refusal(options), HasSubstr("PubSubConfig::scores is not set"));
  PubSubTopic topic = join(0);
  EXPECT_EQ(topic.set_score_params(score_params_of_room(1)).error().code(), Errc::invalid_argument);
}

TEST_F(PubSubTopics, scores_are_shown_every_interval_while_somebody_looks) {
  PubSubConfig config = scored_config();
  config.gossipsub.inspect_interval = Seconds(2);
  start(2, config);
  net_.run_for(Seconds(1));
  std::vector<ScoreSnapshot> seen;
  Subscription looking = nodes_[0]->inspect_scores([&seen](const ScoreSnapshot& shown) { seen.push_back(shown); });
  nodes_[0]->set_application_score(net_.host(1).id(), 3);
  net_.run_for(Millis(1900));
  EXPECT_THAT(seen, SizeIs(0));
  net_.run_for(Millis(4200));
  ASSERT_THAT(seen, SizeIs(3));
  for (const ScoreSnapshot& shown : seen) {
    ASSERT_THAT(shown.peers, SizeIs(2));
    EXPECT_EQ(shown.peers[0].application.value + shown.peers[1].application.value, 3);
  }
  looking.reset();
  net_.run_for(Seconds(10));
  EXPECT_THAT(seen, SizeIs(3));
  looking = nodes_[0]->inspect_scores([&seen](const ScoreSnapshot&) { seen.clear(); });
  net_.run_for(Millis(2100));
  EXPECT_THAT(seen, SizeIs(0)) << "who looks again is shown them again";
}

TEST_F(PubSubTopics, whoever_looks_at_scores_may_destroy_all) {
  start(1, scored_config());
  int seen = 0;
  const Subscription first = nodes_[0]->inspect_scores([&](const ScoreSnapshot& shown) {
    nodes_[0].reset();
    seen += static_cast<int>(shown.peers.size());
  });
  const Subscription second = nodes_[0]->inspect_scores([&](const ScoreSnapshot&) { seen = 100; });
  net_.run_for(Seconds(5));
  EXPECT_EQ(nodes_[0], nullptr);
  EXPECT_EQ(seen, 1);
}

TEST_F(PubSubTopics, without_scores_what_is_shown_is_empty) {
  start(1, PubSubConfig());
  std::size_t seen = 0, peers = 0;
  const Subscription looking = nodes_[0]->inspect_scores([&](const ScoreSnapshot& shown) {
    ++seen;
    peers += shown.peers.size();
  });
  net_.run_for(Seconds(3));
  EXPECT_GE(seen, 2U);
  EXPECT_EQ(peers, 0U);
}

}  // namespace
}  // namespace libp2p
