// Dials, ends of connections, partitions, restarts and identities.
#include <gmock/gmock.h>

#include "sim/gossip/world_test_support.hpp"

namespace opp2p::sim::gossip::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

void dial(Probes& all, Member from, Member to) {
  all.world.act(from, [&](Actor& actor) { static_cast<Probe&>(actor).port.dial(to); });
}

TEST(GossipWorldConnections, a_dial_takes_round_trips_and_both_ends_learn_of_it) {
  Probes all;
  const Member a = all.add(Region::us_east);
  const Member b = all.add(Region::europe_west);
  dial(all, a, b);
  dial(all, a, b);  // once
  all.run(Millis(319));
  EXPECT_FALSE(all.world.is_connected(a, b));
  all.run(Millis(2));
  EXPECT_THAT(all.probe(a).connected, ElementsAre(Pair(b, Direction::outbound)));
  EXPECT_THAT(all.probe(b).connected, ElementsAre(Pair(a, Direction::inbound)));
  EXPECT_EQ(all.world.counters().dials, 1U);
  EXPECT_THAT(all.world.peers_of(a), ElementsAre(b));
}

TEST(GossipWorldConnections, two_who_dial_each_other_have_one_connection) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  dial(all, a, b);
  dial(all, b, a);
  all.run(Seconds(1));
  EXPECT_THAT(all.world.peers_of(a), ElementsAre(b));
  EXPECT_EQ(all.probe(a).connected.size(), 1U);
  EXPECT_EQ(all.probe(b).connected.size(), 1U);
  EXPECT_EQ(all.probe(a).failed.size() + all.probe(b).failed.size(), 1U);
}

TEST(GossipWorldConnections, a_dial_fails_where_there_is_no_room_nobody_runs_or_the_other_does_not_want) {
  Probes all;
  MemberSpec small = Probes::spec();
  small.max_inbound = 1;
  const Member full = all.add(std::move(small));
  const Member first = all.add();
  ASSERT_TRUE(all.world.connect(first, full));
  const Member down = all.world.add(Probes::spec());
  const Member picky = all.add();
  all.probe(picky).lets_in = false;
  const Member a = all.add();
  for (const Member to : {full, down, picky}) dial(all, a, to);
  all.run(Seconds(1));
  EXPECT_EQ(all.probe(a).failed.size(), 3U);
  EXPECT_THAT(all.probe(a).connected, IsEmpty());
  EXPECT_EQ(all.world.counters().dials_failed, 3U);
}

TEST(GossipWorldConnections, the_other_end_hears_of_an_end_after_the_latency_and_gets_nothing_more) {
  Probes all;
  const Member a = all.add(Region::us_east);
  const Member b = all.add(Region::europe_west);
  ASSERT_TRUE(all.world.connect(a, b));
  ASSERT_TRUE(all.send(a, b, 1000));
  all.world.act(a, [&](Actor& actor) { static_cast<Probe&>(actor).port.disconnect(b); });
  ASSERT_TRUE(all.send(b, a, 1000)) << "it does not know yet";
  all.run(Millis(39));
  EXPECT_THAT(all.probe(b).disconnected, IsEmpty());
  all.run(Seconds(1));
  EXPECT_THAT(all.probe(b).disconnected, ElementsAre(Pair(MonoTime(Millis(40)), a)));
  EXPECT_THAT(all.probe(a).disconnected, IsEmpty());
  EXPECT_THAT(all.probe(a).receipts, IsEmpty());
  EXPECT_THAT(all.probe(b).receipts, IsEmpty());
  EXPECT_EQ(all.world.counters().bytes_lost, 2000U);
}

TEST(GossipWorldConnections, a_member_that_loses_its_power_is_missed_later_and_comes_back_as_another_actor) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  all.world.stop(a, World::Ending::power_cut);
  EXPECT_FALSE(all.world.is_running(a));
  all.run(Seconds(14));
  EXPECT_THAT(all.probe(b).disconnected, IsEmpty());
  all.run(Seconds(2));
  EXPECT_EQ(all.probe(b).disconnected.size(), 1U);
  all.world.start(a);
  EXPECT_THAT(all.probe(a).connected, IsEmpty()) << "it knows nothing of before";
  dial(all, a, b);
  all.run(Seconds(1));
  EXPECT_TRUE(all.world.is_connected(b, a));
}

TEST(GossipWorldConnections, who_comes_back_before_it_was_missed_takes_the_place_of_its_old_connection) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  all.world.stop(a, World::Ending::power_cut);
  all.world.start(a);
  dial(all, a, b);
  all.run(Seconds(1));
  EXPECT_EQ(all.probe(b).disconnected.size(), 1U);
  EXPECT_EQ(all.probe(b).connected.size(), 2U);
  all.run(Seconds(60));
  EXPECT_TRUE(all.world.is_connected(a, b)) << "the end of the old one does not end the new one";
  ASSERT_TRUE(all.send(a, b, 1000));
  all.run(Seconds(1));
  EXPECT_EQ(all.probe(b).receipts.size(), 1U);
}

TEST(GossipWorldConnections, a_short_partition_delays_what_is_sent_and_keeps_its_order) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  ASSERT_TRUE(all.send(a, b, 101));  // on its way when the cut comes
  all.world.set_group(b, 1);
  ASSERT_TRUE(all.send(a, b, 102));
  dial(all, b, all.add());
  all.run(Seconds(10));
  EXPECT_THAT(all.probe(b).receipts, IsEmpty());
  EXPECT_EQ(all.probe(b).failed.size(), 1U) << "nobody is reached";
  ASSERT_TRUE(all.send(a, b, 50'000));
  all.run(Millis(1));
  all.world.heal();
  ASSERT_TRUE(all.send(a, b, 103));
  all.run(Seconds(1));
  ASSERT_EQ(all.probe(b).receipts.size(), 4U);
  EXPECT_EQ(all.probe(b).receipts[0].size, 101U);
  EXPECT_EQ(all.probe(b).receipts[1].size, 102U);
  EXPECT_EQ(all.probe(b).receipts[2].size, 50'000U);
  EXPECT_EQ(all.probe(b).receipts[3].size, 103U);
  EXPECT_TRUE(all.world.is_connected(a, b));
  all.run(Seconds(30));
  EXPECT_TRUE(all.world.is_connected(a, b)) << "the cut was over before it was noticed";
}

TEST(GossipWorldConnections, a_long_partition_ends_the_connections_across_it_and_no_others) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  const Member c = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  ASSERT_TRUE(all.world.connect(b, c));
  all.world.set_group(b, 1);
  all.world.set_group(c, 1);
  ASSERT_TRUE(all.send(a, b, 1000));
  ASSERT_TRUE(all.send(c, b, 1000));
  all.run(Seconds(20));
  EXPECT_THAT(all.probe(a).disconnected, ElementsAre(Pair(MonoTime(Seconds(15)), b)));
  EXPECT_THAT(all.probe(b).disconnected, ElementsAre(Pair(MonoTime(Seconds(15)), a)));
  EXPECT_TRUE(all.world.is_connected(b, c));
  EXPECT_EQ(all.probe(b).receipts.size(), 1U);
  all.world.heal();
  dial(all, a, b);
  all.run(Seconds(1));
  EXPECT_TRUE(all.world.is_connected(a, b));
}

TEST(GossipWorldConnections, a_new_identity_has_no_connections_and_another_id) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  const PeerId before = all.world.id_of(a);
  const auto address = Multiaddr::from_text("/ip4/11.0.0.1/tcp/9222").value();
  all.world.act(a, [&](Actor& actor) { static_cast<Probe&>(actor).port.take_new_identity(address); });
  EXPECT_NE(all.world.id_of(a), before);
  EXPECT_EQ(member_of(all.world.id_of(a)), a);
  EXPECT_EQ(member_of(before), a);
  EXPECT_EQ(all.world.address_of(a), address);
  EXPECT_THAT(all.world.peers_of(a), IsEmpty());
  dial(all, a, b);
  all.run(Seconds(1));
  EXPECT_EQ(all.probe(b).disconnected.size(), 1U);
  EXPECT_TRUE(all.world.is_connected(b, a));
}

TEST(GossipWorldConnections, discovery_finds_announced_strangers_each_once) {
  Probes all;
  const Member a = all.add();
  const Member known = all.add();
  ASSERT_TRUE(all.world.connect(a, known));
  MemberSpec hidden = Probes::spec();
  hidden.announces = false;
  const Member secret = all.add(std::move(hidden));
  for (int i = 0; i < 20; ++i) all.add();
  std::set<Member> met;
  all.world.act(a, [&](Actor& actor) {
    for (int i = 0; i < 40; ++i) {
      const auto found = static_cast<Probe&>(actor).port.discover(5);
      EXPECT_LE(found.size(), 5U);
      const std::set<Member> distinct(found.begin(), found.end());
      EXPECT_EQ(distinct.size(), found.size());
      met.insert(found.begin(), found.end());
    }
  });
  EXPECT_EQ(met.size(), 20U);
  EXPECT_FALSE(met.contains(a) || met.contains(known) || met.contains(secret));
}

TEST(GossipWorldConnections, a_wrong_clock_is_wrong_for_its_own_member_only) {
  Probes all;
  MemberSpec fast = Probes::spec();
  fast.clock_skew = Seconds(90);
  const Member a = all.add(std::move(fast));
  const Member b = all.add();
  all.run(Seconds(5));
  EXPECT_EQ(all.probe(a).port.now().wall - all.probe(b).port.now().wall, Seconds(90));
  EXPECT_EQ(all.probe(a).port.now().mono, all.probe(b).port.now().mono);
}

}  // namespace
}  // namespace opp2p::sim::gossip::test
