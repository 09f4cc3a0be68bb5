// The score function: each part with its counter, and what all of them add up to.
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "libp2p/protocols/gossipsub/peer_scorer_test_support.hpp"

namespace libp2p::gossipsub {
namespace {

using test::scored_params;
using test::ScorerBench;
using testing::IsEmpty;

TEST(PeerScorer, gives_zero_to_peers_that_are_new_or_not_known) {
  ScorerBench bench;
  bench.add(1);
  EXPECT_EQ(bench.score(1), 0);
  EXPECT_EQ(bench.score(2), 0);
  bench.penalise(2, 100);
  bench.deliver(2, 1);
  bench.graft(2);
  bench.reject(2, 2, RejectCause::invalid);
  bench.remove(2);
  bench.scorer.set_application_score(ScorerBench::peer(2), 5);
  EXPECT_EQ(bench.score(2), 0);
  EXPECT_FALSE(bench.scorer.snapshot_of(ScorerBench::peer(2)));
}

TEST(PeerScorer, counts_whole_quanta_in_the_mesh_at_each_decay_up_to_the_cap) {
  ScorerBench bench;
  bench.add(1);
  bench.graft(1);
  bench.decay_after(Millis(1999));
  EXPECT_EQ(bench.score(1), 0.01);
  EXPECT_EQ(bench.topic(1).time_in_mesh, Millis(1999));
  bench.now = bench.now + Seconds(1);
  EXPECT_EQ(bench.score(1), 0.01) << "time is looked at when counters decay";
  bench.prune(1);
  EXPECT_EQ(bench.score(1), 0);
  EXPECT_EQ(bench.topic(1).time_in_mesh, Nanos(0));
}

TEST(PeerScorer, caps_the_time_in_the_mesh) {
  auto params = scored_params();
  params.topics["t"].mesh_message_deliveries_weight = 0;
  ScorerBench bench(params);
  bench.add(1);
  bench.graft(1);
  bench.decay_after(Seconds(49));
  EXPECT_EQ(bench.score(1), 0.49);
  bench.decay_after(Seconds(1000));
  EXPECT_EQ(bench.score(1), 0.5);
  bench.graft(1);
  EXPECT_EQ(bench.score(1), 0) << "a GRAFT begins anew";
}

TEST(PeerScorer, rewards_who_brings_a_message_first_up_to_the_cap_and_lets_it_decay_to_zero) {
  ScorerBench bench;
  bench.add(1);
  for (std::uint8_t message = 1; message <= 6; ++message) bench.deliver(1, message);
  EXPECT_EQ(bench.score(1), 4);
  bench.decay_after(Seconds(1));
  EXPECT_EQ(bench.score(1), 2);
  for (int round = 0; round < 7; ++round) bench.decay_after(Seconds(1));
  EXPECT_EQ(bench.score(1), 2.0 / 128);
  bench.decay_after(Seconds(1));
  EXPECT_EQ(bench.score(1), 0) << "below decay_to_zero";
}

TEST(PeerScorer, punishes_too_few_deliveries_in_the_mesh_once_the_activation_has_passed) {
  ScorerBench bench;
  bench.add(1);
  bench.graft(1);
  bench.decay_after(Seconds(5));
  EXPECT_EQ(bench.score(1), 0.05) << "not longer than the activation";
  bench.decay_after(Nanos(1));
  EXPECT_EQ(bench.score(1), 0.05 - 90);
  bench.deliver(1, 1);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.value, 1);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.weighted, -40);
  bench.deliver(1, 2);
  bench.deliver(1, 3);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.weighted, 0) << "the threshold is reached";
  bench.deliver(1, 4);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.weighted, 0) << "and passed";
}

TEST(PeerScorer, counts_copies_that_came_before_the_verdict_or_within_the_window_after_it) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 5; ++n) {
    bench.add(n);
    if (n != 4) bench.graft(n);
  }
  bench.begin(1, 1);
  bench.copy(2, 1);
  bench.copy(4, 1);  // in no mesh
  EXPECT_EQ(bench.topic(2).mesh_deliveries.value, 0) << "nobody knows yet whether it is valid";
  bench.deliver(1, 1);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.value, 1);
  EXPECT_EQ(bench.topic(2).mesh_deliveries.value, 1);
  bench.now = bench.now + Millis(200);
  bench.copy(3, 1);
  EXPECT_EQ(bench.topic(3).mesh_deliveries.value, 1);
  bench.now = bench.now + Nanos(1);
  bench.copy(5, 1);
  EXPECT_EQ(bench.topic(5).mesh_deliveries.value, 0);
  EXPECT_THAT(bench.shown(4).topics, IsEmpty());
}

TEST(PeerScorer, counts_a_message_once_for_a_peer_however_often_it_sends_it) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 3; ++n) {
    bench.add(n);
    bench.graft(n);
  }
  bench.begin(1, 1);
  bench.copy(1, 1);
  bench.copy(2, 1);
  bench.copy(2, 1);
  bench.deliver(1, 1);
  for (int times = 0; times < 3; ++times) {
    for (std::uint32_t n = 1; n <= 3; ++n) bench.copy(n, 1);
  }
  for (std::uint32_t n = 1; n <= 3; ++n) EXPECT_EQ(bench.topic(n).mesh_deliveries.value, 1) << n;
  bench.deliver(1, 2);
  bench.copy(1, 2);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.value, 2) << "who was first has been counted";
  bench.deliver(3, 1);
  EXPECT_EQ(bench.topic(2).mesh_deliveries.value, 1) << "a message is delivered once";
}

TEST(PeerScorer, caps_deliveries_in_the_mesh) {
  ScorerBench bench;
  bench.add(1);
  bench.graft(1);
  for (std::uint8_t message = 1; message <= 20; ++message) bench.deliver(1, message);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.value, 8);
}

TEST(PeerScorer, keeps_the_deficit_at_a_prune_as_a_penalty_that_decays) {
  ScorerBench bench;
  bench.add(1);
  bench.graft(1);
  bench.prune(1);
  EXPECT_EQ(bench.score(1), 0) << "the part was not active";
  bench.graft(1);
  bench.decay_after(Seconds(6));
  bench.deliver(1, 1);
  bench.prune(1);
  EXPECT_EQ(bench.topic(1).mesh_failures.value, 4);
  EXPECT_EQ(bench.topic(1).mesh_failures.weighted, -400);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.weighted, -40) << "as go-libp2p-pubsub: active until the next GRAFT";
  bench.decay_after(Seconds(1));
  EXPECT_EQ(bench.topic(1).mesh_failures.value, 2);
  bench.graft(1);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.weighted, 0);
}

TEST(PeerScorer, punishes_invalid_messages_by_their_square) {
  ScorerBench bench;
  bench.add(1);
  bench.reject(1, 1, RejectCause::invalid);
  EXPECT_EQ(bench.score(1), -1000);
  bench.reject(1, 2, RejectCause::unexpected_author);
  bench.reject(1, 3, RejectCause::invalid);
  EXPECT_EQ(bench.score(1), -9000);
  bench.decay_after(Seconds(1));
  EXPECT_EQ(bench.score(1), -2250);
}

TEST(PeerScorer, blames_all_who_sent_an_invalid_message_each_time) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 3; ++n) bench.add(n);
  bench.begin(1, 1);
  bench.copy(2, 1);
  bench.copy(2, 1);
  bench.reject(1, 1, RejectCause::invalid);
  bench.copy(3, 1);
  bench.copy(3, 1);
  EXPECT_EQ(bench.topic(1).invalid_deliveries.value, 1);
  EXPECT_EQ(bench.topic(2).invalid_deliveries.value, 1) << "before the verdict it could not know";
  EXPECT_EQ(bench.topic(3).invalid_deliveries.value, 2);
  bench.reject(1, 1, RejectCause::invalid);
  EXPECT_EQ(bench.topic(1).invalid_deliveries.value, 1) << "a message has one verdict";
}

TEST(PeerScorer, blames_nobody_for_what_says_nothing_of_the_message) {
  for (const auto cause : {RejectCause::ignored, RejectCause::throttled, RejectCause::not_to_blame}) {
    ScorerBench bench;
    for (std::uint32_t n = 1; n <= 3; ++n) bench.add(n);
    bench.begin(1, 1);
    bench.copy(2, 1);
    bench.reject(1, 1, cause);
    bench.copy(3, 1);
    for (std::uint32_t n = 1; n <= 3; ++n) EXPECT_EQ(bench.score(n), 0) << to_string(cause);
    bench.graft(2);
    bench.deliver(1, 1);
    EXPECT_EQ(bench.topic(2).mesh_deliveries.value, 0) << "a message has one verdict";
  }
}

TEST(PeerScorer, has_no_record_of_what_was_not_named) {
  ScorerBench bench;
  bench.add(1);
  for (const auto cause : {RejectCause::queue_full, RejectCause::self_origin, RejectCause::blacklisted}) {
    bench.scorer.on_rejected(ScorerBench::peer(1), "t", {}, cause, bench.now);
    EXPECT_EQ(bench.score(1), 0) << to_string(cause);
  }
  double squared = 0;
  for (const auto cause :
       {RejectCause::unexpected_author, RejectCause::missing_signature, RejectCause::invalid_signature}) {
    bench.scorer.on_rejected(ScorerBench::peer(1), "t", {}, cause, bench.now);
    squared += 1;
    EXPECT_EQ(bench.score(1), -1000 * squared * squared) << to_string(cause);
  }
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 0U);
}

TEST(PeerScorer, counts_copies_of_our_own_messages) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 2; ++n) {
    bench.add(n);
    bench.graft(n);
  }
  bench.scorer.on_delivered(PeerId(), "t", ScorerBench::id(1), bench.now);
  bench.copy(1, 1);
  EXPECT_EQ(bench.topic(1).mesh_deliveries.value, 1);
  bench.copy(2, 2);
  bench.scorer.on_rejected(PeerId(), "t", ScorerBench::id(2), RejectCause::invalid, bench.now);
  EXPECT_EQ(bench.topic(2).invalid_deliveries.value, 1);
  EXPECT_EQ(bench.scorer.sizes().connected, 2U);
}

TEST(PeerScorer, weighs_topics_and_caps_what_they_add_but_not_what_they_take) {
  auto params = scored_params();
  params.topics["u"] = params.topics["t"];
  params.topics["u"].topic_weight = 3;
  params.topic_score_cap = 5;
  ScorerBench bench(params);
  bench.add(1);
  bench.deliver(1, 1);
  bench.scorer.on_delivered(ScorerBench::peer(1), "u", ScorerBench::id(2), bench.now);
  EXPECT_EQ(bench.score(1), 4);
  bench.scorer.on_delivered(ScorerBench::peer(1), "u", ScorerBench::id(3), bench.now);
  bench.scorer.set_application_score(ScorerBench::peer(1), 2);
  EXPECT_EQ(bench.score(1), 7);
  EXPECT_EQ(bench.shown(1).topics_total, 5);
  bench.scorer.on_rejected(ScorerBench::peer(1), "u", ScorerBench::id(4), RejectCause::invalid, bench.now);
  EXPECT_EQ(bench.score(1), 1 + 6 - 3000 + 2);
}

TEST(PeerScorer, keeps_nothing_of_topics_that_are_not_scored) {
  ScorerBench bench;
  bench.add(1);
  bench.scorer.on_graft(ScorerBench::peer(1), "other", bench.now);
  bench.scorer.on_validation_begun(ScorerBench::peer(1), "other", ScorerBench::id(1), bench.now);
  bench.scorer.on_delivered(ScorerBench::peer(1), "other", ScorerBench::id(1), bench.now);
  bench.scorer.on_duplicate(ScorerBench::peer(1), "other", ScorerBench::id(1), bench.now);
  bench.scorer.on_rejected(ScorerBench::peer(1), "other", ScorerBench::id(2), RejectCause::invalid, bench.now);
  bench.scorer.on_prune(ScorerBench::peer(1), "other", bench.now);
  EXPECT_EQ(bench.score(1), 0);
  EXPECT_THAT(bench.shown(1).topics, IsEmpty());
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 0U);
}

TEST(PeerScorer, takes_the_score_of_the_application_and_asks_for_it_when_a_peer_is_added) {
  double known = 3;
  ScorerBench bench(scored_params(), [&](const PeerId&) { return known; });
  bench.add(1);
  EXPECT_EQ(bench.score(1), 3);
  bench.scorer.set_application_score(ScorerBench::peer(1), -7.5);
  EXPECT_EQ(bench.score(1), -7.5);
  known = -1;
  bench.remove(1);
  EXPECT_EQ(bench.score(1), -7.5);
  bench.add(1);
  EXPECT_EQ(bench.score(1), -1);
}

TEST(PeerScorer, counts_the_penalty_above_its_threshold_by_its_square) {
  ScorerBench bench;
  bench.add(1);
  bench.penalise(1, 2);
  EXPECT_EQ(bench.score(1), 0);
  bench.penalise(1, 2);
  EXPECT_EQ(bench.score(1), -4);
  EXPECT_EQ(bench.shown(1).behaviour.value, 4) << "the counter as it is";
  bench.decay_after(Seconds(1));
  EXPECT_EQ(bench.score(1), 0);
}

}  // namespace
}  // namespace libp2p::gossipsub
