// The model of links and processors, each by its own numbers.
#include <gmock/gmock.h>

#include <algorithm>

#include "sim/gossip/world_test_support.hpp"

namespace opp2p::sim::gossip::test {
namespace {

constexpr std::uint64_t kRate = 12'500'000;  // bytes a second

Nanos transfer(std::size_t size) { return Nanos(static_cast<std::int64_t>(size * 1'000'000'000 / kRate)); }

TEST(GossipWorldLinks, the_latency_is_that_of_the_two_regions_both_ways) {
  for (std::size_t a = 0; a < kRegions; ++a) {
    for (std::size_t b = 0; b < kRegions; ++b) {
      const Nanos latency = latency_between(static_cast<Region>(a), static_cast<Region>(b));
      EXPECT_EQ(latency, latency_between(static_cast<Region>(b), static_cast<Region>(a)));
      EXPECT_GE(latency, Millis(5));
      EXPECT_LE(latency, Millis(170));
    }
  }
  Probes all;
  const Member rome = all.add(Region::europe_west);
  const Member tokyo = all.add(Region::asia_northeast);
  ASSERT_TRUE(all.world.connect(rome, tokyo));
  ASSERT_TRUE(all.send(rome, tokyo, 100));
  ASSERT_TRUE(all.send(tokyo, rome, 200));
  all.run(Seconds(1));
  ASSERT_EQ(all.probe(tokyo).receipts.size(), 1U);
  ASSERT_EQ(all.probe(rome).receipts.size(), 1U);
  EXPECT_EQ(since_start(all.probe(tokyo).receipts[0].time), Millis(108) + transfer(100));
  EXPECT_EQ(since_start(all.probe(rome).receipts[0].time), Millis(108) + transfer(200));
}

TEST(GossipWorldLinks, the_shares_of_the_regions_add_up_and_each_has_members) {
  std::array<std::size_t, kRegions> members{};
  for (int i = 0; i < 1000; ++i) ++members[static_cast<std::size_t>(region_of_share(i / 1000.0))];
  for (std::size_t region = 0; region < kRegions; ++region) {
    EXPECT_GE(members[region], 20U) << to_string(static_cast<Region>(region));
    EXPECT_LE(members[region], 260U) << to_string(static_cast<Region>(region));
  }
}

TEST(GossipWorldLinks, jitter_stays_within_its_share_and_differs_from_rpc_to_rpc) {
  NetParams net = Probes::still();
  net.jitter = 0.2;
  Probes all(net);
  const Member a = all.add(Region::us_east);
  const Member b = all.add(Region::europe_west);
  ASSERT_TRUE(all.world.connect(a, b));
  std::set<Nanos> delays;
  for (int i = 0; i < 50; ++i) {
    const MonoTime sent = all.world.time();
    ASSERT_TRUE(all.send(a, b, 100));
    all.run(Seconds(1));
    const Nanos delay = all.probe(b).receipts.back().time - sent;
    EXPECT_GE(delay, Millis(40));
    EXPECT_LE(delay, Millis(48) + transfer(100));
    delays.insert(delay);
  }
  EXPECT_GT(delays.size(), 45U);
  EXPECT_GT(*delays.rbegin() - *delays.begin(), Millis(6)) << "the whole share is used";
}

TEST(GossipWorldLinks, a_long_rpc_is_stored_and_forwarded_by_both_links) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  constexpr std::size_t kSize = 1'000'000;
  ASSERT_TRUE(all.send(a, b, kSize));
  all.run(Seconds(1));
  ASSERT_EQ(all.probe(b).receipts.size(), 1U);
  EXPECT_EQ(since_start(all.probe(b).receipts[0].time), 2 * transfer(kSize) + Millis(6));
}

TEST(GossipWorldLinks, an_uplink_sends_long_rpcs_to_several_peers_one_after_another) {
  Probes all;
  const Member a = all.add();
  std::vector<Member> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(all.add());
  constexpr std::size_t kSize = 100'000;
  for (const Member peer : peers) ASSERT_TRUE(all.world.connect(a, peer));
  for (const Member peer : peers) ASSERT_TRUE(all.send(a, peer, kSize));
  all.run(Seconds(1));
  for (std::size_t i = 0; i < peers.size(); ++i) {
    ASSERT_EQ(all.probe(peers[i]).receipts.size(), 1U);
    EXPECT_EQ(since_start(all.probe(peers[i]).receipts[0].time),
              transfer(kSize) * static_cast<std::int64_t>(i + 1) + Millis(6) + transfer(kSize));
  }
}

TEST(GossipWorldLinks, a_downlink_takes_long_rpcs_of_several_peers_one_after_another) {
  Probes all;
  const Member b = all.add();
  constexpr std::size_t kSize = 100'000;
  for (int i = 0; i < 4; ++i) {
    const Member peer = all.add();
    ASSERT_TRUE(all.world.connect(peer, b));
    ASSERT_TRUE(all.send(peer, b, kSize));
  }
  all.run(Seconds(1));
  ASSERT_EQ(all.probe(b).receipts.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(since_start(all.probe(b).receipts[i].time),
              transfer(kSize) + Millis(6) + transfer(kSize) * static_cast<std::int64_t>(i + 1));
  }
}

TEST(GossipWorldLinks, a_short_rpc_overtakes_those_of_other_connections_and_none_of_its_own) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  const Member c = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  ASSERT_TRUE(all.world.connect(a, c));
  constexpr std::size_t kLong = 200'000;
  ASSERT_TRUE(all.send(a, b, kLong));
  ASSERT_TRUE(all.send(a, b, 100));
  ASSERT_TRUE(all.send(a, c, 100));
  all.run(Seconds(1));
  ASSERT_EQ(all.probe(c).receipts.size(), 1U);
  EXPECT_EQ(since_start(all.probe(c).receipts[0].time), transfer(100) + Millis(6));
  ASSERT_EQ(all.probe(b).receipts.size(), 2U);
  EXPECT_EQ(all.probe(b).receipts[0].size, kLong);
  EXPECT_EQ(all.probe(b).receipts[1].size, 100U);
  EXPECT_GE(all.probe(b).receipts[1].time, all.probe(b).receipts[0].time);
}

TEST(GossipWorldLinks, lost_packets_cost_round_trips_and_change_no_order) {
  NetParams net = Probes::still();
  net.packet_loss = 0.05;
  Probes all(net);
  const Member a = all.add(Region::us_east);
  const Member b = all.add(Region::europe_west);
  ASSERT_TRUE(all.world.connect(a, b));
  std::size_t late = 0;
  constexpr std::size_t kRpcs = 2000;
  for (std::size_t i = 0; i < kRpcs; ++i) {
    const MonoTime sent = all.world.time();
    ASSERT_TRUE(all.send(a, b, 100));
    all.run(Seconds(2));
    const Nanos extra = all.probe(b).receipts.back().time - sent - Millis(40) - transfer(100);
    EXPECT_EQ(extra % Millis(80), Nanos(0)) << "whole round trips";
    if (extra > Nanos(0)) ++late;
  }
  EXPECT_NEAR(static_cast<double>(late) / kRpcs, 0.05, 0.015);
  EXPECT_GE(all.world.counters().packets_lost, late);
  for (std::size_t i = 0; i < 200; ++i) ASSERT_TRUE(all.send(a, b, 100 + i % 20));
  all.run(Seconds(10));
  ASSERT_EQ(all.probe(b).receipts.size(), kRpcs + 200);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(all.probe(b).receipts[kRpcs + i].size, 100 + i % 20);
}

TEST(GossipWorldLinks, a_long_rpc_is_more_likely_to_lose_a_packet) {
  NetParams net = Probes::still();
  net.packet_loss = 0.002;
  Probes all(net);
  const Member a = all.add();
  const Member b = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  std::size_t late = 0;
  constexpr std::size_t kSize = 144'800;  // 100 packets: 18% lose one
  for (std::size_t i = 0; i < 500; ++i) {
    const MonoTime sent = all.world.time();
    ASSERT_TRUE(all.send(a, b, kSize));
    all.run(Seconds(1));
    if (all.probe(b).receipts.back().time - sent > Millis(6) + 2 * transfer(kSize)) ++late;
  }
  EXPECT_NEAR(static_cast<double>(late) / 500, 0.18, 0.06);
}

TEST(GossipWorldLinks, nothing_more_is_pulled_than_the_uplink_takes) {
  Probes all;
  const Member a = all.add();
  const Member b = all.add();
  ASSERT_TRUE(all.world.connect(a, b));
  constexpr std::size_t kSize = 125'000;  // 10 ms of the up-link
  all.world.act(a, [&](Actor& actor) {
    auto& probe = static_cast<Probe&>(actor);
    probe.to_pull.assign(50, frame_of_size(kSize));
    probe.port.ready_to_send(b);
  });
  all.run(Seconds(2));
  const auto& pulled = all.probe(a).pulled;
  ASSERT_EQ(pulled.size(), 50U);
  ASSERT_EQ(all.probe(b).receipts.size(), 50U);
  // A backlog of 256 KiB is two of them and a part of the third.
  for (std::size_t i = 3; i < pulled.size(); ++i)
    EXPECT_GE(since_start(pulled[i]) + Micros(21'000), transfer(kSize) * static_cast<std::int64_t>(i)) << i;
}

TEST(GossipWorldLinks, a_slow_reader_holds_its_senders_back_by_the_window) {
  NetParams net = Probes::still();
  net.window = 100'000;
  net.push_queue = 50'000;
  Probes all(net);
  MemberSpec slow = Probes::spec();
  slow.cpu = CpuParams{.rpc = Millis(100)};
  const Member a = all.add();
  const Member b = all.add(std::move(slow));
  ASSERT_TRUE(all.world.connect(a, b));
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    if (all.send(a, b, 1000)) ++taken;
    all.run(Millis(1));
  }
  EXPECT_LT(taken, 200U) << "the window, what waits to be sent, and ten that were read";
  EXPECT_GT(taken, 140U);
  EXPECT_EQ(all.world.counters().sends_refused, 1000 - taken);
  EXPECT_NEAR(static_cast<double>(all.probe(b).receipts.size()), 10, 1);
  all.run(Seconds(30));
  EXPECT_EQ(all.probe(b).receipts.size(), taken) << "nothing that was taken is lost";
}

TEST(GossipWorldLinks, a_processor_reads_rpcs_one_after_another) {
  Probes all;
  MemberSpec spec = Probes::spec();
  spec.cpu = CpuParams{.rpc = Millis(3), .rpc_per_kib = Millis(1)};
  const Member b = all.add(std::move(spec));
  for (int i = 0; i < 5; ++i) {
    const Member peer = all.add();
    ASSERT_TRUE(all.world.connect(peer, b));
    ASSERT_TRUE(all.send(peer, b, 1024));
  }
  all.run(Seconds(1));
  ASSERT_EQ(all.probe(b).receipts.size(), 5U);
  for (std::size_t i = 1; i < 5; ++i)
    EXPECT_EQ(all.probe(b).receipts[i].time - all.probe(b).receipts[i - 1].time, Millis(4)) << i;
  EXPECT_EQ(all.world.busy_time(b), Millis(20));
}

TEST(GossipWorldLinks, verifiers_share_the_work_and_what_would_come_too_late_is_given_up_at_the_deadline) {
  Probes all;
  MemberSpec spec = Probes::spec();
  spec.cpu = CpuParams{.verifiers = 2};
  const Member a = all.add(std::move(spec));
  all.world.act(a, [](Actor& actor) {
    for (std::uint64_t ticket = 0; ticket < 7; ++ticket)
      static_cast<Probe&>(actor).port.work(Millis(10), Millis(35), ticket);
  });
  all.run(Seconds(1));
  const auto& works = all.probe(a).works;
  ASSERT_EQ(works.size(), 7U);
  for (std::uint64_t ticket = 0; ticket < 6; ++ticket) {
    EXPECT_EQ(works[ticket].ticket, ticket);
    EXPECT_TRUE(works[ticket].done);
    EXPECT_EQ(since_start(works[ticket].time), Millis(10) * static_cast<std::int64_t>(ticket / 2 + 1));
  }
  EXPECT_FALSE(works[6].done);
  EXPECT_EQ(since_start(works[6].time), Millis(35));
  EXPECT_EQ(all.world.counters().works_late, 1U);
}

TEST(GossipWorldEvents, happen_by_time_and_in_the_order_of_pushing) {
  libp2p::SeededRng rng(5);
  EventQueue<int> queue;
  std::vector<std::tuple<std::int64_t, int>> expected;
  std::vector<std::tuple<std::int64_t, int>> came;
  int next = 0;
  std::int64_t now = 0;
  const auto pop = [&] {
    now = queue.next_time().time_since_epoch().count();
    came.emplace_back(now, queue.pop());
  };
  for (int round = 0; round < 5000; ++round) {
    const std::int64_t time = now + static_cast<std::int64_t>(rng.below(20));
    expected.emplace_back(time, next);
    queue.push(MonoTime(Nanos(time)), next++);
    if (rng.below(3) == 0) pop();
  }
  queue.check();
  while (!queue.empty()) pop();
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(came, expected);
}

}  // namespace
}  // namespace opp2p::sim::gossip::test
