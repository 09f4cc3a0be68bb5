// The rules of the parameters of scores, each broken once.
#include "libp2p/protocols/gossipsub/score_params.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <limits>

namespace libp2p::gossipsub {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

TopicScoreParams lawful_topic() {
  TopicScoreParams t;
  t.topic_weight = 0.8;
  t.time_in_mesh_weight = 0.1;
  t.time_in_mesh_quantum = Seconds(2);
  t.time_in_mesh_cap = 100;
  t.first_message_deliveries_weight = 1;
  t.first_message_deliveries_decay = 0.9;
  t.first_message_deliveries_cap = 23;
  t.mesh_message_deliveries_weight = -0.7;
  t.mesh_message_deliveries_decay = 0.9;
  t.mesh_message_deliveries_cap = 30;
  t.mesh_message_deliveries_threshold = 3;
  t.mesh_message_deliveries_window = Seconds(2);
  t.mesh_message_deliveries_activation = Seconds(48);
  t.mesh_failure_penalty_weight = -0.7;
  t.mesh_failure_penalty_decay = 0.9;
  t.invalid_message_deliveries_weight = -140;
  t.invalid_message_deliveries_decay = 0.9;
  return t;
}

PeerScoreParams lawful_params() {
  PeerScoreParams p;
  p.topics["blocks"] = lawful_topic();
  p.topic_score_cap = 34;
  p.app_specific_weight = 1;
  p.ip_colocation_factor_weight = -35;
  p.ip_colocation_factor_threshold = 10;
  p.behaviour_penalty_weight = -16;
  p.behaviour_penalty_threshold = 6;
  p.behaviour_penalty_decay = 0.9;
  return p;
}

// What is said of parameters in which one thing was changed; empty when they pass.
template <class Params>
std::string said(Params params, const std::function<void(Params&)>& change,
                 ScoreRules rules = ScoreRules::every_field) {
  change(params);
  const auto result = validate(params, rules);
  if (result) return {};
  EXPECT_EQ(result.error().code(), Errc::invalid_argument);
  return result.error().text();
}
std::string said_of_topic(const std::function<void(TopicScoreParams&)>& change,
                          ScoreRules rules = ScoreRules::every_field) {
  return said<TopicScoreParams>(lawful_topic(), change, rules);
}
std::string said_of_peers(const std::function<void(PeerScoreParams&)>& change,
                          ScoreRules rules = ScoreRules::every_field) {
  return said<PeerScoreParams>(lawful_params(), change, rules);
}
std::string said_of_thresholds(const std::function<void(ScoreThresholds&)>& change,
                               ScoreRules rules = ScoreRules::every_field) {
  return said<ScoreThresholds>(ScoreThresholds{}, change, rules);
}

using T = TopicScoreParams;
using P = PeerScoreParams;

TEST(ScoreParams, that_keep_the_rules_pass) {
  EXPECT_EQ(said_of_topic([](T&) {}), "");
  EXPECT_EQ(said_of_peers([](P&) {}), "");
  EXPECT_EQ(said_of_thresholds([](ScoreThresholds&) {}), "");
}

TEST(ScoreParams, say_which_field_of_which_topic_is_wrong_and_what_is_allowed) {
  EXPECT_EQ(said_of_peers([](P& p) { p.topics["blocks"].topic_weight = -1; }),
            "topics[\"blocks\"].topic_weight is -1; it must be 0 or more");
  EXPECT_EQ(said_of_peers([](P& p) { p.decay_interval = Millis(999); }),
            "decay_interval is 0.999 s; it must be 1 s or more");
}

TEST(ScoreParams, of_a_topic_are_finite_numbers) {
  const std::pair<const char*, double T::*> numbers[] = {
      {"topic_weight", &T::topic_weight},
      {"time_in_mesh_weight", &T::time_in_mesh_weight},
      {"time_in_mesh_cap", &T::time_in_mesh_cap},
      {"first_message_deliveries_weight", &T::first_message_deliveries_weight},
      {"first_message_deliveries_decay", &T::first_message_deliveries_decay},
      {"first_message_deliveries_cap", &T::first_message_deliveries_cap},
      {"mesh_message_deliveries_weight", &T::mesh_message_deliveries_weight},
      {"mesh_message_deliveries_decay", &T::mesh_message_deliveries_decay},
      {"mesh_message_deliveries_cap", &T::mesh_message_deliveries_cap},
      {"mesh_message_deliveries_threshold", &T::mesh_message_deliveries_threshold},
      {"mesh_failure_penalty_weight", &T::mesh_failure_penalty_weight},
      {"mesh_failure_penalty_decay", &T::mesh_failure_penalty_decay},
      {"invalid_message_deliveries_weight", &T::invalid_message_deliveries_weight},
      {"invalid_message_deliveries_decay", &T::invalid_message_deliveries_decay},
  };
  for (const auto& [name, field] : numbers) {
    for (const double value : {kNoNumber, kInfinite, -kInfinite}) {
      for (const auto rules : {ScoreRules::every_field, ScoreRules::fields_in_use}) {
        const auto text = said_of_topic([which = field, value](T& t) { t.*which = value; }, rules);
        EXPECT_THAT(text, StartsWith(std::string(name) + " is ")) << value;
      }
    }
  }
}

TEST(ScoreParams, are_so_small_that_no_sum_and_no_time_overflows) {
  EXPECT_EQ(said_of_topic([](T& t) { t.mesh_message_deliveries_threshold = 1e200; }),
            "mesh_message_deliveries_threshold is 1e+200; it must be a number between -1e12 and 1e12");
  EXPECT_THAT(said_of_topic([](T& t) { t.mesh_message_deliveries_window = Nanos::max(); }),
              StartsWith("mesh_message_deliveries_window is "));
  EXPECT_THAT(said_of_peers([](P& p) { p.app_specific_weight = 1e13; }), StartsWith("app_specific_weight is 1e+13"));
  for (Nanos P::* field : {&P::retain_score, &P::seen_msg_ttl, &P::decay_interval})
    EXPECT_THAT(said_of_peers([field](P& p) { p.*field = Nanos::max(); }), testing::HasSubstr("ten years"));
}

TEST(ScoreParams, of_peers_are_finite_numbers) {
  const std::pair<const char*, double P::*> numbers[] = {
      {"topic_score_cap", &P::topic_score_cap},
      {"app_specific_weight", &P::app_specific_weight},
      {"ip_colocation_factor_weight", &P::ip_colocation_factor_weight},
      {"behaviour_penalty_weight", &P::behaviour_penalty_weight},
      {"behaviour_penalty_threshold", &P::behaviour_penalty_threshold},
      {"behaviour_penalty_decay", &P::behaviour_penalty_decay},
      {"decay_to_zero", &P::decay_to_zero},
  };
  for (const auto& [name, field] : numbers) {
    for (const double value : {kNoNumber, kInfinite, -kInfinite}) {
      const auto text = said_of_peers([which = field, value](P& p) { p.*which = value; });
      EXPECT_THAT(text, StartsWith(std::string(name) + " is ")) << value;
    }
  }
}

TEST(ScoreParams, of_the_time_in_the_mesh) {
  EXPECT_THAT(said_of_topic([](T& t) { t.time_in_mesh_quantum = Nanos(0); }), HasSubstr("time_in_mesh_quantum"));
  EXPECT_THAT(said_of_topic([](T& t) { t.time_in_mesh_quantum = Nanos(-1); }), HasSubstr("time_in_mesh_quantum"));
  EXPECT_THAT(said_of_topic([](T& t) { t.time_in_mesh_weight = -0.1; }), HasSubstr("time_in_mesh_weight"));
  EXPECT_THAT(said_of_topic([](T& t) { t.time_in_mesh_cap = 0; }), HasSubstr("time_in_mesh_cap"));
  const auto off = [](T& t) { t.time_in_mesh_weight = t.time_in_mesh_cap = 0; };
  EXPECT_EQ(said_of_topic(off), "");
  const auto none = [](T& t) {
    t.time_in_mesh_weight = t.time_in_mesh_cap = 0;
    t.time_in_mesh_quantum = Nanos(0);
  };
  EXPECT_THAT(said_of_topic(none), HasSubstr("time_in_mesh_quantum"));
  EXPECT_EQ(said_of_topic(none, ScoreRules::fields_in_use), "");
}

TEST(ScoreParams, of_first_deliveries) {
  EXPECT_THAT(said_of_topic([](T& t) { t.first_message_deliveries_weight = -1; }),
              HasSubstr("first_message_deliveries_weight"));
  for (const double decay : {-0.1, 0.0, 1.0, 1.5}) {
    EXPECT_THAT(said_of_topic([decay](T& t) { t.first_message_deliveries_decay = decay; }),
                HasSubstr("first_message_deliveries_decay"));
  }
  for (const double cap : {0.0, -1.0}) {
    EXPECT_THAT(said_of_topic([cap](T& t) { t.first_message_deliveries_cap = cap; }),
                HasSubstr("first_message_deliveries_cap"));
  }
  const auto off = [](T& t) {
    t.first_message_deliveries_weight = t.first_message_deliveries_decay = t.first_message_deliveries_cap = 0;
  };
  EXPECT_EQ(said_of_topic(off), "");
}

TEST(ScoreParams, of_deliveries_in_the_mesh) {
  EXPECT_THAT(said_of_topic([](T& t) { t.mesh_message_deliveries_weight = 1; }),
              HasSubstr("mesh_message_deliveries_weight"));
  for (const double decay : {0.0, 1.0}) {
    EXPECT_THAT(said_of_topic([decay](T& t) { t.mesh_message_deliveries_decay = decay; }),
                HasSubstr("mesh_message_deliveries_decay"));
  }
  EXPECT_THAT(said_of_topic([](T& t) { t.mesh_message_deliveries_cap = 0; }),
              StartsWith("mesh_message_deliveries_cap"));
  EXPECT_THAT(said_of_topic([](T& t) { t.mesh_message_deliveries_threshold = 0; }),
              StartsWith("mesh_message_deliveries_threshold"));
  EXPECT_EQ(said_of_topic([](T& t) { t.mesh_message_deliveries_cap = 2; }),
            "mesh_message_deliveries_cap is 2; it must be at least the mesh_message_deliveries_threshold, 3");
  EXPECT_THAT(said_of_topic([](T& t) { t.mesh_message_deliveries_window = Nanos(-1); }),
              HasSubstr("mesh_message_deliveries_window"));
  EXPECT_THAT(said_of_topic([](T& t) { t.mesh_message_deliveries_activation = Millis(999); }),
              HasSubstr("mesh_message_deliveries_activation"));
  const auto off = [](T& t) {
    t.mesh_message_deliveries_weight = t.mesh_message_deliveries_decay = 0;
    t.mesh_message_deliveries_cap = t.mesh_message_deliveries_threshold = 0;
    t.mesh_message_deliveries_window = t.mesh_message_deliveries_activation = Nanos(0);
  };
  EXPECT_EQ(said_of_topic(off), "");
  EXPECT_EQ(said_of_topic(off, ScoreRules::fields_in_use), "");
}

TEST(ScoreParams, of_failures_in_the_mesh_and_of_invalid_messages) {
  EXPECT_THAT(said_of_topic([](T& t) { t.mesh_failure_penalty_weight = 1; }), HasSubstr("mesh_failure_penalty_weight"));
  EXPECT_THAT(said_of_topic([](T& t) { t.invalid_message_deliveries_weight = 1; }),
              HasSubstr("invalid_message_deliveries_weight"));
  for (const double decay : {0.0, 1.0}) {
    EXPECT_THAT(said_of_topic([decay](T& t) { t.mesh_failure_penalty_decay = decay; }),
                HasSubstr("mesh_failure_penalty_decay"));
    EXPECT_THAT(said_of_topic([decay](T& t) { t.invalid_message_deliveries_decay = decay; }),
                HasSubstr("invalid_message_deliveries_decay"));
  }
  const auto off = [](T& t) {
    t.mesh_failure_penalty_weight = t.mesh_failure_penalty_decay = 0;
    t.invalid_message_deliveries_weight = t.invalid_message_deliveries_decay = 0;
  };
  EXPECT_THAT(said_of_topic(off), HasSubstr("invalid_message_deliveries_decay")) << "asked for without a weight too";
  EXPECT_EQ(said_of_topic(off, ScoreRules::fields_in_use), "");
}

TEST(ScoreParams, of_peers) {
  EXPECT_THAT(said_of_peers([](P& p) { p.topic_score_cap = -1; }), HasSubstr("topic_score_cap"));
  EXPECT_EQ(said_of_peers([](P& p) { p.app_specific_weight = -1; }), "");
  EXPECT_THAT(said_of_peers([](P& p) { p.ip_colocation_factor_weight = 1; }), HasSubstr("ip_colocation_factor_weight"));
  EXPECT_EQ(said_of_peers([](P& p) { p.ip_colocation_factor_threshold = 0; }),
            "ip_colocation_factor_threshold is 0; it must be at least 1");
  EXPECT_EQ(said_of_peers([](P& p) { p.ip_colocation_factor_weight = 0, p.ip_colocation_factor_threshold = 0; }), "");
  EXPECT_THAT(said_of_peers([](P& p) { p.behaviour_penalty_weight = 1; }), HasSubstr("behaviour_penalty_weight"));
  EXPECT_THAT(said_of_peers([](P& p) { p.behaviour_penalty_threshold = -1; }),
              HasSubstr("behaviour_penalty_threshold"));
  for (const double decay : {0.0, 1.0}) {
    EXPECT_THAT(said_of_peers([decay](P& p) { p.behaviour_penalty_decay = decay; }),
                HasSubstr("behaviour_penalty_decay"));
    EXPECT_THAT(said_of_peers([decay](P& p) { p.decay_to_zero = decay; }), HasSubstr("decay_to_zero"));
  }
  EXPECT_THAT(said_of_peers([](P& p) { p.retain_score = Nanos(-1); }), HasSubstr("retain_score"));
  EXPECT_EQ(said_of_peers([](P& p) { p.retain_score = Nanos(0); }), "");
  EXPECT_THAT(said_of_peers([](P& p) { p.seen_msg_ttl = Nanos(-1); }), HasSubstr("seen_msg_ttl"));
  EXPECT_THAT(said_of_peers([](P& p) { p.max_delivery_records = 0; }), HasSubstr("max_delivery_records"));
  const auto undecayed = [](P& p) {
    p.decay_interval = Nanos(0);
    p.decay_to_zero = 0;
  };
  EXPECT_THAT(said_of_peers(undecayed), HasSubstr("decay_interval"));
  EXPECT_EQ(said_of_peers(undecayed, ScoreRules::fields_in_use), "");
}

TEST(ScoreParams, of_thresholds_are_in_their_order) {
  using S = ScoreThresholds;
  EXPECT_THAT(said_of_thresholds([](S& s) { s.gossip = 1; }), StartsWith("gossip is 1"));
  EXPECT_EQ(said_of_thresholds([](S& s) { s.publish = -9; }),
            "publish is -9; it must be at most the gossip threshold, -10");
  EXPECT_EQ(said_of_thresholds([](S& s) { s.graylist = -39; }),
            "graylist is -39; it must be at most the publish threshold, -40");
  EXPECT_THAT(said_of_thresholds([](S& s) { s.accept_px = -1; }), HasSubstr("accept_px"));
  EXPECT_THAT(said_of_thresholds([](S& s) { s.opportunistic_graft = -1; }), HasSubstr("opportunistic_graft"));
  for (const auto field : {&S::gossip, &S::publish, &S::graylist, &S::accept_px, &S::opportunistic_graft})
    EXPECT_THAT(said_of_thresholds([field](S& s) { s.*field = kNoNumber; }),
                HasSubstr("nan; it must be a number between"));
  const auto none = [](S& s) { s = {0, 0, 0, 0, 0}; };
  EXPECT_EQ(said_of_thresholds(none), "");
}

TEST(ScoreParams, decay_is_what_brings_one_to_zero_in_the_time) {
  EXPECT_DOUBLE_EQ(score_decay(Seconds(60)), 0.9261187281287935);
  EXPECT_DOUBLE_EQ(score_decay(Seconds(120), Seconds(2)), 0.9261187281287935);
  EXPECT_DOUBLE_EQ(score_decay(Seconds(2), Seconds(1), 0.25), 0.5);
}

TEST(ScoreParamsDeathTest, nothing_decays_within_less_than_an_interval) {
  EXPECT_DEATH(static_cast<void>(score_decay(Millis(999))), "at least one interval");
}

}  // namespace
}  // namespace libp2p::gossipsub
