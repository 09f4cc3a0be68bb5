// The score function: addresses, peers that are away, delivery records, decay, and what is shown.
#include <gmock/gmock.h>

#include <cmath>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer_test_support.hpp"

namespace libp2p::gossipsub {
namespace {

using test::scored_params;
using test::ScorerBench;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::SizeIs;

// ---- addresses ----

TEST(PeerScorer, counts_peers_at_an_address_above_the_threshold_by_their_square) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 4; ++n) bench.add(n);
  bench.place(1, {"/ip4/198.51.100.1/tcp/1"});
  bench.place(2, {"/ip4/198.51.100.2/tcp/1"});
  EXPECT_EQ(bench.score(1), 0);
  bench.place(2, {"/ip4/198.51.100.1/tcp/2"});
  EXPECT_EQ(bench.score(1), -1);
  EXPECT_EQ(bench.score(2), -1);
  bench.place(3, {"/ip4/198.51.100.1/udp/3/quic-v1", "/ip4/203.0.113.9/tcp/1"});
  EXPECT_EQ(bench.score(1), -4);
  EXPECT_EQ(bench.shown(1).ip_colocation.value, 4);
  bench.place(4, {"/ip4/203.0.113.9/tcp/1"});
  EXPECT_EQ(bench.score(3), -5) << "each of its addresses counts";
  bench.place(3, {});
  EXPECT_EQ(bench.score(1), -1);
  EXPECT_EQ(bench.score(3), 0);
  bench.place(2, {});
  EXPECT_EQ(bench.score(1), 0);
}

TEST(PeerScorer, counts_nothing_below_the_threshold_of_an_address) {
  auto params = scored_params();
  params.ip_colocation_factor_threshold = 3;
  ScorerBench bench(params);
  for (std::uint32_t n = 1; n <= 4; ++n) {
    EXPECT_EQ(bench.score(1), 0);
    bench.add(n);
    bench.place(n, {"/ip4/198.51.100.1/tcp/1"});
  }
  EXPECT_EQ(bench.score(1), -1);
}

TEST(PeerScorer, counts_the_64_of_an_ip6_address_too) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 3; ++n) bench.add(n);
  bench.place(1, {"/ip6/2001:db8:0:1::1/tcp/1"});
  bench.place(2, {"/ip6/2001:db8:0:1::2/tcp/1"});
  EXPECT_EQ(bench.score(1), -1) << "the /64 alone";
  bench.place(3, {"/ip6/2001:db8:0:2::1/tcp/1"});
  EXPECT_EQ(bench.score(3), 0);
  bench.place(3, {"/ip6/2001:db8:0:1::1/tcp/1"});
  EXPECT_EQ(bench.score(1), -4 - 1) << "the /64 and the address";
  bench.place(1, {"/ip6/::ffff:192.0.2.1/tcp/1"});
  bench.place(2, {"/ip4/192.0.2.1/tcp/1"});
  EXPECT_EQ(bench.score(1), -1) << "an IPv4 address in the form of an IPv6 one is that IPv4 address";
}

TEST(PeerScorer, counts_an_address_once_for_a_peer_with_several_connections_from_it) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 2; ++n) {
    bench.add(n);
    bench.place(n, {"/ip4/198.51.100.1/tcp/1", "/ip4/198.51.100.1/tcp/2", "/ip6/2001:db8::/tcp/1"});
  }
  EXPECT_EQ(bench.score(1), -2);
}

TEST(PeerScorer, never_counts_loopback_relayed_or_allowed_addresses) {
  auto params = scored_params();
  params.ip_colocation_factor_allow_list = {Cidr::from_text("10.0.0.0/8").value(),
                                            Cidr::from_text("2001:db8::1").value()};
  ScorerBench bench(params);
  for (std::uint32_t n = 1; n <= 3; ++n) {
    bench.add(n);
    const PeerAddress addresses[] = {
        {Multiaddr::from_text("/ip4/127.0.0.1/tcp/1").value()},
        {Multiaddr::from_text("/ip6/::1/tcp/1").value()},
        {Multiaddr::from_text("/ip6/::ffff:127.0.0.1/tcp/1").value()},
        {Multiaddr::from_text("/ip4/10.1.2.3/tcp/1").value()},
        {Multiaddr::from_text("/memory/7").value()},
        {Multiaddr::from_text("/ip4/198.51.100.1/tcp/1").value(), true},
        {Multiaddr::from_text("/ip4/198.51.100.1/tcp/1/p2p/"
                              "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit")
             .value()},
    };
    bench.scorer.on_addresses(ScorerBench::peer(n), addresses, bench.now);
  }
  EXPECT_EQ(bench.scorer.sizes().addresses, 0U);
  EXPECT_EQ(bench.score(1), 0);
  for (std::uint32_t n = 1; n <= 2; ++n) bench.place(n, {"/ip6/2001:db8::1/tcp/1"});
  EXPECT_EQ(bench.score(1), -1) << "the /64 of an allowed address is not allowed with it";
}

TEST(PeerScorer, counts_a_bounded_number_of_addresses_of_a_peer) {
  auto params = scored_params();
  params.max_addresses_of_a_peer = 3;
  ScorerBench bench(params);
  bench.add(1);
  bench.place(1, {"/ip6/2001:db8:0:1::1/tcp/1", "/ip6/2001:db8:0:2::1/tcp/1", "/ip6/2001:db8:0:3::1/tcp/1"});
  EXPECT_EQ(bench.scorer.sizes().addresses, 3U);
}

// ---- peers that are away ----

TEST(PeerScorer, keeps_the_score_of_a_peer_that_leaves_with_a_bad_one_and_undecayed) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 2; ++n) bench.add(n);
  bench.penalise(1, 4);
  bench.deliver(2, 1);
  bench.remove(1);
  bench.remove(2);
  EXPECT_EQ(bench.score(1), -4);
  EXPECT_EQ(bench.score(2), 0);
  EXPECT_EQ(bench.scorer.sizes().retained, 1U);
  bench.decay_after(Seconds(60));
  EXPECT_EQ(bench.score(1), -4);
  bench.add(1);
  EXPECT_EQ(bench.score(1), -4);
  EXPECT_EQ(bench.scorer.sizes().retained, 0U);
  bench.remove(1);
  bench.decay_after(Seconds(60) + Nanos(1));
  EXPECT_EQ(bench.score(1), 0);
  EXPECT_EQ(bench.scorer.sizes().retained, 0U);
}

TEST(PeerScorer, takes_deliveries_from_a_peer_that_leaves_and_adds_the_deficit) {
  ScorerBench bench;
  bench.add(1);
  bench.graft(1);
  bench.decay_after(Seconds(6));
  bench.deliver(1, 1);
  bench.remove(1);
  EXPECT_EQ(bench.topic(1).first_deliveries.value, 0);
  EXPECT_EQ(bench.topic(1).mesh_failures.value, 4);
  EXPECT_FALSE(bench.topic(1).in_mesh);
  EXPECT_EQ(bench.score(1), -40 - 400);
  EXPECT_FALSE(bench.shown(1).connected);
  bench.graft(1);
  EXPECT_FALSE(bench.topic(1).in_mesh) << "who is away is in no mesh";
}

TEST(PeerScorer, adds_no_deficit_when_a_peer_leaves_that_was_pruned_before) {
  ScorerBench bench;
  bench.add(1);
  bench.graft(1);
  bench.decay_after(Seconds(6));
  bench.prune(1);
  bench.remove(1);
  EXPECT_EQ(bench.topic(1).mesh_failures.value, 9);
}

TEST(PeerScorer, counts_a_peer_that_is_away_at_its_address_until_it_is_forgotten) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 2; ++n) {
    bench.add(n);
    bench.place(n, {"/ip4/198.51.100.1/tcp/1"});
  }
  bench.remove(2);
  bench.place(2, {});
  EXPECT_EQ(bench.score(1), -1);
  bench.decay_after(Seconds(61));
  EXPECT_EQ(bench.score(1), 0);
  EXPECT_EQ(bench.scorer.sizes().addresses, 1U);
}

TEST(PeerScorer, counts_a_peer_that_is_away_against_those_only_that_came_after_it_where_the_parameters_say_so) {
  PeerScoreParams params = scored_params();
  params.ip_colocation_spares_older = true;
  ScorerBench bench(params);
  const auto come = [&bench](std::uint32_t n) {
    bench.add(n);
    bench.place(n, {"/ip4/198.51.100.1/tcp/1"});
  };
  for (const std::uint32_t n : {1U, 2U, 3U}) come(n);
  EXPECT_EQ(bench.score(1), -4) << "all are there";
  for (const std::uint32_t n : {2U, 3U}) {
    bench.reject(n, 1, RejectCause::invalid);
    bench.remove(n);
  }
  EXPECT_EQ(bench.score(1), 0) << "it was there before them";
  come(4);
  EXPECT_EQ(bench.shown(4).ip_colocation.value, 9) << "it comes after all of them";
  EXPECT_EQ(bench.score(1), -1);
  come(2);
  EXPECT_EQ(bench.score(1), -4) << "one of them is there again";
  EXPECT_LT(bench.score(2), -900) << "and has kept its own score";
  bench.remove(2);
  bench.deliver(1, 9);
  bench.remove(1);
  bench.remove(4);
  come(1);
  EXPECT_EQ(bench.score(1), 0) << "a peer of good score keeps its place in the line, but not the score";
  bench.remove(1);
  bench.decay_after(Seconds(61));
  EXPECT_EQ(bench.scorer.sizes().addresses, 0U);
}

TEST(PeerScorer, forgets_the_best_of_those_that_are_away_when_they_are_too_many) {
  auto params = scored_params();
  params.max_retained = 3;
  ScorerBench bench(params);
  for (std::uint32_t n = 1; n <= 3; ++n) {
    bench.add(n);
    bench.penalise(n, 2 + n);
    bench.remove(n);
  }
  for (std::uint32_t n = 10; n < 1000; ++n) {  // names without a past
    bench.add(n);
    bench.remove(n);
  }
  EXPECT_EQ(bench.score(3), -9);
  EXPECT_EQ(bench.score(2), -4);
  EXPECT_EQ(bench.score(1), -1);
  bench.add(4);
  bench.penalise(4, 12);
  bench.remove(4);
  EXPECT_EQ(bench.score(1), 0);
  EXPECT_EQ(bench.score(4), -100);
  EXPECT_EQ(bench.scorer.sizes().retained, 3U);
}

TEST(PeerScorer, does_not_count_messages_for_a_peer_that_was_forgotten_and_came_back) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 2; ++n) bench.add(n);
  bench.begin(1, 1);
  bench.copy(2, 1);
  bench.deliver(2, 2);
  bench.remove(2);
  bench.add(2);
  bench.graft(2);
  bench.deliver(1, 1);
  EXPECT_EQ(bench.topic(2).mesh_deliveries.value, 0);
}

// ---- records, time, snapshots ----

TEST(PeerScorer, forgets_a_delivery_after_its_time_and_the_oldest_when_there_are_too_many) {
  auto params = scored_params();
  params.max_delivery_records = 2;
  params.seen_msg_ttl = Seconds(10);
  ScorerBench bench(params);
  bench.add(1);
  for (std::uint8_t message = 1; message <= 3; ++message) bench.reject(1, message, RejectCause::invalid);
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 2U);
  bench.copy(1, 1);
  EXPECT_EQ(bench.topic(1).invalid_deliveries.value, 3) << "it is not known any more";
  bench.copy(1, 3);
  EXPECT_EQ(bench.topic(1).invalid_deliveries.value, 4);
  bench.decay_after(Seconds(10));
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 2U);
  bench.decay_after(Nanos(1));
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 0U);
}

TEST(PeerScorer, remembers_a_delivery_for_two_minutes_unless_told_otherwise) {
  ScorerBench bench;
  bench.add(1);
  bench.begin(1, 1);
  bench.decay_after(Seconds(120));
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 1U);
  bench.decay_after(Nanos(1));
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 0U);
}

TEST(PeerScorer, knows_nothing_of_a_message_again_once_its_record_has_expired) {
  ScorerBench bench;
  for (std::uint32_t n = 1; n <= 2; ++n) {
    bench.add(n);
    bench.graft(n);
  }
  bench.begin(1, 2);
  bench.copy(2, 2);
  bench.begin(1, 1);
  bench.copy(2, 1);
  bench.deliver(1, 1);
  bench.now = bench.now + Seconds(120) + Nanos(1);
  for (const auto message : {std::uint8_t{1}, std::uint8_t{3}}) {  // each takes the place of one that has expired
    bench.begin(1, message);
    EXPECT_EQ(bench.scorer.sizes().delivery_records, message == 1 ? 1U : 2U);
    bench.deliver(1, message);
  }
  EXPECT_EQ(bench.topic(1).mesh_deliveries.value, 3);
  EXPECT_EQ(bench.topic(2).mesh_deliveries.value, 1) << "its copies were of the messages before";
  bench.copy(2, 3);
  EXPECT_EQ(bench.topic(2).mesh_deliveries.value, 2);
}

TEST(PeerScorer, remembers_a_bounded_number_of_senders_of_a_message) {
  auto params = scored_params();
  params.max_record_senders = 2;
  ScorerBench bench(params);
  for (std::uint32_t n = 1; n <= 4; ++n) bench.add(n);
  bench.begin(1, 1);
  for (std::uint32_t n = 2; n <= 4; ++n) bench.copy(n, 1);
  bench.reject(1, 1, RejectCause::invalid);
  EXPECT_EQ(bench.score(2), -1000);
  EXPECT_EQ(bench.score(3), -1000);
  EXPECT_EQ(bench.score(4), 0);
}

TEST(PeerScorer, decays_once_per_interval_and_makes_up_for_none_that_it_missed) {
  ScorerBench bench;
  bench.add(1);
  bench.penalise(1, 32);
  EXPECT_EQ(bench.scorer.next_deadline(), bench.now.mono + Seconds(1));
  bench.scorer.on_timeout(bench.now + Millis(999));
  EXPECT_EQ(bench.shown(1).behaviour.value, 32);
  bench.scorer.on_timeout(bench.now + Millis(1100));
  EXPECT_EQ(bench.shown(1).behaviour.value, 16);
  EXPECT_EQ(bench.scorer.next_deadline(), bench.now.mono + Seconds(2)) << "a late call does not put off the next";
  bench.scorer.on_timeout(bench.now + Seconds(3));
  EXPECT_EQ(bench.shown(1).behaviour.value, 8);
  EXPECT_EQ(bench.scorer.next_deadline(), bench.now.mono + Seconds(4));
  bench.scorer.on_timeout(bench.now + Seconds(60));
  EXPECT_EQ(bench.shown(1).behaviour.value, 4);
  EXPECT_EQ(bench.scorer.next_deadline(), bench.now.mono + Seconds(61));
}

TEST(PeerScorer, takes_what_is_no_number_for_the_least_score_of_the_application) {
  ScorerBench bench;
  bench.add(1);
  const auto shown = [&bench](double score) {
    bench.scorer.set_application_score(ScorerBench::peer(1), score);
    ScoreSnapshot all;
    bench.scorer.snapshot(all);
    return all.peers[0].application.value;
  };
  EXPECT_EQ(shown(std::nan("")), -kLargestScorePart);
  EXPECT_EQ(shown(-HUGE_VAL), -kLargestScorePart);
  EXPECT_EQ(shown(1e200), kLargestScorePart);
  EXPECT_EQ(shown(3), 3);
}

TEST(PeerScorer, shows_every_part_of_every_peer_in_the_order_of_their_arrival) {
  ScorerBench bench;
  for (const std::uint32_t n : {3U, 1U, 2U}) bench.add(n);
  bench.graft(1);
  bench.decay_after(Seconds(6));
  bench.deliver(1, 1);
  bench.reject(1, 2, RejectCause::invalid);
  bench.penalise(1, 3);
  bench.scorer.set_application_score(ScorerBench::peer(1), 2);
  bench.place(1, {"/ip4/198.51.100.1/tcp/1"});
  bench.place(2, {"/ip4/198.51.100.1/tcp/1"});
  ScoreSnapshot all;
  bench.scorer.snapshot(all);
  EXPECT_THAT(all.topics, ElementsAre("t"));
  ASSERT_THAT(all.peers, SizeIs(3));
  EXPECT_EQ(all.peers[0].peer, ScorerBench::peer(3));
  const PeerScoreParts& shown = all.peers[1];
  EXPECT_EQ(shown.peer, ScorerBench::peer(1));
  EXPECT_TRUE(shown.connected);
  ASSERT_THAT(shown.topics, SizeIs(1));
  const TopicScoreParts& topic = shown.topics[0];
  EXPECT_TRUE(topic.in_mesh);
  EXPECT_EQ(topic.time_in_mesh_weighted, 0.06);
  EXPECT_EQ(topic.first_deliveries.weighted, 1);
  EXPECT_EQ(topic.mesh_deliveries.weighted, -40);
  EXPECT_EQ(topic.invalid_deliveries.weighted, -1000);
  EXPECT_THAT(topic.total, DoubleNear(-1038.94, 1e-9));
  EXPECT_EQ(shown.topics_total, topic.total);
  EXPECT_EQ(shown.application.value, 2);
  EXPECT_EQ(shown.ip_colocation.weighted, -1);
  EXPECT_EQ(shown.behaviour.weighted, -1);
  EXPECT_EQ(shown.score, topic.total + 2 - 1 - 1);
  for (const auto& peer : all.peers) EXPECT_EQ(peer.score, bench.scorer.score(peer.peer));
  EXPECT_FALSE(std::signbit(all.peers[0].behaviour.weighted)) << "0 is not shown as -0";
  bench.remove(3);
  bench.scorer.snapshot(all);
  EXPECT_THAT(all.peers, SizeIs(2));
  EXPECT_EQ(all.peers[0].peer, ScorerBench::peer(1));
  bench.scorer.snapshot(all, PeerScorer::Shown::and_those_away);
  EXPECT_THAT(all.peers, SizeIs(3));
  EXPECT_FALSE(all.peers[0].connected);
  EXPECT_THAT(all.peers[1].topics, SizeIs(1));
}

TEST(PeerScorerDeathTest, takes_no_parameters_that_break_the_rules) {
  auto params = scored_params();
  params.behaviour_penalty_weight = 1;
  EXPECT_DEATH(ScorerBench bench(params), "the parameters of scores are validated");
}

}  // namespace
}  // namespace libp2p::gossipsub
