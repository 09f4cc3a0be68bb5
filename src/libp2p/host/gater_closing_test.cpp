// Who has to go when a rule comes: connections, half-open ones, and dials under way.
#include <gmock/gmock.h>

#include "libp2p/host/gater_hosts_test.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"

namespace libp2p {
namespace {

using runtime::TaskScope;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Six peers: of each pair one has dialled and one was dialled.
class BlockingCloses : public GaterTest {
 protected:
  void SetUp() override {
    a = guarded();
    for (int i = 0; i < 6; ++i) peers.push_back(make_host());
    for (std::size_t i = 0; i < peers.size(); ++i) {
      EXPECT_TRUE(i % 2 == 0 ? dial(*a, address_of(*peers[i])) : dial(*peers[i], address_of(*a)));
    }
    world.run_for(Seconds(1));
    diary.listen_to(*a);
  }
  // Which of the peers are connected, as digits.
  std::string connected() {
    world.run_for(Seconds(1));
    a->check();
    std::string out;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (a->connected(peers[i]->id())) out += std::to_string(i);
      EXPECT_EQ(a->connected(peers[i]->id()), peers[i]->connected(a->id()));
    }
    return out;
  }

  std::unique_ptr<Host> a;
  std::vector<std::unique_ptr<Host>> peers;
  Diary diary;
};

TEST_F(BlockingCloses, the_peer_that_is_blocked_and_nobody_else) {
  ASSERT_EQ(connected(), "012345");
  ASSERT_TRUE(gater->block_peer(peers[0]->id()));  // it was dialled
  EXPECT_EQ(connected(), "12345");
  ASSERT_TRUE(gater->block_peer(peers[1]->id()));  // it has dialled
  EXPECT_EQ(connected(), "2345");
  EXPECT_THAT(
      diary.lines,
      ElementsAre("closed denied: the peer " + peers[0]->id().to_base58() + " is blocked", "peer disconnected",
                  "closed denied: the peer " + peers[1]->id().to_base58() + " is blocked", "peer disconnected"));
  EXPECT_EQ(a->counters().closed_by_gater, 2u);
  EXPECT_FALSE(dial(*a, address_of(*peers[0])));
  gater->unblock_peer(peers[0]->id());
  EXPECT_TRUE(dial(*a, address_of(*peers[0]))) << "who is unblocked connects again";
  gater->unblock_peer(peers[1]->id());
  EXPECT_TRUE(dial(*peers[1], address_of(*a)));
  EXPECT_EQ(connected(), "012345");
}

TEST_F(BlockingCloses, whoever_is_at_a_blocked_address_in_any_spelling) {
  ASSERT_TRUE(gater->block_ip("::ffff:" + nodes[1].ip4()));
  EXPECT_EQ(connected(), "12345");
  ASSERT_TRUE(gater->block_ip(nodes[2].ip4()));
  EXPECT_EQ(connected(), "2345");
  EXPECT_EQ(diary.count("closed denied: the address 10.0.0.3 is blocked"), 1u);
  ASSERT_TRUE(gater->unblock_ip(nodes[1].ip4()));
  EXPECT_TRUE(dial(*a, address_of(*peers[0])));
}

TEST_F(BlockingCloses, whoever_is_in_a_blocked_subnet) {
  // 10.0.0.4 to 10.0.0.7 are the peers 2 to 5.
  ASSERT_TRUE(gater->block_subnet("::ffff:10.0.0.4/126"));
  EXPECT_EQ(connected(), "01");
  EXPECT_EQ(diary.count("closed denied: the address 10.0.0.5 is in the blocked subnet 10.0.0.4/30"), 1u);
  ASSERT_TRUE(gater->unblock_subnet("10.0.0.4/30"));
  EXPECT_TRUE(dial(*peers[5], address_of(*a)));
  EXPECT_EQ(connected(), "015");
}

TEST_F(BlockingCloses, all_connections_of_a_peer_over_both_families) {
  ASSERT_TRUE(dial(*peers[0], address_of(*a, 1)));
  ASSERT_EQ(a->connections(peers[0]->id()).size(), 1u) << "a dial to a connected peer opens no second connection";
  a->disconnect(peers[0]->id(), "test");
  world.run_for(Seconds(1));
  ASSERT_TRUE(dial(*a, address_of(*peers[0], 1)));
  ASSERT_TRUE(gater->block_ip(nodes[1].ip4()));
  EXPECT_EQ(connected(), "012345") << "its IPv6 address is another one";
  ASSERT_TRUE(gater->block_subnet("fd00::/16"));
  EXPECT_EQ(connected(), "12345");
}

TEST_F(BlockingCloses, many_rules_of_one_turn_with_one_look_at_the_connections) {
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(gater->block_ip("192.0.2." + std::to_string(i % 256)));
  ASSERT_TRUE(gater->block_peer(peers[3]->id()));
  EXPECT_EQ(connected(), "01245");
  EXPECT_EQ(a->recheck_gater(), 0u);
}

TEST_F(BlockingCloses, protected_and_proven_peers_too) {
  a->protect(peers[0]->id(), "static");
  a->mark_proven(peers[1]->id());
  ASSERT_TRUE(gater->block_subnet("10.0.0.0/8"));
  EXPECT_EQ(connected(), "");
}

TEST_F(GaterTest, blocking_closes_half_open_connections_of_the_address_and_no_others) {
  const auto a = guarded();
  const auto bad = world.add_node();
  const auto good = world.add_node();
  const auto stays = mute(*a, good);
  const auto goes = mute(*a, bad);
  ASSERT_EQ(SocketConnection::live(), 2);
  Diary diary(*a);
  ASSERT_TRUE(gater->block_ip(bad.ip4()));
  world.run_for(Seconds(1));
  EXPECT_EQ(SocketConnection::live(), 1);
  EXPECT_THAT(diary.lines, ElementsAre("refused denied: the address " + bad.ip4() + " is blocked"));
  ASSERT_TRUE(gater->block_subnet(good.ip4() + "/32"));
  world.run_for(Seconds(1));
  EXPECT_EQ(SocketConnection::live(), 0);
  a->check();
}

// The handshake is on its way when the rule comes, which is about the peer: it shows at its end.
TEST_F(GaterTest, a_connection_whose_peer_is_blocked_during_its_handshake_does_not_open) {
  for (const bool dials : {false, true}) {
    const auto a = guarded();
    const auto b = make_host();
    Diary diary(*a);
    Outcome out;
    Host& from = dials ? *a : *b;
    Host& to = dials ? *b : *a;
    TaskScope scope(from.runtime());
    scope.spawn(connect(from, address_of(to), &out));
    ASSERT_TRUE(world.run_until([] { return SocketConnection::live() > 0; }, Seconds(5)));
    ASSERT_TRUE(gater->block_peer(b->id()));
    world.run_for(Seconds(5));
    EXPECT_EQ(diary.count("opened"), 0u) << dials;
    EXPECT_TRUE(a->connections().empty());
    EXPECT_TRUE(b->connections().empty());
    if (dials) {
      EXPECT_THAT(out.text(), HasSubstr("the peer " + b->id().to_base58() + " is blocked"));
    }
    a->check();
  }
}

TEST_F(GaterTest, blocking_ends_dials_under_way_to_the_peer) {
  const auto a = guarded();
  const Multiaddr silent = silent_place(50);  // half-open until its handshake times out
  nodes.push_back(world.add_node());
  world.power_off(nodes.back().index());  // a SYN that nobody answers
  const auto dark = Multiaddr::from_text("/ip4/" + nodes.back().ip4() + "/tcp/9000").value().with_peer_id(id_of(51));
  const Multiaddr other = silent_place(52);
  Outcome out[3];
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, silent, &out[0]));
  scope.spawn(connect(*a, dark, &out[1]));
  scope.spawn(connect(*a, other, &out[2]));
  world.run_for(Millis(500));
  std::vector<std::string> failed;
  const auto subscription = a->subscribe([&failed](const HostEvent& event) {
    if (const auto* dial = std::get_if<DialFailed>(&event)) failed.push_back(dial->why.text());
  });
  ASSERT_TRUE(gater->block_peer(id_of(50)));
  ASSERT_TRUE(gater->block_peer(id_of(51)));
  world.run_for(Millis(100));
  EXPECT_THAT(out[0].text(), HasSubstr("the peer " + id_of(50).to_base58() + " is blocked"));
  EXPECT_THAT(out[1].text(), HasSubstr("the peer " + id_of(51).to_base58() + " is blocked"));
  EXPECT_EQ(out[2].text(), "pending");
  EXPECT_EQ(failed.size(), 2u);
  EXPECT_EQ(a->counters().closed_by_gater, 2u);
  EXPECT_EQ(SocketConnection::live(), 1);
  a->check();
}

TEST_F(GaterTest, blocking_an_address_ends_the_attempt_and_the_dial_goes_on_with_others) {
  const auto a = guarded();
  const Multiaddr silent = silent_place(50);
  const auto b = make_host(HostConfig(test_key(50)));
  a->peerstore().add_addresses(b->id(), {silent, address_of(*b)}, Seconds(600), world.now());
  Outcome out;
  TaskScope scope(a->runtime());
  scope.spawn(connect_peer(*a, b->id(), &out));
  world.run_for(Millis(500));
  ASSERT_EQ(out.text(), "pending");
  ASSERT_EQ(SocketConnection::live(), 1);
  ASSERT_TRUE(gater->block_ip(nodes[1].ip4()));
  world.run_for(Millis(500));
  EXPECT_EQ(out.text(), "ok");
  EXPECT_TRUE(a->connected(b->id()));
  EXPECT_EQ(a->counters().closed_by_gater, 1u);
  a->check();
}

TEST_F(GaterTest, blocking_the_only_address_of_a_dial_gives_the_rule_as_its_error) {
  const auto a = guarded();
  const Multiaddr silent = silent_place(50);
  Outcome out;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, silent, &out));
  world.run_for(Millis(500));
  ASSERT_TRUE(gater->block_subnet("10.0.0.2/32"));
  world.run_for(Millis(100));
  EXPECT_EQ(out.text(), "denied: dialling failed: " + silent.text() +
                            ": the address 10.0.0.2 is in the blocked subnet 10.0.0.2/32");
  world.run_for(Seconds(1));
  EXPECT_EQ(SocketConnection::live(), 0);
}

TEST_F(GaterTest, a_gater_of_ones_own_closes_what_it_no_longer_permits) {
  class Curfew final : public GaterDecorator {
   public:
    using GaterDecorator::GaterDecorator;
    Result<void> permits(const PeerId& peer, const Multiaddr& remote) const override {
      if (closed) return fail(Errc::denied, "it is late");
      return GaterDecorator::permits(peer, remote);
    }
    bool closed = false;
  };
  const auto curfew = std::make_shared<Curfew>(gater);
  HostConfig config(test_key(1));
  config.gater = curfew;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  Diary diary(*a);
  EXPECT_EQ(a->recheck_gater(), 0u);
  curfew->closed = true;
  world.run_for(Seconds(1));
  EXPECT_TRUE(a->connected(b->id())) << "nobody has asked";
  EXPECT_EQ(a->recheck_gater(), 1u);
  world.run_for(Seconds(1));
  EXPECT_EQ(diary.count("closed denied: it is late"), 1u);
  curfew->closed = false;
  ASSERT_TRUE(dial(*a, address_of(*b)));
  curfew->closed = true;
  curfew->stricter().emit(GaterStricter());
  world.run_for(Seconds(1));
  EXPECT_EQ(diary.count("closed denied: it is late"), 2u);
}

TEST_F(GaterTest, two_hosts_in_one_process_have_a_gater_each_or_share_one) {
  const auto a = guarded();
  const auto own = std::make_shared<BlockingGater>();
  HostConfig config(test_key(2));
  config.gater = own;
  const auto b = make_host(std::move(config));
  const auto c = make_host();
  const auto d = guarded();
  for (const auto* host : {&a, &b, &d}) ASSERT_TRUE(dial(**host, address_of(*c)));
  ASSERT_TRUE(own->block_peer(c->id()));
  world.run_for(Seconds(1));
  EXPECT_FALSE(b->connected(c->id()));
  EXPECT_TRUE(a->connected(c->id()) && d->connected(c->id())) << "the rule of one host is none of another";
  ASSERT_TRUE(gater->block_peer(c->id()));
  world.run_for(Seconds(1));
  EXPECT_FALSE(a->connected(c->id()) || d->connected(c->id())) << "a shared gater tells both";
}

// On real sockets, where such a dial reaches the IPv4 address.
TEST(GaterOverTcp, a_peer_that_was_dialled_at_its_mapped_address_is_closed_by_a_rule_of_the_ip4_address) {
  const NothingLeft nothing_left;
  runtime::AsioRuntime rt{1};
  const auto gater = std::make_shared<BlockingGater>();
  HostConfig config(test_key(1));
  config.gater = gater;
  Host a(rt, std::move(config));
  Host b(rt, HostConfig(test_key(2)));
  ASSERT_TRUE(b.listen(Multiaddr::from_text("/ip4/127.0.0.1/tcp/0").value()));
  const std::string port = b.listen_addresses()[0].value_of(multiformats::Protocol::tcp).value();
  const auto mapped = Multiaddr::from_text("/ip6/::ffff:127.0.0.1/tcp/" + port).value().with_peer_id(b.id());
  Outcome out;
  ASSERT_TRUE(runtime::run_task(rt, rt, connect(a, mapped, &out), Seconds(60)));
  ASSERT_EQ(out.text(), "ok");
  ASSERT_TRUE(gater->block_ip("127.0.0.1"));
  EXPECT_TRUE(rt.run_until([&] { return !a.connected(b.id()) && !b.connected(a.id()); }, Seconds(60)));
  EXPECT_EQ(a.counters().closed_by_gater, 1u);
  Outcome again;
  ASSERT_TRUE(runtime::run_task(rt, rt, connect(a, mapped, &again), Seconds(60)));
  EXPECT_THAT(again.text(), HasSubstr("the address 127.0.0.1 is blocked"));
}

TEST_F(GaterTest, outlives_its_host_and_tells_it_nothing_then) {
  auto a = guarded();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  ASSERT_TRUE(gater->block_peer(b->id()));
  a.reset();  // with the look at its connections on its way
  ASSERT_TRUE(gater->block_ip("10.0.0.9"));
  world.run_for(Seconds(1));
  EXPECT_FALSE(gater->stricter().has_listeners());
}

}  // namespace
}  // namespace libp2p
