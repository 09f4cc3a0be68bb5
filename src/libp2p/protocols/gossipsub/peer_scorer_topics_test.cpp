// Parameters of topics that change while peers are scored.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/peer_scorer_test_support.hpp"

namespace libp2p::gossipsub {
namespace {

using test::scored_params;
using test::ScorerBench;
using testing::ElementsAre;
using testing::HasSubstr;

TopicScoreParams topic_of_bench() { return scored_params().topics.at("t"); }

void set(ScorerBench& bench, std::string_view topic, const TopicScoreParams& params) {
  ASSERT_TRUE(bench.scorer.set_topic_params(topic, params).has_value());
  bench.scorer.check();
}

TEST(PeerScorerTopics, a_new_weight_counts_at_once) {
  ScorerBench bench;
  bench.add(1);
  bench.deliver(1, 1);
  EXPECT_EQ(bench.score(1), 1);
  TopicScoreParams params = topic_of_bench();
  params.first_message_deliveries_weight = 3;
  set(bench, "t", params);
  EXPECT_EQ(bench.score(1), 3);
  EXPECT_EQ(bench.scorer.params().topics.at("t").first_message_deliveries_weight, 3);
}

TEST(PeerScorerTopics, counters_above_a_lower_cap_become_it_and_a_higher_one_leaves_them) {
  ScorerBench bench;
  bench.add(1);
  bench.graft(1);
  for (std::uint8_t message = 1; message <= 6; ++message) bench.deliver(1, message);
  EXPECT_EQ(bench.topic(1).first_deliveries.value, 4);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.value, 6);
  TopicScoreParams params = topic_of_bench();
  params.first_message_deliveries_cap = 100;
  params.mesh_message_deliveries_cap = 100;
  set(bench, "t", params);
  EXPECT_EQ(bench.topic(1).first_deliveries.value, 4);
  params.first_message_deliveries_cap = 2;
  params.mesh_message_deliveries_cap = 5;
  set(bench, "t", params);
  EXPECT_EQ(bench.topic(1).first_deliveries.value, 2);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.value, 5);
  EXPECT_EQ(bench.score(1), 2);
}

TEST(PeerScorerTopics, a_peer_that_is_away_keeps_its_place_among_those_that_are_kept) {
  ScorerBench bench;
  bench.add(1);
  bench.reject(1, 1, RejectCause::invalid);
  bench.remove(1);
  TopicScoreParams params = topic_of_bench();
  params.invalid_message_deliveries_weight = -1;
  set(bench, "t", params);
  EXPECT_EQ(bench.score(1), -1);
  EXPECT_EQ(bench.scorer.sizes().retained, 1U);
}

TEST(PeerScorerTopics, a_topic_that_was_not_scored_counts_from_then_on_and_the_others_keep_their_counters) {
  ScorerBench bench;
  bench.add(1);
  bench.deliver(1, 1);
  bench.scorer.on_delivered(ScorerBench::peer(1), "a", ScorerBench::id(2), bench.now);
  bench.scorer.on_graft(ScorerBench::peer(1), "a", bench.now);
  set(bench, "a", topic_of_bench());
  set(bench, "z", topic_of_bench());
  EXPECT_EQ(bench.score(1), 1) << "what was not counted stays uncounted";
  bench.scorer.on_delivered(ScorerBench::peer(1), "a", ScorerBench::id(3), bench.now);
  bench.scorer.on_delivered(ScorerBench::peer(1), "a", ScorerBench::id(4), bench.now);
  EXPECT_EQ(bench.score(1), 3);
  ScoreSnapshot shown;
  bench.scorer.snapshot(shown);
  EXPECT_THAT(shown.topics, ElementsAre("a", "t", "z"));
  ASSERT_EQ(shown.peers.size(), 1U);
  EXPECT_EQ(shown.peers[0].topics[0].first_deliveries.value, 2);
  EXPECT_EQ(shown.peers[0].topics[1].first_deliveries.value, 1);
  EXPECT_FALSE(shown.peers[0].topics[0].in_mesh) << "it counts in the mesh from the next GRAFT on";
  bench.scorer.on_graft(ScorerBench::peer(1), "a", bench.now);
  bench.decay_after(Seconds(3));
  EXPECT_EQ(bench.shown(1).topics[0].time_in_mesh, Seconds(3));
}

TEST(PeerScorerTopics, what_breaks_a_rule_changes_nothing_and_is_named) {
  ScorerBench bench;
  bench.add(1);
  bench.deliver(1, 1);
  TopicScoreParams params = topic_of_bench();
  params.first_message_deliveries_weight = 7;
  params.invalid_message_deliveries_weight = 1;
  const auto set = bench.scorer.set_topic_params("t", params);
  ASSERT_FALSE(set.has_value());
  EXPECT_THAT(set.error().message(), HasSubstr("invalid_message_deliveries_weight is 1"));
  EXPECT_THAT(set.error().message(), HasSubstr("topic t"));
  EXPECT_FALSE(bench.scorer.set_topic_params("new", params).has_value());
  EXPECT_EQ(bench.score(1), 1);
  EXPECT_EQ(bench.scorer.params().topics.size(), 1U);
}

TEST(PeerScorerTopics, a_message_that_is_too_large_for_its_topic_costs_as_an_invalid_one) {
  ScorerBench bench;
  bench.add(1);
  bench.reject(1, 1, RejectCause::too_large);
  EXPECT_EQ(bench.topic(1).invalid_deliveries.value, 1);
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 0U) << "it was not named";
}

}  // namespace
}  // namespace libp2p::gossipsub
