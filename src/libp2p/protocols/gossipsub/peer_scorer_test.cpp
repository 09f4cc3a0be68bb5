// The score function: each part with its counter, decay and bounds, who is kept how long, and what is shown.
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Round numbers: each part can be told from the score.
PeerScoreParams scored_params() {
  PeerScoreParams out;
  TopicScoreParams t;
  t.topic_weight = 1;
  t.time_in_mesh_weight = 0.01;
  t.time_in_mesh_quantum = Seconds(1);
  t.time_in_mesh_cap = 50;
  t.first_message_deliveries_weight = 1;
  t.first_message_deliveries_decay = 0.5;
  t.first_message_deliveries_cap = 4;
  t.mesh_message_deliveries_weight = -10;
  t.mesh_message_deliveries_decay = 0.5;
  t.mesh_message_deliveries_cap = 8;
  t.mesh_message_deliveries_threshold = 3;
  t.mesh_message_deliveries_window = Millis(200);
  t.mesh_message_deliveries_activation = Seconds(5);
  t.mesh_failure_penalty_weight = -100;
  t.mesh_failure_penalty_decay = 0.5;
  t.invalid_message_deliveries_weight = -1000;
  t.invalid_message_deliveries_decay = 0.5;
  out.topics["t"] = t;
  out.app_specific_weight = 1;
  out.ip_colocation_factor_weight = -1;
  out.ip_colocation_factor_threshold = 1;
  out.behaviour_penalty_weight = -1;
  out.behaviour_penalty_threshold = 2;
  out.behaviour_penalty_decay = 0.5;
  out.retain_score = Seconds(60);
  return out;
}

class ScorerBench {
 public:
  explicit ScorerBench(PeerScoreParams params = scored_params(), PeerScorer::ApplicationScore application = nullptr)
      : scorer(std::move(params), 7, now, std::move(application)) {}
  ~ScorerBench() { scorer.check(); }

  static PeerId peer(std::uint32_t n) { return test::peer_id(n); }
  static MessageId id(std::uint8_t n) { return *MessageId::from(Bytes(20, n)); }

  void add(std::uint32_t n) { scorer.on_peer_added(peer(n), now); }
  void remove(std::uint32_t n) { scorer.on_peer_removed(peer(n), now); }
  void graft(std::uint32_t n) { scorer.on_graft(peer(n), "t", now); }
  void prune(std::uint32_t n) { scorer.on_prune(peer(n), "t", now); }
  void begin(std::uint32_t n, std::uint8_t message) { scorer.on_validation_begun(peer(n), "t", id(message), now); }
  void deliver(std::uint32_t n, std::uint8_t message) { scorer.on_delivered(peer(n), "t", id(message), now); }
  void copy(std::uint32_t n, std::uint8_t message) { scorer.on_duplicate(peer(n), "t", id(message), now); }
  void reject(std::uint32_t n, std::uint8_t message, RejectCause cause) {
    scorer.on_rejected(peer(n), "t", id(message), cause, now);
  }
  void penalise(std::uint32_t n, unsigned count) { scorer.on_penalty(peer(n), count, now); }
  void place(std::uint32_t n, std::initializer_list<const char*> addresses) {
    std::vector<PeerAddress> all;
    for (const char* address : addresses) all.push_back({Multiaddr::from_text(address).value()});
    scorer.on_addresses(peer(n), all, now);
  }
  // Time passes to the next decay, which is done.
  void decay_after(Nanos time) {
    now = now + time;
    scorer.decay(now);
    scorer.check();
  }
  double score(std::uint32_t n) { return scorer.score(peer(n)); }
  PeerScore shown(std::uint32_t n) { return scorer.snapshot_of(peer(n)).value(); }
  TopicScore topic(std::uint32_t n) { return shown(n).topics.at(0); }

  Now now = test::at(Seconds(100));
  PeerScorer scorer;
};

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
  bench.scorer.on_rejected(ScorerBench::peer(1), "t", {}, RejectCause::queue_full, bench.now);
  bench.scorer.on_rejected(ScorerBench::peer(1), "t", {}, RejectCause::unexpected_author, bench.now);
  EXPECT_EQ(bench.scorer.sizes().delivery_records, 0U);
  EXPECT_EQ(bench.score(1), -1000);
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
  EXPECT_DEATH(bench.scorer.set_application_score(ScorerBench::peer(1), std::nan("")),
               "the application's score is a number");
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
  EXPECT_FALSE(bench.shown(1).connected);
  bench.graft(1);
  EXPECT_FALSE(bench.topic(1).in_mesh) << "who is away is in no mesh";
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
  bench.scorer.on_timeout(bench.now + Seconds(60));
  EXPECT_EQ(bench.shown(1).behaviour.value, 8);
  EXPECT_EQ(bench.scorer.next_deadline(), bench.now.mono + Seconds(61));
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
  const PeerScore& shown = all.peers[1];
  EXPECT_EQ(shown.peer, ScorerBench::peer(1));
  EXPECT_TRUE(shown.connected);
  ASSERT_THAT(shown.topics, SizeIs(1));
  const TopicScore& topic = shown.topics[0];
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
  bench.remove(3);
  bench.scorer.snapshot(all);
  EXPECT_FALSE(all.peers[0].connected);
}

TEST(PeerScorer, takes_no_parameters_that_break_the_rules) {
  auto params = scored_params();
  params.behaviour_penalty_weight = 1;
  EXPECT_DEATH(ScorerBench bench(params), "the parameters of scores are validated");
}

}  // namespace
}  // namespace libp2p::gossipsub
