// Scenarios that other implementations test and our other files do not (docs/gossipsub-scenarios.md), and faults that
// were published of their routers: what peers say of unknown topics and of times must leave nothing behind.
#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

// Everybody joins, heartbeats pass, the nodes publish one after another, and each message has to reach all others.
void expect_all_hear_all(Network& network, const std::vector<std::size_t>& publishers, std::size_t nodes) {
  network.subscribe_all();
  network.run(Seconds(2));
  std::vector<MessageId> sent;
  for (const std::size_t n : publishers) sent.push_back(network.publish(n, "of " + std::to_string(n)));
  network.run(Seconds(3));
  for (const MessageId& id : sent) EXPECT_EQ(network.holders(id), nodes - 1);
  EXPECT_EQ(network.self_deliveries(), 0U);
}

TEST(GossipsubTopologies, a_chain_of_six_passes_messages_from_end_to_end) {
  Network network(6, {}, 1);
  for (std::size_t n = 1; n < 6; ++n) network.connect(n - 1, n);
  expect_all_hear_all(network, {0, 5, 2}, 6);
}

TEST(GossipsubTopologies, a_binary_tree_brings_what_a_leaf_publishes_to_all_leaves) {
  Network network(15, {}, 2);
  for (std::size_t n = 1; n < 15; ++n) network.connect(n, (n - 1) / 2);
  expect_all_hear_all(network, {14, 0, 7}, 15);
}

TEST(GossipsubTopologies, floodsub_and_gossipsub_nodes_reach_each_other) {
  Network network(20, {}, 4);
  const auto version = [](std::size_t n) { return n % 3 == 0 ? ProtocolVersion::floodsub : ProtocolVersion::v1_3; };
  for (std::size_t n = 0; n < 20; ++n) {
    for (const std::size_t step : {1U, 4U}) {
      const std::size_t other = (n + step) % 20;
      network.connect(n, other, std::min(version(n), version(other)));
    }
  }
  expect_all_hear_all(network, {0, 1, 2, 3}, 20);
}

TEST(GossipsubTopologies, messages_still_reach_all_when_a_third_of_the_nodes_is_gone) {
  Network network(21, {}, 5);
  network.connect_randomly(6);
  network.subscribe_all();
  network.run(Seconds(2));
  for (std::size_t n = 14; n < 21; ++n) {
    for (std::size_t other = 0; other < 21; ++other) network.disconnect(n, other);
  }
  network.run(Seconds(2));
  std::vector<MessageId> sent;
  for (std::size_t n = 0; n < 14; ++n) sent.push_back(network.publish(n, "of " + std::to_string(n)));
  network.run(Seconds(3));
  for (const MessageId& id : sent) EXPECT_EQ(network.holders(id), 13U);
}

TEST(GossipsubScenarios, a_fanout_is_filled_up_when_peers_of_it_go) {
  Bench bench;
  for (std::uint32_t n = 1; n <= 20; ++n) bench.add_subscriber(n);
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("1"), LocalCheck::already_valid, bench.now));
  const auto first = bench.router.fanout(kTopic);
  EXPECT_EQ(first.size(), bench.router.params().mesh.degree);
  bench.router.remove_peer(first[0], bench.now);
  const auto leaver = load_be32(first[1].bytes().data() + 2);
  bench.send(leaver, subscription_rpc(kTopic, false));
  EXPECT_EQ(bench.router.fanout(kTopic).size(), first.size() - 2);
  bench.heartbeat();
  EXPECT_EQ(bench.router.fanout(kTopic).size(), first.size());
}

TEST(GossipsubScenarios, one_rpc_may_graft_in_several_topics) {
  Bench bench;
  const std::vector<std::string> topics = {"one", "two", "three"};
  Rpc subscriptions, grafts;
  for (const std::string& topic : topics) {
    ASSERT_TRUE(bench.router.subscribe(topic, bench.now));
    subscriptions.subscriptions.push_back({true, topic, {}, {}});
    grafts.control.emplace(grafts.control.value_or(Control{})).graft.push_back({topic});
  }
  bench.add(1);
  bench.send(1, subscriptions);
  bench.send(1, grafts);
  for (const std::string& topic : topics) EXPECT_EQ(bench.router.mesh(topic).size(), 1U) << topic;
}

TEST(GossipsubScenarios, a_peer_hears_of_all_topics_in_one_frame) {
  Bench bench;
  for (int n = 0; n < 30; ++n) ASSERT_TRUE(bench.router.subscribe("topic " + std::to_string(n), bench.now));
  bench.add(1);
  const Sent hello = bench.sent(1);
  EXPECT_EQ(hello.frames.size(), 1U);
  EXPECT_EQ(hello.subscriptions.size(), 30U);
}

TEST(GossipsubScenarios, idontwant_is_said_of_large_messages_only_and_not_to_peers_before_v1_2) {
  const auto bench = joined(0);
  const auto join = [&](std::uint32_t n, ProtocolVersion version) {
    bench->add_subscriber(n, version);
    bench->send(n, graft_rpc(kTopic));
    bench->sent(n);
  };
  join(1, ProtocolVersion::v1_2);
  join(2, ProtocolVersion::v1_1);
  join(3, ProtocolVersion::v1_2);
  const std::size_t threshold = bench->router.params().gossip.idontwant_threshold;
  bench->send_message(3, std::string(threshold - 1, 's'));
  EXPECT_TRUE(bench->sent(1).idontwant.empty());
  bench->send_message(3, std::string(threshold, 'l'));
  EXPECT_EQ(bench->sent(1).idontwant.size(), 1U);
  EXPECT_TRUE(bench->sent(2).idontwant.empty());
  EXPECT_TRUE(bench->sent(3).idontwant.empty());  // it brought the message
}

TEST(GossipsubScenarios, idontwant_counts_for_a_peer_outside_of_the_mesh_and_before_the_message_is_known) {
  const auto bench = joined(1);
  bench->add_subscriber(2);
  bench->sent(2);
  const MessageId id = id_of(kTopic, as_bytes("later"));
  bench->send(2, idontwant_rpc({id}));
  bench->send_message(1, "later");
  bench->answer_all(ValidationResult::accept);
  bench->send(2, iwant_rpc({id}));
  EXPECT_TRUE(bench->sent(2).messages.empty());
}

// ---- published faults of other routers ----

std::string unknown(int n) { return "/unknown/" + std::to_string(n); }

bool same(const Router::Sizes& a, const Router::Sizes& b) {
  return a.topics == b.topics && a.subscriptions == b.subscriptions && a.mesh_links == b.mesh_links &&
         a.backoffs == b.backoffs && a.outbox_items == b.outbox_items;
}

TEST(GossipsubPublishedFaults, grafts_for_unknown_topics_leave_nothing_behind) {
  const auto bench = joined(1);
  const auto before = bench->router.sizes();
  for (int round = 0; round < 100; ++round) {
    Rpc rpc;
    std::vector<std::string> names;
    for (int n = 0; n < 100; ++n) names.push_back(unknown(100 * round + n));
    rpc.control.emplace();
    for (const std::string& name : names) rpc.control->graft.push_back({name});
    bench->send(1, rpc);
  }
  EXPECT_TRUE(same(bench->router.sizes(), before));
  EXPECT_TRUE(bench->sent(1).frames.empty());  // nor an answer
  bench->drain();
}

TEST(GossipsubPublishedFaults, prunes_for_topics_that_were_never_joined_leave_no_backoff_behind) {
  const auto bench = joined(1);
  const auto before = bench->router.sizes();
  for (int round = 0; round < 100; ++round) {
    Rpc rpc;
    std::vector<std::string> names;
    for (int n = 0; n < 100; ++n) names.push_back(unknown(100 * round + n));
    rpc.control.emplace();
    for (const std::string& name : names) rpc.control->prune.push_back({name, {}, 3600});
    bench->send(1, rpc);
  }
  EXPECT_TRUE(same(bench->router.sizes(), before));
  // And a topic that a peer has pruned us from before we join it is joined with that peer.
  ASSERT_TRUE(bench->router.subscribe(unknown(0), bench->now));
  bench->send(1, subscription_rpc(unknown(0)));
  bench->heartbeat();
  EXPECT_EQ(bench->router.mesh(unknown(0)).size(), 1U);
}

TEST(GossipsubPublishedFaults, no_backoff_is_too_long_for_the_clock) {
  for (const std::uint64_t seconds :
       {~std::uint64_t{0}, ~std::uint64_t{0} / 2, std::uint64_t{9'223'372'036}, std::uint64_t{9'223'372'035},
        std::uint64_t{1} << 62, std::uint64_t{18'446'744'073}}) {
    const auto bench = joined(3);
    bench->send(1, prune_rpc(kTopic, seconds));
    EXPECT_TRUE(bench->router.in_backoff(kTopic, peer_id(1), bench->now.mono));
    bench->send(1, graft_rpc(kTopic));  // looks at the backoff and at the threshold of a flood
    for (int beat = 0; beat < 40; ++beat) bench->heartbeat();
    bench->router.unsubscribe(kTopic, bench->now);
    ASSERT_TRUE(bench->router.subscribe(kTopic, bench->now));
    EXPECT_TRUE(bench->router.in_backoff(kTopic, peer_id(1), bench->now.mono));
    const Nanos longest = bench->router.params().mesh.max_peer_backoff;
    EXPECT_FALSE(bench->router.in_backoff(kTopic, peer_id(1), bench->now.mono + longest + Seconds(1)));
    bench->drain();
  }
}

TEST(GossipsubPublishedFaults, topics_of_peers_that_go_are_forgotten_with_them) {
  Bench bench;
  ASSERT_TRUE(bench.router.subscribe(kTopic, bench.now));
  const auto before = bench.router.sizes();
  for (std::uint32_t peer = 1; peer <= 50; ++peer) {
    bench.add(peer);
    Rpc rpc;
    std::vector<std::string> names;
    for (int n = 0; n < 1000; ++n) names.push_back(unknown(1000 * static_cast<int>(peer) + n));
    for (const std::string& name : names) rpc.subscriptions.push_back({true, name, {}, {}});
    bench.send(peer, rpc);
    EXPECT_LE(bench.router.sizes().topics, before.topics + bench.router.params().max_topics_per_peer);
    bench.router.remove_peer(peer_id(peer), bench.now);
    bench.drain();
    bench.actions.clear();
  }
  EXPECT_EQ(bench.router.sizes().topics, before.topics);
  EXPECT_EQ(bench.router.sizes().subscriptions, 0U);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
