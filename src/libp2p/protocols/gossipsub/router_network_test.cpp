// Whole networks of routers over links with random delays, and validators that answer after random times.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

void expect_sound(const Network& network) {
  EXPECT_LE(network.max_pushes(), 1U) << "a message was forwarded twice to a peer";
  EXPECT_EQ(network.pushes_to_source(), 0U) << "a message went back to where it came from";
  EXPECT_EQ(network.self_deliveries(), 0U) << "a publisher got its own message";
}

TEST(GossipsubNetwork, forms_a_mesh_within_its_bounds_that_is_the_same_at_both_ends) {
  Network network(40, {}, 7);
  network.connect_randomly(6);
  network.subscribe_all();
  network.run(Seconds(10));
  const Params params;
  std::size_t total = 0;
  for (std::size_t n = 0; n < network.size(); ++n) {
    const auto mesh = network.router(n).mesh(kTopic);
    EXPECT_LE(mesh.size(), params.mesh.high);
    if (mesh.size() < params.mesh.low) {  // only when there is nobody left to ask
      for (const auto& peer : network.router(n).subscribers(kTopic)) {
        EXPECT_TRUE(std::count(mesh.begin(), mesh.end(), peer) != 0 ||
                    network.router(n).in_backoff(kTopic, peer, network.now().mono));
      }
    }
    total += mesh.size();
    for (const auto& peer : mesh) {
      const auto other = network.router(load_be32(peer.bytes().data() + 2)).mesh(kTopic);
      EXPECT_THAT(other, testing::Contains(Network::id(n)));
    }
  }
  EXPECT_GE(total, params.mesh.low * network.size());
}

TEST(GossipsubNetwork, brings_a_message_to_all_of_20_nodes) {
  Network network(20, {}, 3);
  network.connect_randomly(4);
  network.subscribe_all();
  network.run(Seconds(3));
  const auto id = network.publish(0, "block");
  network.run(Seconds(1));
  EXPECT_EQ(network.holders(id), 19U);
  expect_sound(network);
}

TEST(GossipsubNetwork, brings_messages_of_several_publishers_to_all_of_100_nodes_exactly_once) {
  Network network(100, {}, 11);
  network.connect_randomly(8);
  network.subscribe_all();
  network.run(Seconds(4));
  std::vector<MessageId> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(network.publish(network.rng().below(100), std::string(2000, 'x') + std::to_string(i)));
    network.run(Millis(300));
  }
  network.run(Seconds(3));
  for (const auto& id : ids) EXPECT_EQ(network.holders(id), 99U);
  for (std::size_t n = 0; n < network.size(); ++n) {
    auto delivered = network.node(n).delivered;
    std::sort(delivered.begin(), delivered.end());
    const auto again = std::adjacent_find(delivered.begin(), delivered.end(),
                                          [](const auto& a, const auto& b) { return a.first == b.first; });
    EXPECT_EQ(again, delivered.end()) << n;
  }
  expect_sound(network);
}

TEST(GossipsubNetwork, repairs_with_ihave_and_iwant_what_the_mesh_lost) {
  Network::Options options;
  bool losing = false;
  SeededRng dice(5);
  options.loses_messages = [&](std::size_t, std::size_t) { return losing && dice.below(100) < 95; };
  Network network(30, options, 5);
  network.connect_randomly(12);
  network.subscribe_all();
  network.run(Seconds(3));
  losing = true;
  const auto id = network.publish(0, "block");
  network.run(Millis(300));
  losing = false;
  const std::size_t by_mesh = network.holders(id);
  EXPECT_LT(by_mesh, 29U);
  network.run(Seconds(4));
  EXPECT_EQ(network.holders(id), 29U);
  EXPECT_GT(network.lost(), 0U);
  std::uint64_t asked = 0;
  for (std::size_t n = 0; n < network.size(); ++n) asked += network.router(n).counters().iwant_sent;
  EXPECT_GT(asked, 0U);
  expect_sound(network);
}

TEST(GossipsubNetwork, grafts_no_peer_in_backoff_while_peers_join_and_leave_the_topic) {
  Network network(12, {}, 9);
  network.connect_randomly(11);
  network.subscribe_all();
  for (int round = 0; round < 30; ++round) {
    network.run(Seconds(2));
    const std::size_t n = network.rng().below(network.size());
    network.leave(n);
    network.run(Seconds(1));
    network.join(n);
  }
  network.run(Seconds(5));
  for (std::size_t n = 0; n < network.size(); ++n) {
    EXPECT_TRUE(network.node(n).scores.penalties.empty()) << "node " << n << " was grafted too early";
  }
}

TEST(GossipsubNetwork, nothing_invalid_travels_further_than_one_hop) {
  Network::Options options;
  options.judge = [](std::size_t, const Validate& request) {
    return as_text(request.data.view()).starts_with("bad") ? ValidationResult::reject : ValidationResult::accept;
  };
  Network network(30, options, 13);
  network.connect_randomly(5);
  network.subscribe_all();
  network.run(Seconds(3));
  const auto mesh = network.router(4).mesh(kTopic);
  network.publish(4, "bad block");
  network.run(Seconds(5));
  std::uint64_t rejected = 0;
  for (std::size_t n = 0; n < network.size(); ++n) {
    EXPECT_TRUE(network.node(n).delivered.empty());
    rejected += network.router(n).counters().rejected;
  }
  EXPECT_GE(rejected, mesh.size());
  EXPECT_LE(rejected, network.router(4).peer_count()) << "the publisher's own neighbours, by mesh or gossip";
}

// The property that stands in for a hop count: whatever the graph, the delays, the order of verdicts and the churn, no
// node pushes a message to the same peer twice, back to its source, or to its own subscriber.
class GossipsubLoops : public testing::TestWithParam<std::uint64_t> {};

TEST_P(GossipsubLoops, no_message_is_forwarded_twice_to_a_peer_nor_back_to_its_source) {
  const std::uint64_t seed = GetParam();
  SeededRng choice(seed);
  Network::Options options;
  options.max_delay = Millis(static_cast<std::int64_t>(5 + choice.below(300)));
  options.max_validation = Millis(static_cast<std::int64_t>(choice.below(800)));
  options.judge = [](std::size_t node, const Validate& request) {
    const auto dice = (request.data.view().back() + node) % 10;
    return dice == 0 ? ValidationResult::reject : dice == 1 ? ValidationResult::ignore : ValidationResult::accept;
  };
  options.loses_messages = [&](std::size_t, std::size_t) { return choice.below(100) < 5; };
  Network network(8 + choice.below(25), options, seed);
  network.connect_randomly(1 + choice.below(6));
  network.subscribe_all();
  network.run(Seconds(2));
  for (int i = 0; i < 25; ++i) {
    network.publish(choice.below(network.size()), std::string(choice.below(3000), 'x') + std::to_string(i));
    if (choice.below(3) == 0) network.connect(choice.below(network.size()), choice.below(network.size()));
    network.run(Millis(static_cast<std::int64_t>(choice.below(400))));
  }
  network.run(Seconds(10));
  expect_sound(network);
  std::size_t delivered = 0;
  for (std::size_t n = 0; n < network.size(); ++n) {
    delivered += network.node(n).delivered.size();
    EXPECT_EQ(network.router(n).sizes().validating, 0U);
    EXPECT_EQ(network.router(n).sizes().cached, 0U) << "all windows have passed";
  }
  EXPECT_GT(delivered, 25U) << "the property would hold in silence too";
}

INSTANTIATE_TEST_SUITE_P(Seeds, GossipsubLoops, testing::Range<std::uint64_t>(1, 17));

TEST(GossipsubNetwork, takes_the_same_way_again_from_the_same_seed) {
  const auto run = [](std::uint64_t seed) {
    Network network(20, {}, seed);
    network.connect_randomly(4);
    network.subscribe_all();
    network.run(Seconds(2));
    network.publish(0, "block");
    network.run(Seconds(2));
    std::vector<std::pair<MessageId, PeerId>> all;
    for (std::size_t n = 0; n < network.size(); ++n) {
      const auto& delivered = network.node(n).delivered;
      all.insert(all.end(), delivered.begin(), delivered.end());
      for (const auto& peer : network.router(n).mesh(kTopic)) all.emplace_back(MessageId(), peer);
    }
    return all;
  };
  EXPECT_EQ(run(21), run(21));
  EXPECT_NE(run(21), run(22));
}

TEST(GossipsubNetwork, holds_nothing_of_peers_once_every_link_is_gone) {
  {
    Network network(15, {}, 17);
    network.connect_randomly(5);
    network.subscribe_all();
    network.run(Seconds(2));
    network.publish(3, std::string(5000, 'x'));
    network.run(Millis(30));
    for (std::size_t a = 0; a < network.size(); ++a) {
      for (std::size_t b = a + 1; b < network.size(); ++b) network.disconnect(a, b);
    }
    for (std::size_t n = 0; n < network.size(); ++n) {
      const auto sizes = network.router(n).sizes();
      EXPECT_EQ(sizes.peers + sizes.subscriptions + sizes.mesh_links + sizes.promises + sizes.outbox_items, 0U);
    }
    EXPECT_EQ(live<Peer>(), 0);
    network.run(Seconds(1));
  }
  EXPECT_EQ(live<Peer>(), 0);
}

}  // namespace
}  // namespace libp2p::gossipsub::test
