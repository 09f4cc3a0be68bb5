// The values of the profiles, written out: the table of the op-node surface (5.6) for blocks every 1 s, 2 s and 4 s.
#include "opstack/reputation/scoring_profiles.hpp"

#include <gmock/gmock.h>

namespace opstack::reputation {
namespace {

using libp2p::Millis;
using libp2p::Nanos;
using libp2p::Seconds;
using libp2p::gossipsub::PeerScoreParams;
using testing::ElementsAre;

const std::vector<std::string> kTopics = {"/optimism/10/0/blocks", "/optimism/10/1/blocks", "/optimism/10/2/blocks",
                                          "/optimism/10/3/blocks"};

ScoringProfile profile(std::string_view name, Nanos block_time) {
  return make_scoring_profile(name, {block_time, kTopics}, ProfileUse::simulation).value();
}

TEST(ScoringProfiles, are_found_by_their_names) {
  EXPECT_THAT(scoring_profile_names(ProfileUse::node), ElementsAre("none", "light", "opp2p"));
  EXPECT_THAT(scoring_profile_names(ProfileUse::simulation), ElementsAre("none", "light", "opp2p", "scored"));
  for (const auto name : scoring_profile_names(ProfileUse::simulation)) EXPECT_EQ(profile(name, Seconds(2)).name, name);
}

TEST(ScoringProfiles, a_wrong_name_is_an_error_that_lists_the_right_ones) {
  for (const std::string name : {"heavy", "", "Light", "scored"}) {
    const auto made = make_scoring_profile(name, {Seconds(2), kTopics}, ProfileUse::node);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code(), libp2p::Errc::invalid_argument);
    EXPECT_EQ(made.error().text(), "no scoring profile is named \"" + name + "\"; the profiles are none, light, opp2p");
  }
}

TEST(ScoringProfiles, keep_the_rules_of_parameters_at_every_block_time) {
  for (const auto name : scoring_profile_names(ProfileUse::simulation)) {
    for (const Nanos time : {Nanos(0), Nanos(-1), Nanos(1), Nanos(Millis(200)), Nanos(Seconds(1)), Nanos(Seconds(2)),
                             Nanos(Seconds(12)), Nanos(Seconds(3600)), Nanos(Seconds(3601)), Nanos::max()}) {
      const auto made = profile(name, time);
      EXPECT_TRUE(validate(made.thresholds)) << name;
      if (made.params) EXPECT_TRUE(validate(*made.params)) << name << " " << time.count();
    }
  }
}

TEST(ScoringProfiles, none_scores_nobody_and_holds_nothing_against_a_score_of_zero) {
  const auto none = profile("none", Seconds(2));
  EXPECT_FALSE(none.params);
  EXPECT_EQ(none.thresholds.gossip, 0);
  EXPECT_EQ(none.thresholds.publish, 0);
  EXPECT_EQ(none.thresholds.graylist, 0);
  EXPECT_EQ(none.thresholds.accept_px, 0);
  EXPECT_EQ(none.thresholds.opportunistic_graft, 0);
}

struct LightRow {
  Seconds block_time;
  Seconds decay_interval;
  Seconds retain_score;
};

TEST(ScoringProfiles, light_is_op_nodes) {
  for (const LightRow& row : {LightRow{Seconds(1), Seconds(1), Seconds(600)},
                              {Seconds(2), Seconds(2), Seconds(1200)},
                              {Seconds(4), Seconds(4), Seconds(2400)},
                              {Seconds(0), Seconds(2), Seconds(1200)}}) {
    const auto light = profile("light", row.block_time);
    ASSERT_TRUE(light.params);
    const PeerScoreParams& p = *light.params;
    EXPECT_EQ(p.decay_interval, row.decay_interval);
    EXPECT_EQ(p.retain_score, row.retain_score);
    EXPECT_EQ(p.decay_to_zero, 0.01);
    EXPECT_EQ(p.app_specific_weight, 1);
    EXPECT_EQ(p.ip_colocation_factor_weight, -35);
    EXPECT_EQ(p.ip_colocation_factor_threshold, 10U);
    EXPECT_TRUE(p.ip_colocation_factor_allow_list.empty());
    EXPECT_EQ(p.behaviour_penalty_weight, -16);
    EXPECT_EQ(p.behaviour_penalty_threshold, 6);
    EXPECT_NEAR(p.behaviour_penalty_decay, 0.9261187281287935, 1e-15);
    EXPECT_TRUE(p.topics.empty());
    EXPECT_EQ(p.topic_score_cap, 0);
    EXPECT_EQ(light.thresholds.gossip, -10);
    EXPECT_EQ(light.thresholds.publish, -40);
    EXPECT_EQ(light.thresholds.graylist, -40);
    EXPECT_EQ(light.thresholds.accept_px, 20);
    EXPECT_EQ(light.thresholds.opportunistic_graft, 0.05);
  }
}

struct ScoredRow {
  Seconds block_time;
  double time_in_mesh_weight;
  double time_in_mesh_cap;
};

TEST(ScoringProfiles, scored_is_light_and_counts_time_first_and_invalid_messages_on_the_topics_of_blocks) {
  for (const ScoredRow& row :
       {ScoredRow{Seconds(1), 10.0 / 3600, 3600}, {Seconds(2), 10.0 / 1800, 1800}, {Seconds(4), 10.0 / 900, 900}}) {
    const auto scored = profile("scored", row.block_time);
    ASSERT_TRUE(scored.params);
    const PeerScoreParams light = *profile("light", row.block_time).params;
    EXPECT_EQ(scored.params->decay_interval, light.decay_interval);
    EXPECT_EQ(scored.params->retain_score, light.retain_score);
    EXPECT_EQ(scored.params->behaviour_penalty_weight, light.behaviour_penalty_weight);
    EXPECT_EQ(scored.params->ip_colocation_factor_weight, light.ip_colocation_factor_weight);
    EXPECT_EQ(scored.thresholds.graylist, -40);
    EXPECT_EQ(scored.params->topic_score_cap, 34);
    EXPECT_EQ(scored.params->seen_msg_ttl, libp2p::gossipsub::Params().seen_ttl)
        << "whoever sends a message that the router has forgotten is judged for it";
    ASSERT_EQ(scored.params->topics.size(), 4U);
    for (const auto& topic : kTopics) {
      const auto& t = scored.params->topics.at(topic);
      EXPECT_EQ(t.topic_weight, 0.8);
      EXPECT_DOUBLE_EQ(t.time_in_mesh_weight, row.time_in_mesh_weight);
      EXPECT_EQ(t.time_in_mesh_quantum, row.block_time);
      EXPECT_EQ(t.time_in_mesh_cap, row.time_in_mesh_cap);
      EXPECT_EQ(t.first_message_deliveries_weight, 1);
      EXPECT_NEAR(t.first_message_deliveries_decay, 0.9623506263980885, 1e-15);
      EXPECT_EQ(t.first_message_deliveries_cap, 23);
      EXPECT_EQ(t.invalid_message_deliveries_weight, -140.4475);
      EXPECT_NEAR(t.invalid_message_deliveries_decay, 0.9847666521101581, 1e-15);
      EXPECT_EQ(t.mesh_message_deliveries_weight, 0);
      EXPECT_EQ(t.mesh_failure_penalty_weight, 0);
    }
  }
}

TEST(ScoringProfiles, take_block_times_of_one_second_to_one_hour_and_count_others_as_the_nearest) {
  const auto fast = profile("scored", Millis(200));
  const auto second = profile("scored", Seconds(1));
  EXPECT_EQ(fast.params->decay_interval, Seconds(1));
  EXPECT_EQ(fast.params->retain_score, second.params->retain_score);
  EXPECT_EQ(fast.params->topics.at(kTopics[3]).time_in_mesh_quantum, Seconds(1));
  const auto slow = profile("scored", Seconds(86'400));
  EXPECT_EQ(slow.params->decay_interval, Seconds(3600));
  EXPECT_EQ(slow.params->topics.at(kTopics[3]).time_in_mesh_cap, 1);
}

}  // namespace
}  // namespace opstack::reputation
