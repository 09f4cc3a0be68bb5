#include <gtest/gtest.h>

#include "opstack/sync/engine/sync_scheduler.hpp"
#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_world;

// ---- the chain below ----

TEST(SyncScheduler, a_chain_that_does_not_reach_our_head_is_reported_and_not_fetched_again_at_once) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest);
  world.set_head(block_at(10, 400, 3).ref());  // our head is of another fork
  world.request(13);
  world.run(Seconds(10));
  EXPECT_EQ(world.traces[SyncTraceKind::range_diverged], 1);
  EXPECT_TRUE(world.delivered.empty());
  EXPECT_TRUE(world.staged.empty());
  const auto asked = world.asked.size();
  world.request(13);
  world.run(Seconds(10));
  EXPECT_EQ(world.asked.size(), asked);
}

TEST(SyncScheduler, a_head_that_rises_from_below_shortens_the_gap) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Seconds(1));
  world.request(20);
  world.run(Millis(2500));  // 19 and 18 are there
  world.set_head(block_at(17).ref());
  world.run(Seconds(5));
  EXPECT_EQ(world.delivered, numbers(18, 19));
  EXPECT_LE(world.asked.size(), 3u);
}

TEST(SyncScheduler, a_head_that_reaches_the_end_of_a_range_by_itself_ends_it) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);
  world.request(20);
  world.scheduler.on_head(block_at(20).ref(), world.now);
  world.drain();
  EXPECT_EQ(world.traces[SyncTraceKind::range_filled], 1);
  const auto asked = world.asked.size();
  world.run(Seconds(120));
  EXPECT_EQ(world.asked.size(), asked) << "there is nothing left to ask for";
}

TEST(SyncScheduler, a_range_that_is_interrupted_by_a_lower_one_is_taken_up_where_it_was) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(200));
  world.request(60);
  world.run(Seconds(3));
  const auto before = world.scheduler.progress()->lowest;
  ASSERT_LT(before, 58u);
  world.request(30);
  world.run(Seconds(20));
  ASSERT_EQ(world.head().number, 29u);
  world.set_head(block_at(30).ref());  // the queued block that was the end
  const auto asked_before = world.asked.size();
  world.request(60);
  world.run(Seconds(30));
  EXPECT_EQ(world.head().number, 59u);
  EXPECT_LE(world.asked.size() - asked_before, before - 31);  // what was staged is not fetched again
}

// ---- the disk ----

// A late block of gossip is enough for a lower end, while what was fetched for the higher one still waits for its
// child.
TEST(SyncScheduler, blocks_that_wait_for_one_range_fill_a_lower_one) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);  // is asked for 14
  world.add_peer(2, Manner::honest);
  world.request(15);
  world.run(Millis(950));  // before a second peer is asked for 14
  ASSERT_EQ(world.scheduler.quarantined(), 3u);
  const auto asked = world.asked.size();
  world.request(14);
  world.run(Seconds(5));
  EXPECT_EQ(world.delivered, numbers(11, 13));
  EXPECT_EQ(world.asked.size(), asked);
}

TEST(SyncScheduler, foreign_blocks_that_wait_for_one_range_do_not_keep_a_lower_one_from_being_asked_for) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);
  world.add_peer(2, Manner::other_chain);
  world.request(15);
  world.run(Seconds(5));
  ASSERT_EQ(world.scheduler.quarantined(), 3u);
  world.add_peer(3, Manner::honest);
  world.request(14);
  world.run(Seconds(60));
  EXPECT_EQ(world.delivered, numbers(11, 13));
}

TEST(SyncScheduler, a_gap_larger_than_the_staging_table_fills_in_turns) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 5; ++n) world.add_peer(n, Manner::honest);
  world.stage_room = 30;
  for (int check = 0; check < 60 && !world.filled(); ++check) {
    world.request(110);
    world.run(Seconds(4));  // as a follower looks for gaps
  }
  EXPECT_TRUE(world.filled()) << world.head().number;
  EXPECT_EQ(world.delivered, numbers(11, 109));
  EXPECT_EQ(world.traces[SyncTraceKind::range_abandoned], 3) << "99 blocks in turns of 30";
}

TEST(SyncScheduler, a_block_that_breaks_a_rule_which_its_hash_covers_is_kept_reported_once_and_nobodys_fault) {
  World world(SyncConfig{});
  world.broken.insert(12);
  for (std::uint64_t n = 1; n <= 3; ++n) world.add_peer(n, Manner::honest);
  world.request(15);
  world.run(Seconds(10));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.traces[SyncTraceKind::broken_rule], 1);
  EXPECT_EQ(world.last_trace[SyncTraceKind::broken_rule].number, 12u);
  EXPECT_TRUE(world.faults.empty());
  world.set_head(block_at(10).ref());  // as after a store that lost it: it is fetched again
  world.delivered.clear();
  world.request(16);
  world.run(Seconds(10));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.traces[SyncTraceKind::broken_rule], 1);
}

TEST(SyncScheduler, a_gap_far_larger_than_memory_fills_in_bounded_memory) {
  SyncConfig config;
  config.max_bytes = 1 << 20;
  config.peer = {1000, 1000, 1};
  config.global_per_second = 10000;
  config.global_burst = 10000;
  World world(config);
  world.block_size = 20000;
  for (std::uint64_t n = 1; n <= 8; ++n) world.add_peer(n, Manner::honest, Millis(5));
  world.request(1500);  // 30 MB
  world.run(Seconds(200));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.delivered, numbers(11, 1499));
  EXPECT_LE(world.most_memory, config.max_bytes + 8 * 21000);
  EXPECT_EQ(world.out_of_order, 0);
}

TEST(SyncScheduler, a_slow_disk_holds_back_requests_and_not_memory) {
  SyncConfig config;
  config.max_bytes = 200 << 10;
  config.peer = {1000, 1000, 1};
  World world(config);
  world.block_size = 20000;
  world.disk_latency = Seconds(2);
  for (std::uint64_t n = 1; n <= 4; ++n) world.add_peer(n, Manner::honest, Millis(5));
  world.request(60);
  world.run(Seconds(300));
  EXPECT_TRUE(world.filled());
  EXPECT_LE(world.most_memory, config.max_bytes + 4 * 21000);
}

// The lower half waits for the upper one, which a newcomer brings from the top while the disk takes nothing.
TEST(SyncScheduler, a_slow_disk_and_a_full_quarantine_together_stay_within_the_bound) {
  SyncConfig config;
  config.max_bytes = 400'000;
  World world(config, 1, 3);
  world.block_size = 39'000;
  for (std::uint64_t name = 1; name <= 5; ++name) world.add_peer(name, Manner::behind);
  world.request(11);
  world.wanted = 40;  // the five have what is not above 20
  world.run(Seconds(60));
  ASSERT_EQ(world.head().number, 10u);  // and are proven
  world.disk_latency = Seconds(3600);
  world.request(26);
  world.wanted = 40;
  world.run(Seconds(600));
  ASSERT_GE(world.scheduler.quarantined(), 5u);
  world.add_peer(6, Manner::honest);
  world.run(Seconds(60));
  EXPECT_LE(world.most_memory, config.max_bytes + block_at(1, world.block_size).memory_bytes());
  EXPECT_GT(world.traces[SyncTraceKind::promoted], 0);
  world.disk_latency = Millis(3);
  world.run(Seconds(2 * 3600));
  EXPECT_EQ(world.delivered, numbers(4, 25));
}

TEST(SyncScheduler, an_error_of_the_disk_abandons_the_range_until_the_next_gap_check) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest);
  world.stage_failures = 1;
  world.request(15);
  world.run(Seconds(5));
  EXPECT_EQ(world.traces[SyncTraceKind::range_abandoned], 1);
  EXPECT_TRUE(world.delivered.empty());
  EXPECT_TRUE(world.faults.empty());
  world.request(15);
  world.run(Seconds(6));
  EXPECT_TRUE(world.delivered.empty());  // still cooling
  world.request(15);
  world.read_failures = 1;
  world.run(Seconds(15));
  EXPECT_EQ(world.traces[SyncTraceKind::range_abandoned], 2);
  world.request(15);
  world.run(Seconds(5));
  EXPECT_TRUE(world.filled());
}

TEST(SyncScheduler, delivery_that_does_not_move_the_head_is_given_up) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest);
  world.follower_works = false;
  world.request(15);
  world.run(Seconds(60));
  EXPECT_EQ(world.traces[SyncTraceKind::range_abandoned], 1);
  EXPECT_TRUE(world.staged.empty());
  EXPECT_FALSE(world.scheduler.next_deadline());
}

TEST(SyncScheduler, reads_on_as_soon_as_half_of_what_it_reads_at_once_is_stored) {
  SyncConfig config;
  config.read_blocks = 4;
  World world(config);
  world.add_peer(1, Manner::honest);
  world.follower_works = false;
  world.request(25);
  for (int i = 0; i < 600 && world.delivered.empty(); ++i) world.run(Millis(100));
  world.set_head(block_at(11).ref());
  world.run(Millis(100));
  EXPECT_EQ(world.delivered, numbers(11, 14));
  world.set_head(block_at(12).ref());
  world.run(Millis(100));
  EXPECT_EQ(world.delivered, numbers(11, 18));
}

TEST(SyncScheduler, a_peer_that_leaves_takes_its_request_along_and_another_gets_it) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);
  world.request(15);
  EXPECT_EQ(world.scheduler.in_flight(), 1u);
  world.remove_peer(1);
  EXPECT_EQ(world.scheduler.in_flight(), 0u);
  world.add_peer(2, Manner::honest);
  world.run(Seconds(5));
  EXPECT_TRUE(world.filled());
}

TEST(SyncScheduler, when_nobody_has_a_block_it_says_so_and_asks_again_ever_more_seldom) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::empty_handed, Millis(5));
  world.add_peer(2, Manner::empty_handed, Millis(5));
  world.request(12);
  world.run(Seconds(120));
  EXPECT_GE(world.traces[SyncTraceKind::no_peer_has_block], 5);
  EXPECT_LE(world.asked.size(), 60u);
  world.add_peer(3, Manner::honest);
  world.run(Seconds(17));
  EXPECT_TRUE(world.filled());
}

// ---- the property ----

// Whatever the other peers do, in whatever order answers and writes complete: as long as one honest peer has the
// blocks, the chain is completed, in order, within the bounds, and nobody honest is blamed.
// A liar's pause grows to two minutes; those who had not the block yet are asked again long before that.
TEST(SyncScheduler, a_paused_liar_does_not_keep_an_honest_peer_from_being_asked_again) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::empty_handed);
  world.add_peer(2, Manner::bad_hash);
  world.request(20);
  world.run(Seconds(600));
  ASSERT_TRUE(world.delivered.empty());
  world.manners.at(peer_named(1)).first = Manner::honest;
  world.run(Seconds(60));
  EXPECT_EQ(world.delivered, numbers(11, 19));
}

TEST(SyncScheduler, completes_every_chain_that_one_honest_peer_has) {
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
    const std::uint64_t others = rng.below(8);
    world.add_peer(100, Manner::honest, Millis(static_cast<std::int64_t>(1 + rng.below(300))));
    for (std::uint64_t n = 1; n <= others; ++n)
      world.add_peer(n, static_cast<Manner>(rng.below(11)), Millis(static_cast<std::int64_t>(1 + rng.below(3000))));
    const std::uint64_t end = 12 + rng.below(150);
    if (rng.below(3) == 0) world.stage_failures = 1;
    if (rng.below(4) == 0) world.read_failures = 1;
    world.request(end);
    for (int minute = 0; minute < 40 && !world.filled(); ++minute) {
      if (rng.below(4) == 0 && others > 0) {
        const std::uint64_t who = 1 + rng.below(others);
        if (world.manners.contains(peer_named(who)))
          world.remove_peer(who);
        else
          world.add_peer(who, static_cast<Manner>(rng.below(11)), Millis(20));
      }
      world.run(Seconds(30));
      if (testing::Test::HasFatalFailure()) return;
      world.request(end);  // as the gap ticker does
    }
    ASSERT_TRUE(world.filled()) << "head " << world.head().number << " of " << end;
    EXPECT_EQ(world.delivered, numbers(11, end - 1));
    EXPECT_LE(world.most_memory, config.max_bytes + (config.max_in_flight + 1) * (world.block_size + 1000));
    EXPECT_TRUE(world.faults[peer_named(100)].empty());
    for (const auto& [peer, faults] : world.faults) {
      (void)peer;
      for (const auto& fault : faults) EXPECT_NE(fault.evidence, "");
    }
    EXPECT_EQ(world.scheduler.memory_bytes(), 0u);
    EXPECT_TRUE(world.staged.empty());
  }
}

TEST(SyncScheduler, the_same_seed_gives_the_same_run) {
  const auto run = [](std::uint64_t seed) {
    World world(SyncConfig{}, seed);
    for (std::uint64_t n = 1; n <= 6; ++n) world.add_peer(n, static_cast<Manner>(n % 5), Millis(30));
    world.request(80);
    world.run(Seconds(120));
    return std::pair(world.asked, world.steps);
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

}  // namespace
}  // namespace opstack::sync
