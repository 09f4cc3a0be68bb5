// Groups of partial messages in the router: when they end, their bounds, what stays of peers, and a network of three.
#include "libp2p/protocols/gossipsub/router_partial_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

TEST_F(GossipsubPartial, a_group_ends_some_heartbeats_after_the_last_publication) {
  Params params = with_partials();
  params.partial.group_ttl = 3;
  use(PartialUse::requests, params);
  add(1, PartialUse::requests);
  publish(kGroup, "", "have");
  bench->heartbeat();
  bench->heartbeat();
  EXPECT_EQ(bench->router.sizes().partial_groups, 1U);
  publish(kGroup, "", "have");
  bench->heartbeat();
  bench->heartbeat();
  EXPECT_EQ(bench->router.sizes().partial_groups, 1U);
  bench->heartbeat();
  EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
  EXPECT_EQ(bench->router.sizes().partial_bytes, 0U);
  EXPECT_EQ(counters().partial_groups_ended, 1U);
  EXPECT_EQ(publish(kGroup, "", "have"), 1U);  // a new group: everybody is told anew
}

TEST_F(GossipsubPartial, what_peers_open_is_bounded_and_told_once_a_heartbeat) {
  Params params = with_partials();
  params.partial.max_groups_of_peers = 5;
  params.partial.max_groups_of_peer = 3;
  use(PartialUse::requests, params);
  add(1, PartialUse::supports);
  add(2, PartialUse::supports);
  for (int i = 0; i < 10; ++i) bench->send(1, partial_rpc("a" + std::to_string(i), "", "have"));
  for (int i = 0; i < 10; ++i) bench->send(2, partial_rpc("b" + std::to_string(i), "", "have"));
  EXPECT_EQ(received().size(), 5U);
  EXPECT_EQ(counters().dropped_partial_bounds, 15U);
  EXPECT_EQ(bench->faults(), (std::vector<FaultKind>{FaultKind::partial_flood}))
      << "peer 1 had its share, peer 2 found the room of all full";
  EXPECT_EQ(bench->router.sizes().partial_groups, 5U);
  publish("own", "", "have");  // ours are counted apart
  publish("a0", "", "have");   // this one is ours now, so peer 1 may open another
  bench->send(1, partial_rpc("c", "", "have"));
  EXPECT_EQ(received().size(), 1U);
  EXPECT_EQ(counters().partials_received, 21U);
  bench->router.check();
}

TEST_F(GossipsubPartial, groups_go_with_the_peer_that_opened_them) {
  Params params = with_partials();
  params.partial.max_groups_of_peer = 2;
  use(PartialUse::requests, params);
  for (int round = 0; round < 50; ++round) {
    add(1, PartialUse::supports);
    for (int i = 0; i < 4; ++i) bench->send(1, partial_rpc(std::to_string(4 * round + i), "", "have"));
    EXPECT_EQ(bench->router.sizes().partial_groups, 2U);
    bench->router.remove_peer(peer_id(1), bench->now);
    EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
    bench->drain();
  }
}

TEST_F(GossipsubPartial, long_ids_and_metadata_are_refused_both_ways) {
  Params params = with_partials();
  params.partial.max_group_id = 8;
  params.partial.max_metadata = 8;
  params.partial.max_metadata_bytes = 12;
  use(PartialUse::requests, params);
  add(1, PartialUse::requests);
  bench->send(1, partial_rpc("123456789", "", "x"));
  bench->send(1, partial_rpc("1", "", "123456789"));
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(counters().dropped_partial_bounds, 2U);
  const auto parts = [](const PartialPeer&) { return PartialParts{{}, Bytes(9, 1)}; };
  EXPECT_EQ(bench->router.publish_partial(kTopic, as_bytes("1"), parts, bench->now).error(), Errc::too_large);
  EXPECT_EQ(bench->router.publish_partial(kTopic, as_bytes("123456789"), parts, bench->now).error(), Errc::too_large);
  EXPECT_TRUE(sent(1).empty());
  bench->send(1, partial_rpc("1", "", "12345678"));
  bench->send(1, partial_rpc("2", "", "12345678"));  // all metadata together is too much
  EXPECT_EQ(received().size(), 1U);
  EXPECT_EQ(counters().dropped_partial_bounds, 3U);
  bench->router.check();
}

TEST_F(GossipsubPartial, too_many_rpcs_of_a_peer_are_refused_until_the_next_heartbeat) {
  Params params = with_partials();
  params.partial.max_rpcs = 3;
  use(PartialUse::requests, params);
  add(1, PartialUse::supports);
  for (int i = 0; i < 5; ++i) bench->send(1, partial_rpc(kGroup, "part", "x"));
  EXPECT_EQ(received().size(), 3U);
  bench->heartbeat();
  bench->send(1, partial_rpc(kGroup, "part", "x"));
  EXPECT_EQ(received().size(), 1U);
}

TEST_F(GossipsubPartial, own_groups_are_bounded) {
  Params params = with_partials();
  params.partial.max_own_groups = 2;
  use(PartialUse::requests, params);
  publish("1", "", "x");
  publish("2", "", "x");
  publish("1", "", "y");
  const auto parts = [](const PartialPeer&) { return PartialParts{}; };
  EXPECT_EQ(bench->router.publish_partial(kTopic, as_bytes("3"), parts, bench->now).error(), Errc::exhausted);
}

TEST_F(GossipsubPartial, who_missed_a_partial_message_for_a_full_outbox_is_told_anew) {
  Params params = with_partials();
  params.partial.max_outbox_items = 2;
  use(PartialUse::requests, params);
  add(1, PartialUse::requests);
  for (const std::string_view part : {"1", "2", "3"}) publish(kGroup, part, "have");
  EXPECT_EQ(counters().dropped_outbox_partial, 1U);
  EXPECT_EQ(sent(1).size(), 2U);
  EXPECT_EQ(publish(kGroup, "", "have"), 1U);
  bench->router.check();
}

TEST_F(GossipsubPartial, messages_control_and_partial_messages_take_turns) {
  use(PartialUse::requests);
  add(1, PartialUse::requests);
  bench->send(1, partial_rpc(kGroup, "", "x"));
  for (int i = 0; i < 3; ++i) publish(kGroup, std::to_string(i), "have");
  ASSERT_TRUE(bench->router.publish("another topic", as_bytes("m"), LocalCheck::already_valid, bench->now));
  bench->send(1, ihave_rpc(kTopic, {id_of(kTopic, as_bytes("unknown"))}));
  const Sent all = bench->sent(1);
  ASSERT_EQ(all.frames.size(), 4U);
  EXPECT_TRUE(decode_frame(all.frames[0], RpcLimits{}).value().control);
  EXPECT_EQ(partials_of(all).size(), 3U);
}

TEST_F(GossipsubPartial, what_a_peer_says_of_a_topic_again_takes_the_place_of_what_it_said_before) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::requests);
  bench->send(1, partial_hello(PartialUse::supports, false));
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::supports);
  bench->send(1, subscription_rpc(kTopic));
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::none);
  bench->send(1, partial_hello(PartialUse::requests, false));
  bench->send(1, partial_rpc(kGroup, "", "x"));
  bench->send(1, subscription_rpc(kTopic, false));
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::none);
  EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
  bench->router.check();
}

TEST_F(GossipsubPartial, changing_our_use_of_a_joined_topic_is_announced) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  ASSERT_TRUE(bench->router.set_partial(kTopic, PartialUse::requests, bench->now));
  const Sent again = bench->sent(1);
  ASSERT_EQ(again.frames.size(), 1U);
  EXPECT_EQ(decode_frame(again.frames[0], RpcLimits{}).value().subscriptions.at(0).requests_partial, true);
  publish(kGroup, "", "x");
  ASSERT_TRUE(bench->router.set_partial(kTopic, PartialUse::none, bench->now));
  EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
  const Rpc said = decode_frame(bench->sent(1).frames.at(0), RpcLimits{}).value();
  EXPECT_FALSE(said.subscriptions.at(0).requests_partial.value_or(false));
  const auto parts = [](const PartialPeer&) { return PartialParts{}; };
  EXPECT_EQ(bench->router.publish_partial(kTopic, as_bytes(kGroup), parts, bench->now).error(), Errc::invalid_argument);
}

TEST_F(GossipsubPartial, what_was_heard_of_a_peer_is_carried_over_to_a_new_stream_of_ours) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  const auto heard = bench->router.heard(peer_id(1));
  bench->router.remove_peer(peer_id(1), bench->now);
  bench->add(1, ProtocolVersion::v1_3);
  bench->router.restore(peer_id(1), heard, bench->now);
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::requests);
  EXPECT_EQ(bench->router.subscribers(kTopic).size(), 1U);
  bench->send(1, partial_hello(PartialUse::requests));  // the extensions again: not its first RPC
  EXPECT_EQ(bench->scores.penalties[peer_id(1)], 10U);
  // Who had said nothing yet may still say it.
  bench->add(2, ProtocolVersion::v1_3);
  const auto nothing = bench->router.heard(peer_id(2));
  bench->router.remove_peer(peer_id(2), bench->now);
  bench->add(2, ProtocolVersion::v1_3);
  bench->router.restore(peer_id(2), nothing, bench->now);
  bench->send(2, partial_hello(PartialUse::requests));
  EXPECT_EQ(bench->scores.penalties[peer_id(2)], 0U);
  EXPECT_EQ(bench->router.partial_use(peer_id(2), kTopic), PartialUse::requests);
}

TEST_F(GossipsubPartial, a_peer_whose_inbound_stream_ends_has_agreed_to_nothing_any_more) {
  use(PartialUse::supports);
  add(1, PartialUse::requests);
  bench->send(1, partial_rpc(kGroup, "", "x"));
  bench->router.forget_topics(peer_id(1), bench->now);
  EXPECT_EQ(bench->router.partial_use(peer_id(1), kTopic), PartialUse::none);
  EXPECT_EQ(bench->router.sizes().partial_groups, 0U);
}

TEST_F(GossipsubPartial, publishing_to_a_topic_that_is_not_joined_reaches_its_fanout) {
  bench = std::make_unique<Bench>(with_partials());
  ASSERT_TRUE(bench->router.set_partial(kTopic, PartialUse::supports, bench->now));
  bench->add(1, ProtocolVersion::v1_3);
  bench->send(1, partial_hello(PartialUse::requests));
  bench->sent(1);
  EXPECT_EQ(publish(kGroup, "parts", "have"), 1U);
  EXPECT_EQ(sent(1).size(), 1U);
}

TEST_F(GossipsubPartial, a_direct_peer_is_sent_parts_too) {
  Router::Config config{with_partials(), id_of, {}};
  config.direct = {peer_id(1)};
  bench = std::make_unique<Bench>(std::move(config));
  ASSERT_TRUE(bench->router.set_partial(kTopic, PartialUse::supports, bench->now));
  ASSERT_TRUE(bench->router.subscribe(kTopic, bench->now));
  bench->add(1, ProtocolVersion::v1_3);
  bench->send(1, partial_hello(PartialUse::requests));
  bench->sent(1);
  EXPECT_EQ(publish(kGroup, "parts", "have"), 1U);
}

// A message of eight parts, of which each of three routers has some; they exchange bitmaps and parts until all have
// all.
TEST(GossipsubPartialNetwork, three_routers_with_different_parts_complete_a_message) {
  struct Node {
    Node(std::uint64_t seed, std::uint8_t parts)
        : rng(seed), router({with_partials(), id_of, {}}, rng, scores, at(Seconds(1))), have(parts) {}
    SeededRng rng;
    FakeScores scores;
    Router router;
    std::uint8_t have;
  };
  Now now = at(Seconds(1));
  std::vector<std::unique_ptr<Node>> nodes;
  for (const auto parts : std::vector<std::uint8_t>{0x0f, 0x3c, 0xe0})
    nodes.push_back(std::make_unique<Node>(parts, parts));
  const auto publish = [&](Node& node) {
    const auto parts = [&](const PartialPeer& peer) {
      const std::uint8_t theirs = peer.metadata.empty() ? std::uint8_t{0xff} : peer.metadata[0];  // unknown: nothing
      const auto lacks = static_cast<std::uint8_t>(node.have & ~theirs);
      PartialParts made{{}, Bytes{node.have}};
      if (lacks == 0) return made;
      made.message = {lacks};
      made.peer_metadata = Bytes{static_cast<std::uint8_t>(theirs | lacks)};
      return made;
    };
    ASSERT_TRUE(node.router.publish_partial(kTopic, as_bytes(kGroup), parts, now));
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    ASSERT_TRUE(nodes[i]->router.set_partial(kTopic, PartialUse::requests, now));
    ASSERT_TRUE(nodes[i]->router.subscribe(kTopic, now));
    for (std::uint32_t j = 0; j < nodes.size(); ++j) {
      if (i != j) nodes[i]->router.add_peer(peer_id(j), ProtocolVersion::v1_3, Direction::outbound, now);
    }
  }
  std::size_t frames = 0;
  const auto exchange = [&] {
    for (bool is_busy = true; is_busy;) {
      is_busy = false;
      for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        for (std::uint32_t j = 0; j < nodes.size(); ++j) {
          while (const auto frame = nodes[i]->router.next_frame(peer_id(j))) {
            ASSERT_TRUE(nodes[j]->router.on_frame(peer_id(i), *frame, now));
            is_busy = true;
            ASSERT_LT(++frames, 200U);
          }
        }
        bool has_news = false;
        while (const auto action = nodes[i]->router.poll_action()) {
          const auto* got = std::get_if<PartialReceived>(&*action);
          if (got == nullptr) continue;
          has_news = true;
          if (!got->message.empty())
            nodes[i]->have = static_cast<std::uint8_t>(nodes[i]->have | got->message.view()[0]);
        }
        if (has_news) publish(*nodes[i]);
      }
    }
  };
  exchange();
  for (int beat = 0; beat < 2; ++beat) {
    now = now + Millis(500);
    for (const auto& node : nodes) node->router.on_timeout(now);
    exchange();
  }
  for (const auto& node : nodes) publish(*node);
  exchange();
  for (const auto& node : nodes) {
    EXPECT_EQ(node->have, 0xff);
    EXPECT_EQ(node->router.counters().dropped_partial_not_enabled + node->router.counters().dropped_partial_bounds, 0U);
    node->router.check();
  }
}

}  // namespace
}  // namespace libp2p::gossipsub::test
