#include <gtest/gtest.h>

#include "opstack/sync/engine/sync_scheduler.hpp"
#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_world;

// ---- one gap, from its child to its floor ----

TEST(SyncScheduler, a_head_that_rises_from_below_shortens_the_gap) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Seconds(1));
  world.request(20);
  world.run(Millis(2500));  // 19 and 18 are there
  world.set_head(17);
  world.run(Seconds(5));
  EXPECT_EQ(world.delivered, downwards(19, 18));
  EXPECT_LE(world.asked.size(), 3u);
  EXPECT_EQ(world.scheduler.in_flight(), 0u);
}

TEST(SyncScheduler, a_gap_that_is_not_listed_any_more_takes_its_requests_and_blocks_along) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);
  world.add_peer(2, Manner::honest);
  world.request(20);
  world.run(Millis(900));
  ASSERT_GT(world.scheduler.quarantined(), 3u);
  ASSERT_GT(world.scheduler.in_flight(), 0u);
  world.forget(World::id_of(20, 0));
  EXPECT_EQ(world.scheduler.in_flight(), 0u);
  EXPECT_EQ(world.scheduler.memory_bytes(), 0u);
  EXPECT_GE(world.cancels, 1);
  const auto asked = world.asked.size();
  world.run(Seconds(120));
  EXPECT_EQ(world.asked.size(), asked) << "there is nothing left to ask for";
  EXPECT_TRUE(world.delivered.empty());
}

TEST(SyncScheduler, progress_follows_a_child_that_another_source_has_brought) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);  // is asked for 29
  world.add_peer(2, Manner::honest, Millis(20));
  world.request(30);
  world.run(Millis(900));
  ASSERT_TRUE(world.delivered.empty());
  ASSERT_GT(world.scheduler.quarantined(), 5u);
  const GapId gap = World::id_of(30, 0);
  world.move_child(gap, 27);
  EXPECT_FALSE(world.busy.contains(peer_named(1))) << "what is above the child is not waited for";
  ASSERT_FALSE(world.delivered.empty());
  EXPECT_EQ(world.delivered.front(), 26u) << "what waited below the child is linked";
  world.run(Seconds(20));
  EXPECT_EQ(world.delivered, downwards(26, 11));
}

TEST(SyncScheduler, a_child_that_moves_up_to_another_branch_begins_anew) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(300));
  world.request(30);
  world.run(Seconds(2));
  const GapId gap = World::id_of(30, 0);
  ASSERT_LT(*world.scheduler.lowest(gap), 27u);
  world.wanted.at(gap).fork = 7;
  world.move_child(gap, 40);
  EXPECT_EQ(world.scheduler.lowest(gap), 40u);
  world.delivered.clear();
  world.add_peer(2, Manner::other_chain);
  world.run(Seconds(30));
  EXPECT_EQ(world.delivered, downwards(39, 11));
  EXPECT_TRUE(world.faults.empty());
}

TEST(SyncScheduler, a_child_that_was_delivered_does_not_set_the_gap_back) {
  for (const bool lists : {false, true}) {
    World world(SyncConfig{});
    world.lists_each_block = lists;
    world.add_peer(1, Manner::honest, Millis(20));
    world.request(30);
    world.run(Millis(300));
    const GapId gap = World::id_of(30, 0);
    const std::uint64_t lowest = *world.scheduler.lowest(gap);
    ASSERT_LT(lowest, 28u);
    for (std::uint64_t number = lowest; number <= 29; ++number) {  // the follower's view is that of its store
      world.wanted.at(gap).gap.child = world.ref(number);
      world.list();
      EXPECT_EQ(world.scheduler.lowest(gap), lowest) << number;
    }
    world.run(Seconds(20));
    EXPECT_EQ(world.delivered, downwards(29, 11));
    EXPECT_EQ(world.asked, downwards(29, 11));
  }
}

TEST(SyncScheduler, a_gap_that_begins_anew_further_up_keeps_the_requests_below_its_child_and_those_of_other_gaps) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 8; ++n) world.add_peer(n, Manner::honest, Millis(400));
  world.request(60);
  world.also(14);
  world.run(Seconds(2));
  const GapId upper = World::id_of(60, 0);
  const std::size_t busy = world.busy.size();
  ASSERT_GT(busy, 0u);
  world.wanted.at(upper).fork = 7;
  world.move_child(upper, 70);
  EXPECT_EQ(world.cancels, 0);
  EXPECT_GE(world.busy.size(), busy);
}

TEST(SyncScheduler, what_was_delivered_and_lost_comes_again_under_another_id) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(20));
  world.request(15);
  world.run(Seconds(5));
  ASSERT_TRUE(world.filled());
  world.request(15);
  world.run(Seconds(5));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.delivered.size(), 8u);
}

TEST(SyncScheduler, the_floor_ends_what_is_asked_ahead_and_the_parent_is_asked_for_all_the_same) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 5; ++n) world.add_peer(n, Manner::honest, Millis(20));
  world.asks_below_the_floor = true;
  world.request(15);
  world.wanted.begin()->second.gap.floor = 13;
  world.list();
  EXPECT_EQ(world.asked, downwards(14, 11));
  EXPECT_EQ(world.scheduler.in_flight(), 2u) << "what is below the floor is given up";
  world.run(Millis(500));
  ASSERT_EQ(world.delivered, downwards(14, 13));
  EXPECT_EQ(world.scheduler.in_flight(), 0u) << "the gap may be closed";
  world.run(Millis(800));
  EXPECT_GE(world.asked.size(), 5u) << "it is not: the branch forks further down";
  world.run(Millis(500));
  EXPECT_LE(world.delivered.back(), 9u) << "which is waited for once";
}

TEST(SyncScheduler, a_gap_that_is_listed_anew_at_its_floor_is_filled_further_at_once) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(10));
  world.asks_below_the_floor = true;
  world.lists_each_block = true;
  world.request(15);
  world.wanted.begin()->second.gap.floor = 13;
  world.list();
  world.run(Millis(900));
  EXPECT_LE(world.delivered.back(), 6u);
}

TEST(SyncScheduler, asks_no_further_down_than_the_window) {
  SyncConfig config;
  config.window = 5;
  World world(config);
  for (std::uint64_t n = 1; n <= 8; ++n) world.add_peer(n, Manner::honest, Seconds(1));
  world.request(100);
  EXPECT_EQ(world.asked, downwards(99, 95));
}

// ---- evidence ----

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
  world.request(16);  // as after a store that lost it: it is fetched again
  world.run(Seconds(10));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.traces[SyncTraceKind::broken_rule], 1);
}

TEST(SyncScheduler, a_linked_block_of_a_wrong_time_is_told_not_delivered_and_asked_for_no_more) {
  World world(SyncConfig{});
  world.wrong_time.insert(12);
  for (std::uint64_t n = 1; n <= 3; ++n) world.add_peer(n, Manner::honest);
  world.request(15);
  const GapId gap = World::id_of(15, 0);
  world.run(Seconds(10));
  EXPECT_EQ(world.delivered, downwards(14, 13));
  EXPECT_EQ(world.traces[SyncTraceKind::wrong_time], 1);
  EXPECT_EQ(world.last_trace[SyncTraceKind::wrong_time].number, 12u);
  EXPECT_EQ(world.last_trace[SyncTraceKind::wrong_time].gap, gap);
  EXPECT_TRUE(world.faults.empty());
  EXPECT_TRUE(world.other_branches.empty());
  EXPECT_TRUE(world.scheduler.is_unfillable(gap));
  EXPECT_EQ(world.scheduler.quarantined() + world.scheduler.in_flight(), 0u);
  const auto asked = world.asked.size();
  world.list();
  world.forget(gap);
  world.request(15);  // it begins with 14 again, and ends at the same block
  world.run(Seconds(600));
  EXPECT_LE(world.asked.size(), asked + 4) << "14, 13, and what was asked ahead of them";
  EXPECT_EQ(world.traces[SyncTraceKind::wrong_time], 1);
  world.move_child(gap, 12);
  world.run(Seconds(10));
  EXPECT_TRUE(world.filled()) << "another child is another gap";
}

// ---- memory, and the store's pace ----

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
  EXPECT_EQ(world.delivered, downwards(1499, 11));
  EXPECT_LE(world.most_memory, config.max_bytes + 8 * 21000);
  EXPECT_EQ(world.scheduler.memory_bytes(), 0u);
}

TEST(SyncScheduler, a_slow_store_holds_back_requests_and_not_memory) {
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

TEST(SyncScheduler, while_half_of_its_memory_waits_for_the_store_nothing_is_asked_for) {
  SyncConfig config;
  config.max_bytes = 400 << 10;
  World world(config);
  world.block_size = 20000;
  world.writes = false;
  for (std::uint64_t n = 1; n <= 4; ++n) world.add_peer(n, Manner::honest, Millis(5));
  world.request(60);
  world.run(Seconds(60));
  EXPECT_GE(world.scheduler.writing_bytes(), config.max_bytes / 2);
  EXPECT_LE(world.most_memory, config.max_bytes / 2 + 8 * 21'000) << "half, and what was asked for by then";
  EXPECT_EQ(world.scheduler.writing_bytes(), world.unwritten);
  EXPECT_EQ(world.scheduler.in_flight(), 0u);
  const auto asked = world.asked.size();
  world.run(Seconds(60));
  EXPECT_EQ(world.asked.size(), asked);
  world.writes = true;
  world.scheduler.on_written(world.unwritten, world.now);
  world.drain();
  world.run(Seconds(60));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.scheduler.writing_bytes(), 0u);
}

// The lower half waits for the upper one, which a newcomer brings from the top while the store takes nothing.
TEST(SyncScheduler, a_slow_store_and_a_full_quarantine_together_stay_within_the_bound) {
  SyncConfig config;
  config.max_bytes = 400'000;
  World world(config, 1, 3);
  world.block_size = 39'000;
  for (std::uint64_t name = 1; name <= 5; ++name) world.add_peer(name, Manner::behind);
  world.highest = 40;  // the five have what is not above 20
  world.request(11);
  world.run(Seconds(60));
  ASSERT_TRUE(world.filled());  // and are proven
  world.set_head(10);
  world.delivered.clear();
  world.disk_latency = Seconds(3600);
  world.request(26);
  world.run(Seconds(600));
  ASSERT_GE(world.scheduler.quarantined(), 3u);
  world.add_peer(6, Manner::honest);
  world.run(Seconds(60));
  EXPECT_LE(world.most_memory, config.max_bytes + block_at(1, world.block_size).memory_bytes());
  EXPECT_FALSE(world.delivered.empty());
  world.disk_latency = Millis(3);
  world.run(Seconds(2 * 3600));
  EXPECT_EQ(world.delivered, downwards(25, 11));
}

TEST(SyncScheduler, a_full_quarantine_is_kept_while_the_store_will_make_room) {
  SyncConfig config;
  config.max_bytes = 400'000;
  World world(config, 1, 3);
  world.block_size = 39'000;
  for (std::uint64_t name = 1; name <= 5; ++name) world.add_peer(name, Manner::behind);
  world.highest = 40;  // the five have what is not above 20
  world.request(11);
  world.run(Seconds(60));
  ASSERT_TRUE(world.filled());
  world.set_head(10);
  world.delivered.clear();
  world.disk_latency = Seconds(3600);
  world.add_peer(6, Manner::honest, Millis(2000));  // alone has 25, and brings it when all that is below has come
  world.request(26);
  while (world.delivered.empty()) world.run(Millis(100));
  ASSERT_GE(world.scheduler.quarantined(), 5u);
  const auto waiting = world.scheduler.quarantined();
  world.run(Seconds(60));
  EXPECT_EQ(world.scheduler.quarantined(), waiting);
  EXPECT_LE(world.most_memory, config.max_bytes);
  world.disk_latency = Millis(3);
  world.run(Seconds(2 * 3600));
  EXPECT_EQ(world.delivered, downwards(25, 11));
}

// ---- who leaves, who has nothing ----

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
  world.run(Seconds(1));
  EXPECT_TRUE(world.filled()) << "a newcomer is asked at once, whatever pauses";
}

TEST(SyncScheduler, while_nobody_has_the_block_that_is_due_nothing_is_asked_ahead_of_it) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 12; ++n) world.add_peer(n, Manner::empty_handed, Millis(5));
  world.request(500);
  world.run(Seconds(10));
  const auto asked = world.asked.size();
  const auto dues = std::count(world.asked.begin(), world.asked.end(), 499u);
  world.run(Seconds(600));
  EXPECT_EQ(world.asked.size() - asked, std::count(world.asked.begin(), world.asked.end(), 499u) - dues);
}

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
  EXPECT_EQ(world.delivered, downwards(19, 11));
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
