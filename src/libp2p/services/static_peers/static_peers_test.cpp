#include "libp2p/services/static_peers/static_peers.hpp"

#include "libp2p/host/blocking_gater.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

class StaticPeersTest : public HostTest {
 protected:
  // Whatever happens, a peer that is not connected is being dialled or has its next attempt.
  static void expect_never_forgotten(const StaticPeers& peers) {
    for (const auto& status : peers.status()) {
      EXPECT_TRUE(status.connected || status.dialling || status.next_attempt) << status.peer.to_base58();
    }
  }
};

TEST_F(StaticPeersTest, dials_at_once_and_protects) {
  const auto a = make_host();
  const auto b = make_host();
  StaticPeers peers(*a);
  EXPECT_TRUE(peers.add(address_of(*b)).value());
  world.run_for(Seconds(1));
  EXPECT_TRUE(a->connected(b->id()));
  EXPECT_TRUE(a->is_protected(b->id()));
  ASSERT_EQ(peers.status().size(), 1u);
  EXPECT_TRUE(peers.status()[0].connected);
  EXPECT_FALSE(peers.status()[0].next_attempt);
}

TEST_F(StaticPeersTest, skips_itself_and_refuses_what_cannot_be_dialled) {
  const auto a = make_host();
  StaticPeers peers(*a);
  EXPECT_FALSE(peers.add(address_of(*a)).value());
  EXPECT_EQ(peers.add(Multiaddr::from_text("/ip4/10.0.0.9/tcp/1").value()).error().code(), Errc::invalid_argument);
  const auto other = PeerId::from_public_key(test_key(50).public_key());
  const auto udp = Multiaddr::from_text("/ip4/10.0.0.9/udp/1/quic-v1").value().with_peer_id(other);
  EXPECT_EQ(peers.add(udp).error().code(), Errc::unsupported);
  EXPECT_TRUE(peers.status().empty());
}

TEST_F(StaticPeersTest, redials_after_a_loss) {
  const auto a = make_host();
  const auto b = make_host();
  StaticPeers peers(*a);
  ASSERT_TRUE(peers.add(address_of(*b)));
  world.run_for(Seconds(1));
  for (int i = 0; i < 5; ++i) {
    world.disconnect(0, 1);
    world.run_for(Millis(10));
    EXPECT_FALSE(a->connected(b->id()));
    expect_never_forgotten(peers);
    world.run_for(Seconds(2));
    EXPECT_TRUE(a->connected(b->id()));
  }
}

TEST_F(StaticPeersTest, backs_off_to_a_bound_with_jitter_and_never_gives_up) {
  const auto a = make_host();
  auto b = make_host();
  const auto address = address_of(*b);
  b.reset();
  StaticPeers peers(*a);
  ASSERT_TRUE(peers.add(address));
  std::vector<Nanos> delays;
  unsigned failures = 0;
  while (failures < 12) {
    world.run_for(Millis(200));
    expect_never_forgotten(peers);
    const auto status = peers.status()[0];
    if (status.failures == failures || !status.next_attempt) continue;
    failures = status.failures;
    EXPECT_NE(status.last_error.find("connection refused"), std::string::npos) << status.last_error;
    delays.push_back(*status.next_attempt - world.now());
  }
  EXPECT_LE(delays[0], Millis(1200));
  for (std::size_t i = 7; i < delays.size(); ++i) {
    EXPECT_GE(delays[i], Seconds(47));
    EXPECT_LE(delays[i], Seconds(72));
  }
  EXPECT_NE(delays[8], delays[9]);
  // A week later it still dials, although every other address would have expired.
  world.run_for(std::chrono::hours(24 * 8));
  expect_never_forgotten(peers);
  auto back = std::make_unique<Host>(nodes[1].runtime(), HostConfig(test_key(2)));
  ASSERT_TRUE(back->listen(Multiaddr::from_text("/ip4/10.0.0.2/tcp/9000").value()));
  ASSERT_EQ(back->id(), *address.peer_id());
  world.run_for(Seconds(75));
  EXPECT_TRUE(a->connected(back->id()));
  EXPECT_EQ(peers.status()[0].failures, 0u);
}

TEST_F(StaticPeersTest, puts_its_addresses_back_when_somebody_removes_them) {
  const auto a = make_host();
  const auto b = make_host();
  StaticPeers peers(*a);
  ASSERT_TRUE(peers.add(address_of(*b)));
  world.run_for(Seconds(1));
  a->peerstore().erase(b->id());
  world.disconnect(0, 1);
  world.run_for(Seconds(3));
  EXPECT_TRUE(a->connected(b->id()));
}

TEST_F(StaticPeersTest, keeps_dialling_a_peer_that_the_gater_denies_and_gets_it_once_allowed) {
  const auto gater = std::make_shared<BlockingGater>();
  HostConfig config(test_key(1));
  config.gater = gater;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  ASSERT_TRUE(gater->block_peer(b->id()));
  StaticPeers peers(*a);
  ASSERT_TRUE(peers.add(address_of(*b)));
  world.run_for(Seconds(10));
  EXPECT_FALSE(a->connected(b->id()));
  EXPECT_GE(peers.status()[0].failures, 2u);
  expect_never_forgotten(peers);
  gater->unblock_peer(b->id());
  world.run_for(Seconds(75));
  EXPECT_TRUE(a->connected(b->id()));
}

TEST_F(StaticPeersTest, a_removed_peer_is_left_alone) {
  const auto a = make_host();
  const auto b = make_host();
  StaticPeers peers(*a);
  ASSERT_TRUE(peers.add(address_of(*b)));
  world.run_for(Seconds(1));
  EXPECT_TRUE(peers.remove(b->id()));
  EXPECT_FALSE(peers.remove(b->id()));
  EXPECT_FALSE(a->is_protected(b->id()));
  world.disconnect(0, 1);
  world.run_for(Seconds(100));
  EXPECT_FALSE(a->connected(b->id()));
}

// Whoever had the address afterwards had no share in the limits of strangers, until the end of the node.
TEST_F(StaticPeersTest, the_address_of_a_peer_is_exempt_until_the_peer_is_removed) {
  const auto a = make_host();
  const auto b = make_host();
  const auto at_b = b->listen_addresses()[0];
  ASSERT_FALSE(a->address_blocks(at_b).is_exempt());
  StaticPeers peers(*a);
  ASSERT_TRUE(peers.add(address_of(*b)));
  EXPECT_TRUE(a->address_blocks(at_b).is_exempt());
  EXPECT_TRUE(peers.remove(b->id()));
  EXPECT_FALSE(a->address_blocks(at_b).is_exempt());
}

// It went on for up to a minute, and kept its place among the dials that may be under way.
TEST_F(StaticPeersTest, a_peer_that_is_removed_while_it_is_dialled_leaves_its_place_at_once) {
  auto config = HostConfig(test_key(1));
  config.limits.pending_dials = 1;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  world.add_dead_name("dead.example");
  StaticPeers peers(*a);
  const auto dead = PeerId::from_public_key(test_key(50).public_key());
  ASSERT_TRUE(peers.add(Multiaddr::from_text("/dns4/dead.example/tcp/9000").value().with_peer_id(dead)));
  world.run_for(Seconds(1));
  ASSERT_TRUE(peers.status()[0].dialling);
  EXPECT_TRUE(peers.remove(dead));
  EXPECT_EQ(a->counters().abandoned_dials, 1u);
  EXPECT_TRUE(dial(*a, address_of(*b)));
}

}  // namespace
}  // namespace libp2p
