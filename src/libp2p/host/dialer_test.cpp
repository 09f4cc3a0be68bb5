#include "libp2p/host/dialer.hpp"

#include "libp2p/services/static_peers/static_peers.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::TaskScope;

class DialerTest : public HostTest {
 protected:
  // /dns4/NAME/tcp/9000 of a peer that nobody is.
  static Multiaddr named(const std::string& name, std::uint64_t seed) {
    const auto id = PeerId::from_public_key(test_key(seed).public_key());
    return Multiaddr::from_text("/dns4/" + name + "/tcp/9000").value().with_peer_id(id);
  }
};

// Four threads looked names up: with 20 dead ones the good one waited for 145 s.
TEST_F(DialerTest, a_name_is_dialled_at_once_whatever_dead_names_there_are) {
  const auto a = make_host();
  const auto b = make_host();
  world.add_name("good.example", {nodes[1].ip4()});
  StaticPeers peers(*a);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string name = "dead" + std::to_string(i) + ".example";
    world.add_dead_name(name);
    ASSERT_TRUE(peers.add(named(name, 100 + i)));
  }
  world.run_for(Millis(100));
  ASSERT_TRUE(peers.add(Multiaddr::from_text("/dns4/good.example/tcp/9000").value().with_peer_id(b->id())));
  world.run_for(Seconds(1));
  EXPECT_TRUE(a->connected(b->id()));
}

TEST_F(DialerTest, a_dead_name_costs_one_dial_its_time_and_the_next_address_is_tried) {
  auto config = HostConfig(test_key(1));
  config.limits.dial_timeout = Seconds(3);
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  world.add_dead_name("dead.example");
  const auto dead = Multiaddr::from_text("/dns4/dead.example/tcp/9000").value().with_peer_id(b->id());
  const MonoTime before = world.now();
  const auto failed = dial(*a, dead);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Errc::timed_out);
  EXPECT_EQ(failed.error().text(),
            "dialling failed: /dns4/dead.example/tcp/9000/p2p/" + b->id().to_base58() +
                ": look-up of 'dead.example' failed: no answer within 3 s; check that the name servers "
                "of this machine answer");
  EXPECT_EQ(world.now() - before, Seconds(3));
  a->peerstore().add_addresses(b->id(), {dead, address_of(*b)}, Seconds(600), world.now());
  Outcome out;
  EXPECT_TRUE(run(*a, connect_peer(*a, b->id(), &out)));
  EXPECT_EQ(out.text(), "ok");
}

TEST_F(DialerTest, a_name_of_any_bytes_is_told_as_text) {
  const auto a = make_host();
  const auto id = PeerId::from_public_key(test_key(50).public_key());
  const Bytes binary = {0x36, 5, 'c', 'a', 'f', 0xe9, 0x1b, 0x06, 0x23, 0x28};  // /dns4/caf\xe9\x1b/tcp/9000
  const auto address = Multiaddr::from_bytes(binary);
  ASSERT_TRUE(address);
  const auto failed = dial(*a, address->with_peer_id(id));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().text().find_first_of("\xe9\x1b"), std::string::npos) << failed.error().text();
}

TEST_F(DialerTest, what_nobody_waits_for_ends_its_look_up) {
  runtime::SimWorldOptions options;
  options.most_look_ups = 2;
  runtime::SimWorld small(7, options, std::make_unique<runtime::UniformLinks>());
  const auto node = small.add_node();
  small.add_dead_name("dead.example");
  small.add_name("good.example", {node.ip4()});
  Host host(node.runtime(), HostConfig(test_key(1)));
  std::vector<Outcome> out(3);
  {
    TaskScope scope(host.runtime());
    for (std::uint64_t i = 0; i < 2; ++i) scope.spawn(connect(host, named("dead.example", 100 + i), &out[i]));
    small.run_for(Seconds(1));
  }
  TaskScope scope(host.runtime());
  scope.spawn(connect(host, named("good.example", 200), &out[2]));
  small.run_for(Millis(200));
  EXPECT_NE(out[2].text().find("connection refused"), std::string::npos) << out[2].text();
}

// The dial went on through its dead addresses for up to a minute and kept its place.
TEST_F(DialerTest, a_dial_ends_when_its_peer_connects_by_itself) {
  auto config = HostConfig(test_key(1));
  config.limits.pending_dials = 1;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  const auto c = make_host();
  world.add_dead_name("dead.example");
  Outcome out;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, Multiaddr::from_text("/dns4/dead.example/tcp/9000").value().with_peer_id(b->id()), &out));
  world.run_for(Seconds(1));
  ASSERT_TRUE(dial(*b, address_of(*a)));
  world.run_for(Millis(100));
  EXPECT_EQ(out.text(), "ok");
  EXPECT_TRUE(dial(*a, address_of(*c)));
  EXPECT_EQ(a->counters().abandoned_dials, 0u);
}

TEST_F(DialerTest, peers_that_dial_each_other_at_once_are_connected) {
  const auto a = make_host();
  const auto b = make_host();
  std::vector<Outcome> out(2);
  TaskScope of_a(a->runtime());
  TaskScope of_b(b->runtime());
  of_a.spawn(connect(*a, address_of(*b), &out[0]));
  of_b.spawn(connect(*b, address_of(*a), &out[1]));
  world.run_for(Seconds(5));
  EXPECT_EQ(out[0].text() + out[1].text(), "okok");
  EXPECT_TRUE(a->connected(b->id()));
  EXPECT_TRUE(b->connected(a->id()));
}

TEST_F(DialerTest, closing_the_host_ends_look_ups) {
  auto a = make_host();
  world.add_dead_name("dead.example");
  Outcome out;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, named("dead.example", 100), &out));
  world.run_for(Seconds(1));
  EXPECT_TRUE(run(*a, close_host(*a, Seconds(1))));
  world.run_for(Millis(1));
  EXPECT_NE(out.text().find("the host is closing"), std::string::npos) << out.text();
  a.reset();
  world.run_for(Millis(1));
  EXPECT_EQ(world.sizes().events, 0U);
}

}  // namespace
}  // namespace libp2p
