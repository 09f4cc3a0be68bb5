// A gater in a host: what it is asked, and who is refused.
#include "libp2p/host/gater_hosts_test.hpp"

#include <gmock/gmock.h>

namespace libp2p {
namespace {

using runtime::TaskScope;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(GaterTest, a_blocked_peer_is_neither_dialled_nor_let_in) {
  const auto a = guarded();
  const auto b = make_host();
  ASSERT_TRUE(gater->block_peer(b->id()));
  const auto out = dial(*a, address_of(*b));
  EXPECT_EQ(out.error().code(), Errc::denied);
  EXPECT_THAT(out.error().text(), HasSubstr(b->id().to_base58() + " is blocked"));
  Diary diary(*a);
  (void)dial(*b, address_of(*a));
  world.run_for(Seconds(1));
  EXPECT_TRUE(a->connections().empty());
  EXPECT_TRUE(b->connections().empty());
  EXPECT_EQ(diary.count("refused denied"), 1u);
  EXPECT_GE(a->counters().denied_by_gater, 2u);
  gater->unblock_peer(b->id());
  EXPECT_TRUE(dial(*a, address_of(*b)));
}

TEST_F(GaterTest, a_blocked_address_or_subnet_is_refused_both_ways) {
  const auto a = guarded();
  const auto b = make_host();
  const auto b_ip = nodes[1].ip4();
  for (const bool subnet : {false, true}) {
    ASSERT_TRUE(subnet ? gater->block_subnet("10.0.0.2/31") : gater->block_ip(b_ip));
    EXPECT_EQ(dial(*a, address_of(*b)).error().code(), Errc::denied);
    EXPECT_FALSE(dial(*b, address_of(*a)));
    EXPECT_TRUE(a->connections().empty());
    ASSERT_TRUE(subnet ? gater->unblock_subnet("10.0.0.3/31") : gater->unblock_ip(b_ip));
  }
  EXPECT_TRUE(dial(*b, address_of(*a)));
}

// op-node's hooks let an outbound connection pass once the peer is known (S§3), since it dials by the peer's id alone.
TEST_F(GaterTest, a_blocked_peer_that_answers_a_dial_without_a_peer_id_is_refused) {
  const auto a = guarded();
  const auto b = make_host();
  ASSERT_TRUE(gater->block_peer(b->id()));
  const auto out = dial(*a, b->listen_addresses()[0]);
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error().text(), HasSubstr("the peer " + b->id().to_base58() + " is blocked"));
  EXPECT_TRUE(a->connections().empty());
}

TEST_F(GaterTest, each_hook_is_asked_on_its_way_and_each_address_by_itself) {
  const auto a = metered();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  const std::string place = "/ip4/10.0.0.2/tcp/9000";
  EXPECT_THAT(hooks, ElementsAre("InterceptPeerDial", "InterceptAddrDial " + place, "InterceptSecured " + place,
                                 "InterceptUpgraded " + place));
  a->disconnect(b->id(), "test");
  world.run_for(Seconds(1));
  hooks.clear();
  ASSERT_TRUE(dial(*b, address_of(*a)));
  world.run_for(Seconds(1));
  ASSERT_EQ(hooks.size(), 3u);
  EXPECT_THAT(hooks[0], HasSubstr("InterceptAccept /ip4/10.0.0.2/tcp/"));
  EXPECT_THAT(hooks[1], HasSubstr("InterceptSecured /ip4/10.0.0.2/tcp/"));
  EXPECT_THAT(hooks[2], HasSubstr("InterceptUpgraded /ip4/10.0.0.2/tcp/"));
}

TEST_F(GaterTest, each_ip_of_a_name_is_asked_about) {
  const auto a = metered();
  const auto b = make_host();
  world.add_name("b.example", {"10.9.9.9", "::ffff:10.9.9.9", nodes[1].ip4()});
  ASSERT_TRUE(gater->block_ip("10.9.9.9"));
  const auto named = Multiaddr::from_text("/dns/b.example/tcp/9000").value().with_peer_id(b->id());
  EXPECT_TRUE(dial(*a, named));
  EXPECT_THAT(hooks, ElementsAre("InterceptPeerDial", "no InterceptAddrDial /ip4/10.9.9.9/tcp/9000",
                                 "no InterceptAddrDial /ip6/::ffff:10.9.9.9/tcp/9000",
                                 "InterceptAddrDial /ip4/10.0.0.2/tcp/9000", "InterceptSecured /ip4/10.0.0.2/tcp/9000",
                                 "InterceptUpgraded /ip4/10.0.0.2/tcp/9000"));
}

TEST_F(GaterTest, addresses_that_join_a_dial_under_way_are_asked_about) {
  const auto a = metered();
  const Multiaddr silent = silent_place(50);
  const auto b = make_host(HostConfig(test_key(50)));
  Outcome first, second;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, silent, &first));
  world.run_for(Seconds(1));
  const auto blocked = Multiaddr::from_text("/ip4/10.9.9.9/tcp/1").value().with_peer_id(b->id());
  ASSERT_TRUE(gater->block_ip("10.9.9.9"));
  scope.spawn(connect(*a, blocked, &second));
  scope.spawn(connect(*a, address_of(*b), &second));
  ASSERT_TRUE(world.run_until([&] { return scope.running() == 0; }, Seconds(60)));
  EXPECT_EQ(first.text(), "ok");
  EXPECT_THAT(hooks,
              ElementsAre("InterceptPeerDial", "InterceptAddrDial " + silent.without_peer_id().text(),
                          "no InterceptAddrDial /ip4/10.9.9.9/tcp/1", "InterceptAddrDial /ip4/10.0.0.3/tcp/9000",
                          "InterceptSecured /ip4/10.0.0.3/tcp/9000", "InterceptUpgraded /ip4/10.0.0.3/tcp/9000"));
}

TEST_F(GaterTest, peers_that_dial_each_other_at_once_are_both_asked_about) {
  const auto a = guarded();
  const auto b = make_host();
  ASSERT_TRUE(gater->block_peer(b->id()));
  Outcome there, back;
  TaskScope scope(a->runtime());
  TaskScope other(b->runtime());
  scope.spawn(connect(*a, address_of(*b), &there));
  other.spawn(connect(*b, address_of(*a), &back));
  ASSERT_TRUE(world.run_until([&] { return scope.running() + other.running() == 0; }, Seconds(60)));
  world.run_for(Seconds(1));
  EXPECT_TRUE(a->connections().empty());
  EXPECT_TRUE(b->connections().empty());
}

TEST_F(GaterTest, a_refusal_is_told_with_the_rules_text) {
  const auto a = guarded();
  const auto b = make_host();
  std::vector<std::string> told;
  const auto subscription = a->subscribe([&told](const HostEvent& event) {
    if (const auto* refused = std::get_if<ConnectionRefused>(&event)) told.push_back("refused: " + refused->why.text());
    if (const auto* failed = std::get_if<DialFailed>(&event)) told.push_back("failed: " + failed->why.text());
  });
  ASSERT_TRUE(gater->block_subnet("10.0.0.2/31"));
  EXPECT_FALSE(dial(*b, address_of(*a)));
  EXPECT_FALSE(dial(*a, address_of(*b)));
  ASSERT_TRUE(gater->unblock_subnet("10.0.0.2/31"));
  ASSERT_TRUE(gater->block_peer(b->id()));
  EXPECT_FALSE(dial(*a, address_of(*b)));
  (void)dial(*b, address_of(*a));
  world.run_for(Seconds(1));
  const std::string subnet = "the address 10.0.0.2 is in the blocked subnet 10.0.0.2/31";
  const std::string peer = "the peer " + b->id().to_base58() + " is blocked";
  EXPECT_THAT(told,
              ElementsAre("refused: " + subnet, "failed: dialling failed: " + address_of(*b).text() + ": " + subnet,
                          "failed: " + peer, "refused: " + peer));
}

}  // namespace
}  // namespace libp2p
