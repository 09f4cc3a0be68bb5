#include <gtest/gtest.h>

#include "opstack/sync/engine/sync_scheduler.hpp"
#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_world;

// ---- urgency ----

// So fast that no rate is in the way.
SyncConfig fast() {
  SyncConfig out;
  out.global_per_second = 2000;
  out.global_burst = 4000;
  return out;
}

TEST(SyncScheduler, the_most_urgent_gap_comes_first_and_the_others_are_filled_too) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 5; ++n) world.add_peer(n, Manner::honest);
  std::vector<GapId> gaps;
  gaps.push_back(world.also(400));
  for (std::uint64_t n = 1; n <= 4; ++n) gaps.push_back(world.also(1000 + 10 * n));
  world.run(Seconds(10));
  for (std::size_t i = 1; i < gaps.size(); ++i) {
    EXPECT_GE(world.delivered_of[gaps[i]].size(), 4u) << i;
    EXPECT_GE(world.delivered_of[gaps[0]].size(), 5 * world.delivered_of[gaps[i]].size() / 2) << i;
  }
  EXPECT_GE(world.delivered_of[gaps[0]].size(), 110u);
}

TEST(SyncScheduler, a_gap_that_nobody_has_does_not_starve_another) {
  for (const Manner manner : {Manner::empty_handed, Manner::silent, Manner::junk, Manner::other_chain}) {
    SCOPED_TRACE(static_cast<int>(manner));
    World world(SyncConfig{});
    for (std::uint64_t n = 1; n <= 5; ++n) world.add_peer(n, Manner::honest);
    for (std::uint64_t n = 6; n <= 12; ++n) world.add_peer(n, manner);
    world.fork_point = 100;
    const GapId nobodys = world.also(5000, 9);  // of a chain that no peer holds
    const GapId second = world.also(211);
    world.run(Seconds(60));
    EXPECT_TRUE(world.wanted.contains(nobodys));
    EXPECT_FALSE(world.wanted.contains(second)) << world.delivered_of[second].size() << " of 200";
    EXPECT_TRUE(world.delivered_of[nobodys].empty());
  }
}

TEST(SyncScheduler, fifteen_gaps_that_nobody_has_do_not_starve_the_last) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 10; ++n) world.add_peer(n, Manner::honest);
  for (std::uint64_t n = 1; n <= 15; ++n) world.also(300, 100 + n);
  const GapId last = world.also(111);
  world.run(Seconds(90));
  EXPECT_FALSE(world.wanted.contains(last)) << world.delivered_of[last].size() << " of 100";
  EXPECT_TRUE(world.faults.empty());
}

TEST(SyncScheduler, a_gap_that_nobody_has_leaves_the_most_urgent_its_pace) {
  const auto delivered = [](std::uint64_t others) {
    World world(SyncConfig{});
    for (std::uint64_t n = 1; n <= 10; ++n) world.add_peer(n, Manner::honest);
    const GapId first = world.also(600);
    for (std::uint64_t n = 1; n <= others; ++n) world.also(300, 100 + n);
    world.run(Seconds(20));
    return world.delivered_of[first].size();
  };
  EXPECT_GE(delivered(15), 2 * delivered(0) / 3);
}

// Peers that have proved much and then say nothing are given long deadlines.
TEST(SyncScheduler, gaps_behind_the_first_hold_a_quarter_of_the_requests) {
  World world(fast());
  for (std::uint64_t n = 1; n <= 24; ++n) world.add_peer(n, Manner::honest, Millis(20));
  world.request(400);
  world.run(Seconds(60));
  ASSERT_TRUE(world.filled());
  for (auto& [peer, manner] : world.manners) manner.first = Manner::silent;
  world.set_head(400);
  world.sent_for.clear();
  const GapId first = world.also(2000, 0, false);
  for (std::uint64_t n = 1; n <= 15; ++n) world.also(2000 + n, 0, false);
  world.list();
  world.run(Millis(1500));
  int others = 0;
  for (const auto& [gap, sent] : world.sent_for) others += gap == first ? 0 : sent;
  EXPECT_EQ(others, 8);
  EXPECT_EQ(world.sent_for[first], 16);
}

TEST(SyncScheduler, what_is_asked_ahead_leaves_room_for_what_a_gap_waits_for) {
  SyncConfig config = fast();
  config.max_in_flight = 8;
  World world(config);
  for (std::uint64_t n = 1; n <= 12; ++n) world.add_peer(n, Manner::honest, Millis(20));
  world.request(200);
  world.run(Seconds(60));
  ASSERT_TRUE(world.filled());
  world.set_head(200);
  const GapId nobodys = world.also(400, 9);
  world.run(Seconds(20));
  ASSERT_EQ(world.scheduler.passed_over(nobodys), 12u);
  for (auto& [peer, manner] : world.manners) manner.second = Seconds(60);
  world.also(500);
  world.run(Millis(1));
  EXPECT_EQ(world.scheduler.in_flight(), 7u);
}

TEST(SyncScheduler, a_gap_that_is_paused_goes_on_by_itself) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::empty_handed, Millis(5));
  const GapId first = world.also(40);
  world.add_peer(2, Manner::other_chain, Millis(5));
  const GapId second = world.also(60, 7);
  world.run(Seconds(60));
  EXPECT_FALSE(world.wanted.contains(second));
  world.manners.at(peer_named(1)).first = Manner::honest;
  world.run(Seconds(40));
  EXPECT_FALSE(world.wanted.contains(first));
}

// ---- the list of gaps ----

TEST(SyncScheduler, of_more_gaps_than_it_keeps_the_most_urgent_count_and_each_once) {
  World world(SyncConfig{});
  std::vector<Gap> gaps;
  for (std::uint64_t n = 1; n <= 40; ++n) gaps.push_back(Gap{n / 2, world.ref(100 + n), 11});
  world.scheduler.set_gaps(gaps, world.now);
  world.drain();
  EXPECT_EQ(world.scheduler.gaps(), 16u);
  EXPECT_EQ(world.scheduler.lowest(0), 101u);
  EXPECT_EQ(world.scheduler.lowest(1), 102u) << "the first of an id counts";
  EXPECT_EQ(world.scheduler.lowest(15), 130u);
  EXPECT_FALSE(world.scheduler.lowest(16));
  world.scheduler.set_gaps({gaps[29]}, world.now);
  world.drain();
  EXPECT_EQ(world.scheduler.gaps(), 1u);
  EXPECT_EQ(world.scheduler.lowest(15), 130u) << "it goes on";
  world.scheduler.set_gaps({}, world.now);
  world.drain();
  EXPECT_EQ(world.scheduler.gaps(), 0u);
}

TEST(SyncScheduler, a_gap_can_become_more_or_less_urgent_without_beginning_anew) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 5; ++n) world.add_peer(n, Manner::honest);
  const GapId first = world.also(400);
  const GapId second = world.also(800);
  world.run(Seconds(8));
  const auto before = world.delivered_of[second].size();
  std::swap(world.order[0], world.order[1]);
  world.list();
  world.run(Seconds(8));
  EXPECT_GE(world.delivered_of[second].size() - before, 2 * before);
  EXPECT_FALSE(world.delivered_of[first].empty());
}

TEST(SyncScheduler, a_delivery_that_is_not_polled_yet_goes_with_its_gap) {
  for (const bool listed_elsewhere : {false, true}) {
    libp2p::SeededRng rng(1);
    Now now{MonoTime(Seconds(1)), libp2p::from_unix_seconds(1'700'000'000)};
    SyncScheduler scheduler(SyncConfig{}, rng, now.mono);
    scheduler.on_peer_added(peer_named(1), now);
    scheduler.set_gaps({Gap{1, block_at(20).ref(), 11}}, now);
    RequestId request = 0;
    while (auto action = scheduler.poll_action())
      if (const auto* asked = std::get_if<RequestBlock>(&*action)) request = asked->id;
    scheduler.on_answer(request, Answer(block_at(19)), now);
    EXPECT_GT(scheduler.writing_bytes(), 0u);
    std::vector<Gap> gaps;
    if (listed_elsewhere) gaps.push_back(Gap{1, block_at(15).ref(), 11});
    scheduler.set_gaps(gaps, now);
    while (auto action = scheduler.poll_action()) EXPECT_EQ(std::get_if<DeliverBlock>(&*action), nullptr);
    EXPECT_EQ(scheduler.writing_bytes(), 0u);
    EXPECT_EQ(scheduler.record().delivered, 0u);
    scheduler.check();
  }
}

// ---- bounds ----

TEST(SyncScheduler, a_crowd_that_has_nothing_is_remembered_for_few_numbers_of_a_gap) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 60; ++n) world.add_peer(n, Manner::empty_handed, Millis(5));
  for (std::uint64_t n = 1; n <= 16; ++n) world.also(1000 + n);
  world.run(Seconds(120));  // check() holds the tables against their bounds after every event
  EXPECT_LE(world.asked.size(), 40u + 20 * 120 + 1);
  EXPECT_GE(world.traces[SyncTraceKind::no_peer_has_block], 16);
}

// The numbers that it remembers are far fewer than those that were asked for at once.
TEST(SyncScheduler, a_peer_is_asked_once_for_what_it_has_not_also_beyond_what_is_remembered) {
  SyncConfig config = fast();
  config.max_in_flight = 256;
  config.peer = {1000, 1000, 1};
  World world(config);
  std::map<std::pair<PeerId, std::uint64_t>, int> asked;
  world.on_asked = [&](const PeerId& peer) { ++asked[{peer, world.asked.back()}]; };
  world.add_peer(1, Manner::silent);  // is asked for 499
  for (std::uint64_t n = 2; n <= 60; ++n) world.add_peer(n, Manner::empty_handed, Millis(5));
  world.request(500);
  world.run(Millis(2900));
  EXPECT_GT(asked.size(), 100u);
  for (const auto& [what, times] : asked) EXPECT_EQ(times, 1) << what.second;
  world.run(Seconds(60));
}

// ---- the property ----

// Whatever the other peers do, in whatever order answers and writes complete: what one honest peer has of each branch
// is delivered, from the top down, within the bounds, and nobody honest is blamed.
TEST(SyncScheduler, completes_every_gap_that_one_honest_peer_has) {
  constexpr int kManners = static_cast<int>(Manner::junk) + 1;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    libp2p::SeededRng rng(seed);
    SyncConfig config;
    config.max_bytes = (30 << 10) << rng.below(5);
    config.max_quarantined = 2 + rng.below(50);
    config.window = 1 + rng.below(64);
    config.max_in_flight = 1 + rng.below(16);
    World world(config, seed);
    world.block_size = 100 + rng.below(8000);
    world.fork_point = rng.below(100);
    world.lists_each_block = rng.below(2) == 0;
    world.add_peer(100, Manner::honest, Millis(static_cast<std::int64_t>(1 + rng.below(300))));
    world.add_peer(107, Manner::other_chain, Millis(static_cast<std::int64_t>(1 + rng.below(300))));
    const std::uint64_t others = rng.below(8);
    for (std::uint64_t n = 1; n <= others; ++n) {
      const Millis latency(static_cast<std::int64_t>(1 + rng.below(3000)));
      world.add_peer(n, static_cast<Manner>(rng.below(kManners)), latency);
    }
    const std::uint64_t gaps = 1 + rng.below(4);
    std::map<GapId, std::uint64_t> ends;
    for (std::uint64_t n = 0; n < gaps; ++n) {
      const std::uint64_t end = 12 + rng.below(120);
      ends[world.also(end, rng.below(2) * 7)] = end;
    }
    for (int minute = 0; minute < 60 && !world.filled(); ++minute) {
      if (rng.below(4) == 0 && others > 0) {
        const std::uint64_t who = 1 + rng.below(others);
        if (world.manners.contains(peer_named(who)))
          world.remove_peer(who);
        else
          world.add_peer(who, static_cast<Manner>(rng.below(kManners)), Millis(20));
      }
      world.run(Seconds(30));
      if (testing::Test::HasFatalFailure()) return;
      if (rng.below(4) == 0) rng.shuffle(world.order), world.list();
    }
    world.run(Seconds(30));
    ASSERT_TRUE(world.filled()) << world.wanted.size() << " gaps are left of " << gaps;
    for (const auto& [gap, end] : ends) EXPECT_EQ(world.delivered_of[gap], downwards(end - 1, 11));
    EXPECT_LE(world.most_memory, config.max_bytes + (config.max_in_flight + 1) * (world.block_size + 1000));
    for (const std::uint64_t honest : {100u, 107u}) EXPECT_TRUE(world.faults[peer_named(honest)].empty());
    EXPECT_EQ(world.scheduler.memory_bytes(), 0u);
    EXPECT_EQ(world.scheduler.in_flight(), 0u);
  }
}

}  // namespace
}  // namespace opstack::sync
