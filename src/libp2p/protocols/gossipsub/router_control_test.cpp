#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class GossipsubControl : public testing::Test {
 protected:
  void SetUp() override { EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now)); }

  // A mesh of peers 1 to n.
  void graft(std::uint32_t n, ProtocolVersion version = ProtocolVersion::v1_2) {
    for (std::uint32_t peer = 1; peer <= n; ++peer) {
      bench.add_subscriber(peer, version);
      bench.send(peer, graft_rpc(kTopic));
      bench.sent(peer);
    }
    bench.drain();
    bench.actions.clear();
  }
  MessageId accept(std::uint32_t from, std::string_view data) {
    bench.send_message(from, data);
    bench.answer_all(ValidationResult::accept);
    return id_of(kTopic, as_bytes(data));
  }

  Bench bench;
};

TEST_F(GossipsubControl, takes_a_grafting_peer_into_the_mesh_once) {
  graft(1);
  bench.send(1, graft_rpc(kTopic));
  EXPECT_THAT(bench.router.mesh(kTopic), ElementsAre(peer_id(1)));
  EXPECT_THAT(bench.sent(1).prunes, IsEmpty());
  EXPECT_EQ(bench.scores.grafts[peer_id(1)], 1U);
}

TEST_F(GossipsubControl, ignores_grafts_for_topics_that_it_has_not_joined) {
  bench.add(1);
  bench.sent(1);
  bench.send(1, graft_rpc("unknown"));
  EXPECT_THAT(bench.sent(1).frames, IsEmpty());
  EXPECT_EQ(bench.router.sizes().mesh_links, 0U);
}

TEST_F(GossipsubControl, prunes_an_inbound_peer_that_grafts_into_a_full_mesh_but_takes_one_it_dialled) {
  graft(12);
  bench.add_subscriber(20, ProtocolVersion::v1_2, Direction::inbound);
  bench.add_subscriber(21, ProtocolVersion::v1_2, Direction::outbound);
  bench.send(20, graft_rpc(kTopic));
  bench.send(21, graft_rpc(kTopic));
  EXPECT_THAT(bench.sent(20).prunes, ElementsAre(Pair(kTopic, 60U)));
  EXPECT_THAT(bench.sent(21).prunes, IsEmpty());
  EXPECT_EQ(bench.router.mesh(kTopic).size(), 13U);
  EXPECT_TRUE(bench.router.in_backoff(kTopic, peer_id(20), bench.now.mono));
  EXPECT_THAT(bench.faults(), IsEmpty());
}

TEST_F(GossipsubControl, prunes_a_grafting_peer_with_a_negative_score) {
  bench.add_subscriber(1);
  bench.scores.values[peer_id(1)] = -0.1;
  bench.send(1, graft_rpc(kTopic));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  EXPECT_THAT(bench.sent(1).prunes, ElementsAre(Pair(kTopic, 60U)));
  EXPECT_TRUE(bench.router.in_backoff(kTopic, peer_id(1), bench.now.mono));
}

TEST_F(GossipsubControl, ignores_graft_during_backoff_and_penalises) {
  graft(1);
  bench.send(1, prune_rpc(kTopic, 60));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  bench.pass(Seconds(30));
  bench.sent(1);
  bench.send(1, graft_rpc(kTopic));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::graft_in_backoff));
  EXPECT_THAT(bench.sent(1).prunes, ElementsAre(Pair(kTopic, 60U)));
  EXPECT_EQ(bench.scores.penalties[peer_id(1)], 1U);
  bench.pass(Seconds(59));
  EXPECT_TRUE(bench.router.in_backoff(kTopic, peer_id(1), bench.now.mono)) << "the graft began it anew";
}

TEST_F(GossipsubControl, counts_a_graft_within_ten_seconds_of_the_prune_twice) {
  graft(1);
  bench.send(1, prune_rpc(kTopic));
  bench.pass(Seconds(9));
  bench.send(1, graft_rpc(kTopic));
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::graft_in_backoff, FaultKind::graft_flood));
  EXPECT_EQ(bench.scores.penalties[peer_id(1)], 2U);
}

TEST_F(GossipsubControl, counts_what_an_rpc_repeats_and_makes_one_action_of_it) {
  graft(1);
  bench.send(1, prune_rpc(kTopic));
  bench.drain();
  bench.actions.clear();
  Rpc rpc;
  rpc.control.emplace().graft.assign(1000, {kTopic});
  bench.send(1, rpc);
  const auto faults = bench.take<Fault>();
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].kind, FaultKind::graft_in_backoff);
  EXPECT_EQ(faults[0].count, 1000U);
  EXPECT_EQ(faults[1].kind, FaultKind::graft_flood);
  EXPECT_EQ(faults[1].count, 1000U);
  EXPECT_EQ(bench.scores.penalties[peer_id(1)], 2000U) << "each counts as it would alone";
  EXPECT_LE(bench.actions.size(), 2U);
}

TEST_F(GossipsubControl, keeps_the_backoff_of_a_peer_that_reconnects) {
  graft(1);
  bench.send(1, prune_rpc(kTopic, 60));
  bench.router.remove_peer(peer_id(1), bench.now);
  bench.pass(Seconds(1));
  bench.add_subscriber(1);
  bench.pass(Seconds(20));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  bench.sent(1);
  bench.send(1, graft_rpc(kTopic));
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::graft_in_backoff));
  EXPECT_EQ(bench.scores.penalties[peer_id(1)], 0U) << "it may have restarted and forgotten it";
  EXPECT_THAT(bench.sent(1).prunes, ElementsAre(Pair(kTopic, 39U)));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  bench.send(1, graft_rpc(kTopic));
  EXPECT_EQ(bench.scores.penalties[peer_id(1)], 1U) << "now it was told";
}

// An operator's node that is stopped and started again within seconds, four times.
TEST_F(GossipsubControl, lets_a_peer_restart_without_a_penalty_and_no_more_often_than_an_honest_one_does) {
  graft(1);
  bench.send(1, subscription_rpc(kTopic, false));
  bench.send(1, prune_rpc(kTopic, 10));
  const auto restart = [&] {
    bench.router.remove_peer(peer_id(1), bench.now);
    bench.pass(Seconds(2));
    bench.add_subscriber(1);
    bench.send(1, graft_rpc(kTopic));
    return bench.scores.penalties[peer_id(1)];
  };
  EXPECT_EQ(restart(), 0U);
  EXPECT_EQ(restart(), 0U);
  EXPECT_EQ(restart(), 0U);
  EXPECT_EQ(restart(), 1U);
}

TEST_F(GossipsubControl, has_not_forgotten_a_peer_to_which_only_our_stream_is_new) {
  graft(1);
  bench.send(1, prune_rpc(kTopic, 60));
  bench.pass(Seconds(20));
  const auto heard = bench.router.heard(peer_id(1));
  bench.router.remove_peer(peer_id(1), bench.now);
  bench.add_subscriber(1);
  bench.router.restore(peer_id(1), heard, bench.now);
  bench.send(1, graft_rpc(kTopic));
  EXPECT_EQ(bench.scores.penalties[peer_id(1)], 1U);
}

TEST_F(GossipsubControl, grafts_nobody_whose_backoff_is_from_before_a_restart) {
  bench.add_subscriber(1);
  bench.add_subscriber(2);
  const std::vector<BackoffLeft> before = {{kTopic, peer_id(1), Seconds(12)}, {"refused", peer_id(1), Seconds(12)}};
  bench.router.restore_backoffs(before, bench.now.mono);
  bench.pass(Seconds(11));
  EXPECT_THAT(bench.router.mesh(kTopic), ElementsAre(peer_id(2))) << "the other one does not wait";
  bench.pass(Seconds(2));
  EXPECT_EQ(bench.router.mesh(kTopic).size(), 2U);
}

TEST_F(GossipsubControl, waits_for_the_backoff_that_the_pruning_peer_names_and_a_little_longer) {
  graft(1);
  bench.send(1, prune_rpc(kTopic, 20));
  bench.pass(Seconds(21));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  EXPECT_FALSE(bench.router.in_backoff(kTopic, peer_id(1), bench.now.mono));
  bench.pass(Seconds(2));
  EXPECT_THAT(bench.router.mesh(kTopic), ElementsAre(peer_id(1)));
}

TEST_F(GossipsubControl, waits_a_minute_when_the_pruning_peer_names_no_backoff) {
  graft(1);
  bench.send(1, prune_rpc(kTopic));
  bench.pass(Seconds(61));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  bench.pass(Seconds(2));
  EXPECT_THAT(bench.router.mesh(kTopic), ElementsAre(peer_id(1)));
}

TEST_F(GossipsubControl, waits_no_longer_than_an_hour_whatever_a_peer_says) {
  graft(1);
  bench.send(1, prune_rpc(kTopic, ~std::uint64_t{0}));
  EXPECT_TRUE(bench.router.in_backoff(kTopic, peer_id(1), bench.now.mono + Seconds(3599)));
  EXPECT_FALSE(bench.router.in_backoff(kTopic, peer_id(1), bench.now.mono + Seconds(3601)));
}

TEST_F(GossipsubControl, prunes_its_mesh_with_a_short_backoff_when_it_leaves_a_topic) {
  graft(2);
  bench.router.unsubscribe(kTopic, bench.now);
  const auto sent = bench.sent(1);
  EXPECT_THAT(sent.prunes, ElementsAre(Pair(kTopic, 10U)));
  EXPECT_THAT(sent.subscriptions, ElementsAre(Pair(kTopic, false)));
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  bench.pass(Seconds(11));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  bench.pass(Seconds(2));
  EXPECT_EQ(bench.router.mesh(kTopic).size(), 2U);
}

TEST_F(GossipsubControl, says_nothing_when_it_leaves_a_topic_that_it_was_not_in) {
  graft(1);
  bench.send(1, subscription_rpc("other", true));  // the topic is known, but only the peer is in it
  (void)bench.sent(1);
  for (const char* topic : {"other", "unheard"}) {
    bench.router.unsubscribe(topic, bench.now);
    const auto sent = bench.sent(1);
    EXPECT_THAT(sent.subscriptions, IsEmpty()) << topic;
    EXPECT_THAT(sent.prunes, IsEmpty()) << topic;
  }
}

TEST_F(GossipsubControl, names_no_backoff_to_a_peer_of_version_1_0) {
  graft(1, ProtocolVersion::v1_0);
  bench.router.unsubscribe(kTopic, bench.now);
  EXPECT_THAT(bench.sent(1).prunes, ElementsAre(Pair(kTopic, std::nullopt)));
}

TEST_F(GossipsubControl, takes_a_peer_out_of_the_mesh_that_turns_out_to_speak_floodsub) {
  graft(1);
  bench.add_subscriber(2);
  const auto prunes = [this] {
    std::size_t count = 0;
    for (const auto& one : bench.take<Trace>()) count += one.kind == TraceKind::prune ? 1 : 0;
    return count;
  };
  (void)prunes();
  bench.router.set_version(peer_id(2), ProtocolVersion::floodsub, bench.now);
  EXPECT_EQ(prunes(), 0U) << "it was not in the mesh";
  bench.router.set_version(peer_id(1), ProtocolVersion::floodsub, bench.now);
  EXPECT_EQ(prunes(), 1U);
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
}

TEST_F(GossipsubControl, takes_a_peer_out_of_the_mesh_that_leaves_the_topic) {
  graft(1);
  bench.send(1, subscription_rpc(kTopic, false));
  EXPECT_THAT(bench.router.mesh(kTopic), IsEmpty());
  EXPECT_EQ(bench.scores.prunes[peer_id(1)], 1U);
}

TEST_F(GossipsubControl, asks_for_advertised_messages_that_it_has_not_seen) {
  graft(2);
  const auto known = accept(1, "known");
  const auto unknown = id_of(kTopic, as_bytes("unknown"));
  bench.sent(2);
  bench.send(2, ihave_rpc(kTopic, {known, unknown}));
  EXPECT_THAT(bench.sent(2).iwant, ElementsAre(unknown));
  bench.send(2, ihave_rpc("other", {unknown}));
  EXPECT_THAT(bench.sent(2).iwant, IsEmpty()) << "a topic that is not joined";
}

TEST_F(GossipsubControl, asks_one_peer_for_5000_messages_per_heartbeat_at_most) {
  graft(1);
  std::vector<MessageId> ids;
  for (std::uint32_t i = 0; i < 6000; ++i) {
    Bytes data(4);
    store_be32(data.data(), i);
    ids.push_back(id_of(kTopic, data));
  }
  bench.send(1, ihave_rpc(kTopic, ids));
  EXPECT_EQ(bench.sent(1).iwant.size(), 5000U);
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::ihave_flood));
  bench.send(1, ihave_rpc(kTopic, {ids.back()}));
  EXPECT_THAT(bench.sent(1).iwant, IsEmpty());
  bench.heartbeat();
  bench.send(1, ihave_rpc(kTopic, {ids.back()}));
  EXPECT_EQ(bench.sent(1).iwant.size(), 1U);
}

TEST_F(GossipsubControl, heeds_ihave_of_a_peer_right_at_the_gossip_threshold) {
  bench.add_subscriber(1);
  bench.add_subscriber(2);
  bench.sent(1);
  bench.sent(2);
  const auto id = id_of(kTopic, as_bytes("x"));
  bench.scores.values[peer_id(1)] = Params{}.thresholds.gossip - 0.01;
  bench.scores.values[peer_id(2)] = Params{}.thresholds.gossip;
  bench.send(1, ihave_rpc(kTopic, {id}));
  EXPECT_THAT(bench.sent(1).iwant, IsEmpty());
  bench.send(2, ihave_rpc(kTopic, {id}));
  EXPECT_THAT(bench.sent(2).iwant, ElementsAre(id));
}

TEST_F(GossipsubControl, heeds_ten_ihave_rpcs_per_heartbeat) {
  graft(1);
  for (int i = 0; i < 12; ++i) bench.send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes(std::to_string(i)))}));
  EXPECT_EQ(bench.sent(1).iwant.size(), 10U);
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::ihave_flood));
}

TEST_F(GossipsubControl, a_promised_message_that_does_not_come_in_three_seconds_is_a_fault) {
  graft(2);
  bench.send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("never"))}));
  bench.send(2, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("soon"))}));
  bench.pass(Seconds(2));
  bench.send_message(2, "soon");
  EXPECT_THAT(bench.faults(), IsEmpty());
  bench.pass(Seconds(2));
  const auto faults = bench.take<Fault>();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].peer, peer_id(1));
  EXPECT_EQ(faults[0].kind, FaultKind::broken_promise);
  EXPECT_EQ(bench.router.sizes().promises, 0U);
}

TEST_F(GossipsubControl, a_promised_message_that_came_when_there_was_no_room_is_no_broken_promise) {
  Params params;
  params.validation.max_bytes = 1000;
  Bench small(params);
  ASSERT_TRUE(small.router.subscribe(kTopic, small.now));
  for (std::uint32_t n = 1; n <= 2; ++n) small.add_subscriber(n);
  const std::string late(600, 'l');
  small.send(2, ihave_rpc(kTopic, {id_of(kTopic, as_bytes(late))}));
  small.send_message(1, std::string(600, 'f'));  // and nobody judges it
  small.send_message(2, late);
  ASSERT_EQ(small.router.counters().dropped_validation_full, 1U);
  small.pass(Millis(3600));
  EXPECT_EQ(small.router.sizes().promises, 0U);
  EXPECT_THAT(small.faults(), IsEmpty());
}

TEST_F(GossipsubControl, nobody_owes_a_message_any_more_that_we_have_published_ourselves) {
  graft(1);
  bench.send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("ours"))}));
  EXPECT_TRUE(bench.router.publish(kTopic, as_bytes("ours"), LocalCheck::already_valid, bench.now)->sent);
  bench.pass(Seconds(4));
  EXPECT_THAT(bench.faults(), IsEmpty());
  EXPECT_EQ(bench.router.sizes().promises, 0U);
}

TEST_F(GossipsubControl, answers_iwant_three_times_and_no_more) {
  graft(1);
  bench.add_subscriber(2);
  const auto id = accept(1, "block");
  bench.sent(2);
  for (int i = 0; i < 3; ++i) {
    bench.send(2, iwant_rpc({id}));
    EXPECT_EQ(bench.sent(2).messages.size(), 1U) << i;
  }
  bench.send(2, iwant_rpc({id}));
  EXPECT_THAT(bench.sent(2).messages, IsEmpty());
}

TEST_F(GossipsubControl, does_not_queue_a_message_twice_for_an_iwant_while_it_waits) {
  graft(2);
  const auto id = accept(1, "block");
  bench.send(2, iwant_rpc({id, id}));
  EXPECT_EQ(bench.sent(2).messages.size(), 1U);
}

TEST_F(GossipsubControl, answers_iwant_for_twelve_heartbeats) {
  graft(1);
  bench.add_subscriber(2);
  const auto id = accept(1, "block");
  for (int i = 0; i < 11; ++i) bench.heartbeat();
  bench.sent(2);
  bench.send(2, iwant_rpc({id}));
  EXPECT_EQ(bench.sent(2).messages.size(), 1U);
  bench.heartbeat();
  bench.sent(2);
  bench.send(2, iwant_rpc({id}));
  EXPECT_THAT(bench.sent(2).messages, IsEmpty());
}

TEST_F(GossipsubControl, neither_asks_nor_answers_a_peer_below_the_gossip_threshold) {
  graft(1);
  bench.add_subscriber(2);
  const auto id = accept(1, "block");
  bench.sent(2);
  bench.scores.values[peer_id(2)] = -10.5;
  bench.send(2, iwant_rpc({id}));
  bench.send(2, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("x"))}));
  const auto sent = bench.sent(2);
  EXPECT_THAT(sent.messages, IsEmpty());
  EXPECT_THAT(sent.iwant, IsEmpty());
}

TEST_F(GossipsubControl, does_not_send_what_a_peer_does_not_want) {
  graft(3);
  const auto id = id_of(kTopic, as_bytes("block"));
  bench.send(2, idontwant_rpc({id}));
  accept(1, "block");
  EXPECT_THAT(bench.sent(2).messages, IsEmpty());
  EXPECT_EQ(bench.sent(3).messages.size(), 1U);
  bench.send(2, iwant_rpc({id}));
  EXPECT_THAT(bench.sent(2).messages, IsEmpty());
  EXPECT_EQ(bench.router.counters().suppressed_unwanted, 1U);
}

TEST_F(GossipsubControl, takes_an_unwanted_message_back_out_of_the_outbox) {
  graft(2);
  const auto id = accept(1, "block");
  EXPECT_EQ(bench.router.sizes().outbox_items, 1U);
  bench.send(2, idontwant_rpc({id}));
  EXPECT_EQ(bench.router.sizes().outbox_items, 0U);
  EXPECT_EQ(bench.router.sizes().outbox_bytes, 0U);
  EXPECT_THAT(bench.sent(2).messages, IsEmpty());
}

TEST_F(GossipsubControl, remembers_idontwant_for_three_heartbeats) {
  graft(2);
  const auto id = id_of(kTopic, as_bytes("block"));
  bench.send(2, idontwant_rpc({id}));
  for (int i = 0; i < 3; ++i) bench.heartbeat();
  accept(1, "block");
  EXPECT_EQ(bench.sent(2).messages.size(), 1U);
}

TEST_F(GossipsubControl, heeds_ten_ids_of_an_idontwant_rpc) {
  graft(2);
  std::vector<MessageId> ids;
  for (int i = 0; i < 11; ++i) ids.push_back(id_of(kTopic, as_bytes(std::to_string(i))));
  bench.send(2, idontwant_rpc(ids));
  for (int i = 0; i < 11; ++i) accept(1, std::to_string(i));
  EXPECT_THAT(bench.sent(2).messages, ElementsAre(Pair(kTopic, to_bytes("10"))));
}

TEST_F(GossipsubControl, heeds_a_thousand_idontwant_rpcs_per_heartbeat) {
  graft(2);
  const auto id = id_of(kTopic, as_bytes("block"));
  for (int i = 0; i < 1000; ++i) bench.send(2, idontwant_rpc({id_of(kTopic, as_bytes("other"))}));
  EXPECT_THAT(bench.faults(), IsEmpty());
  bench.send(2, idontwant_rpc({id}));
  bench.send(2, idontwant_rpc({id}));
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::idontwant_flood));
  accept(1, "block");
  EXPECT_EQ(bench.sent(2).messages.size(), 1U);
}

TEST_F(GossipsubControl, tells_the_mesh_at_once_of_a_large_message_that_needs_not_be_sent) {
  graft(2);
  bench.add_subscriber(3, ProtocolVersion::v1_1);
  bench.send(3, graft_rpc(kTopic));
  bench.add_subscriber(4, ProtocolVersion::v1_3);
  bench.send(4, graft_rpc(kTopic));
  bench.add_subscriber(5);
  for (const std::uint32_t n : {3U, 4U, 5U}) bench.sent(n);
  const std::string large(1024, 'x');
  bench.send_message(1, large);
  const auto id = id_of(kTopic, as_bytes(large));
  EXPECT_THAT(bench.sent(1).idontwant, IsEmpty()) << "the sender has it";
  EXPECT_THAT(bench.sent(2).idontwant, ElementsAre(id)) << "before validation is over";
  EXPECT_THAT(bench.sent(3).idontwant, IsEmpty()) << "1.1 does not know it";
  EXPECT_THAT(bench.sent(4).idontwant, ElementsAre(id));
  EXPECT_THAT(bench.sent(5).idontwant, IsEmpty()) << "not in the mesh";
  bench.send_message(1, std::string(1023, 'y'));
  EXPECT_THAT(bench.sent(2).idontwant, IsEmpty()) << "too small to be worth it";
}

TEST_F(GossipsubControl, sends_no_more_than_ten_idontwant_ids_in_one_rpc) {
  graft(2);
  for (int i = 0; i < 25; ++i) bench.send_message(1, std::string(1024, 'x') + std::to_string(i));
  std::vector<std::size_t> sizes;
  while (const auto frame = bench.router.next_frame(peer_id(2))) {
    Sent sent;
    Bench::collect(*frame, sent);
    sizes.push_back(sent.idontwant.size());
  }
  EXPECT_THAT(sizes, ElementsAre(10U, 10U, 5U));
}

TEST_F(GossipsubControl, tolerates_extensions_in_the_first_rpc_only) {
  bench.add(1, ProtocolVersion::v1_3);
  Rpc rpc;
  rpc.control.emplace().extensions.emplace().test_extension = true;
  bench.send(1, rpc);
  EXPECT_THAT(bench.faults(), IsEmpty());
  bench.send(1, rpc);
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::repeated_extensions));
  EXPECT_EQ(bench.scores.penalties[peer_id(1)], 10U);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
