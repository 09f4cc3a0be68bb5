// The unsafe chain over the store in memory: what the budget and the ages of the store take away from it, how holes are
// filled then, and what is settled. Failing disks, blocks of wrong numbers and denials:
// chain_over_store_faults_test.cpp.
#include "opp2p/store/chain_over_store_test.hpp"

#include <gtest/gtest.h>

namespace opp2p::testing_over_store {
namespace {

// A source that has each block of branch 0 delivers what is asked for first, at most so many times; answers how many
// blocks were taken.
std::size_t fill(ChainOverStore& world, int times, std::size_t size = 100) {
  std::size_t taken = 0;
  for (int i = 0; i < times; ++i) {
    const auto gaps = world.gaps();
    if (gaps.empty()) break;
    if (world.fetched(block(gaps[0].child.number - 1, 0, 0, size)).arrival == Arrival::kept) ++taken;
  }
  return taken;
}

TEST(ChainOverStore, what_is_settled_stays_below_recent_forks_over_a_restart) {
  ChainOverStore world;
  world.signed_run(1, 40, 0);
  world.signed_branch(30, 60, 1);
  EXPECT_EQ(world.settled(), 29u);
  world.restart();
  EXPECT_EQ(world.settled(), 29u);
  world.wait(Seconds(600));
  EXPECT_EQ(world.settled(), 44u);
}

TEST(ChainOverStore, blocks_that_wait_bound_nothing_after_a_restart) {
  ChainOverStore world;
  world.signed_run(1, 40, 0);
  world.signed_block(10, 3, 3);
  world.restart();
  EXPECT_EQ(world.settled(), 24u);
}

TEST(ChainOverStore, a_block_that_is_refused_below_a_head_in_memory_takes_the_head_back_and_tells_of_no_hole) {
  ChainOverStore world(24'000);
  world.signed_run(1, 5, 0);
  world.signed_run(7, 9, 0);
  ASSERT_EQ(world.fetched(block(6, 0, 0, 20'000)).arrival, Arrival::kept);
  EXPECT_EQ(world.head(), 5u);
  EXPECT_EQ(world.chain().head()->number, 5u);
  world.wait(Seconds(2));
  EXPECT_TRUE(world.holes.empty());
  EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
}

TEST(ChainOverStore, a_fork_that_a_filled_hole_finds_is_told_and_bounds_what_is_settled) {
  ChainOverStore world;
  world.signed_run(1, 40, 0);
  world.signed_run(45, 100, 1);  // its branch parts after 20
  world.wait(Seconds(10));
  ASSERT_EQ(world.head(), 100u);
  for (std::uint64_t n = 44; n > 20; --n) world.fetched(block(n, 1, n == 21 ? 0 : 1));
  EXPECT_EQ(world.chain().holes(), 0u);
  EXPECT_EQ(world.settled(), 20u);
  ASSERT_FALSE(world.moves.empty());
  EXPECT_EQ(world.moves.back().moved.fork, 20u);
}

TEST(ChainOverStore, the_lowest_block_of_the_head_s_segment_follows_pruning) {
  ChainOverStore world(40'000);
  world.signed_run(1, 200, 0);
  EXPECT_GT(world.store().summary().value().pruned, 10u);
  EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
}

// 1 to 20, a hole, 30 to 35, a hole, 45 upwards; blocks are added above until the disk has so many segments.
void two_holes_and_pruning(ChainOverStore& world, std::size_t segments) {
  world.signed_run(1, 20, 0);
  world.signed_run(30, 35, 0);
  world.wait(Seconds(10));
  world.signed_run(45, 50, 0);
  world.wait(Seconds(10));
  ASSERT_EQ(world.chain().holes(), 2u);
  for (std::uint64_t n = 51; world.store().summary().value().segments.size() > segments; ++n) {
    ASSERT_LT(n, 1000u);
    world.signed_block(n, 0, 0);
  }
  EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
}

TEST(ChainOverStore, the_hole_below_a_segment_goes_with_the_segment_when_the_budget_takes_it) {
  ChainOverStore world(60'000);
  two_holes_and_pruning(world, 1);
  EXPECT_EQ(world.chain().holes(), 0u);
  world.sources(true);
  EXPECT_EQ(fill(world, 200), 0u);
  EXPECT_EQ(world.defect(), "");
}

TEST(ChainOverStore, a_hole_above_a_segment_that_the_budget_took_a_part_of_is_filled_or_given_up) {
  ChainOverStore world(60'000);
  two_holes_and_pruning(world, 2);
  world.sources(true);
  std::size_t taken = 0;
  for (int i = 0; i < 200; ++i) {
    taken += fill(world, 1);
    world.wait(Seconds(5));
  }
  EXPECT_LE(taken, 15u) << "nine are missing";
  EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
  EXPECT_EQ(world.defect(), "");
}

TEST(ChainOverStore, a_segment_that_lies_lower_than_all_that_is_left_is_the_lowest_and_has_no_hole_below_it) {
  ChainOverStore world(60'000);
  world.signed_run(1, 200, 0);
  ASSERT_GT(world.chain().segment().lowest.number, 130u);
  world.rotate(2);
  for (std::uint64_t n = 120; n <= 125; ++n) world.signed_by(2, block(n, 1, 1));
  world.wait(Seconds(10));
  ASSERT_EQ(world.head(), 125u);
  EXPECT_EQ(world.chain().holes(), 0u);
  world.sources(true);
  EXPECT_TRUE(world.gaps().empty());
  EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
  world.restart();
  EXPECT_EQ(world.chain().holes(), 0u);
}

TEST(ChainOverStore, a_block_that_the_budget_took_is_stored_when_it_is_published_again) {
  ChainOverStore world(40'000);
  world.signed_run(1, 50, 0);
  world.signed_block(40, 3, 0);
  for (std::uint64_t n = 41; n < 50; ++n) {
    world.signed_block(n, 4, 4);
    world.signed_block(n, 5, 5);
  }
  ASSERT_FALSE(world.store().by_hash(hash_of(40, 3)).value());
  world.advance(Seconds(1));  // it is the youngest orphan then
  EXPECT_TRUE(world.signed_by(1, block(40, 3, 0), true).write) << "it is acknowledged when it is stored";
  EXPECT_TRUE(world.store().by_hash(hash_of(40, 3)).value());
}

TEST(ChainOverStore, a_block_that_the_budget_refused_and_that_is_kept_when_it_comes_again_stays_known) {
  ChainOverStore world(49'000);
  world.signed_block(40, 0, 0);
  world.wait(Seconds(60));
  for (std::uint64_t n = 14; n < 39; ++n) world.signed_block(n, 2, 3);  // they fill the quarter of those that wait
  world.signed_block(9, 0, 0);
  ASSERT_FALSE(world.lost.empty());
  ASSERT_FALSE(world.store().by_hash(hash_of(9, 0)).value());
  world.wait(Seconds(60));
  world.signed_block(9, 0, 0);
  ASSERT_TRUE(world.store().by_hash(hash_of(9, 0)).value());
  EXPECT_TRUE(world.chain().tree().find(hash_of(9, 0)));
}

TEST(ChainOverStore, a_fetched_block_that_the_store_refuses_is_not_asked_for_without_a_rest) {
  ChainOverStore world(24'000);  // a quarter of it holds no block of 20 kB
  world.sources(true);
  world.signed_run(1, 5, 0);
  world.signed_run(20, 22, 0);
  EXPECT_LE(fill(world, 100, 20'000), 3u);
}

// The blocks above a gap have room for about ten. Each that comes or is fetched would displace another.
TEST(ChainOverStore, a_small_store_does_not_begin_the_patience_anew_with_each_block_and_does_not_fetch_in_vain) {
  ChainOverStore world(60'000);
  world.sources(true);
  world.signed_run(1, 20, 0);
  std::size_t taken = 0;
  std::uint64_t n = 60;
  while (world.head() == 20 && n < 200) {
    world.signed_block(n++, 0, 0);
    for (int i = 0; i < 4; ++i) taken += fill(world, 2);
    world.wait(Seconds(2));
  }
  EXPECT_EQ(n, 120u) << "60 blocks, one each two seconds, are two minutes";
  EXPECT_EQ(world.head(), n - 1);
  EXPECT_LE(taken, 20u);
  EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
  EXPECT_GT(fill(world, 30), 20u) << "below the head there is room";
  EXPECT_EQ(world.defect(), "");
}

// A hundred fetched blocks are refused one after the other, and each has its rest.
TEST(ChainOverStore, however_many_blocks_rest_the_last_one_does) {
  ChainOverStore world(24'000);
  world.sources(true);
  world.signed_run(1, 5, 0);
  std::size_t taken = 0;
  for (unsigned branch = 1; branch <= 100; ++branch) {
    world.advance(Millis(100));
    world.signed_block(100 + 2 * branch, branch, branch);
    world.wait(Millis(1));
    ASSERT_FALSE(world.gaps().empty());
    for (int i = 0; i < 3 && !world.gaps().empty(); ++i) {
      const auto gap = world.gaps()[0];
      if (world.fetched(block(gap.child.number - 1, branch, branch, 20'000)).arrival == Arrival::kept) ++taken;
    }
  }
  EXPECT_EQ(taken, 100u);
}

// What is fetched for a tip goes before it.
TEST(ChainOverStore, a_branch_that_is_fetched_downwards_loses_its_lowest_blocks_first) {
  ChainOverStore world(60'000);
  world.sources(true);
  world.signed_run(1, 20, 0);
  world.advance(Seconds(1));
  world.signed_block(100, 0, 0);
  world.wait(Seconds(1));
  fill(world, 40);
  ASSERT_FALSE(world.lost.empty()) << "there is no room for forty";
  EXPECT_TRUE(world.store().by_hash(hash_of(100, 0)).value());
  for (std::uint64_t n = 101; n < 115; ++n) {
    world.advance(Seconds(2));
    world.signed_block(n, 0, 0);
  }
  world.wait(Seconds(120));
  EXPECT_EQ(world.head(), 114u);
}

TEST(ChainOverStore, a_hole_that_is_filled_a_day_later_is_filled_through_blocks_that_were_to_go_for_their_age) {
  ChainOverStore world;
  world.signed_run(1, 10, 0);
  world.signed_run(100, 105, 0);
  world.signed_run(107, 110, 0);  // 106 was lost
  world.wait(Seconds(10));
  ASSERT_EQ(world.head(), 110u);
  world.advance(std::chrono::hours(25));
  world.signed_block(111, 0, 0);
  world.sources(true);
  fill(world, 300);
  world.wait(Seconds(3600));
  EXPECT_EQ(world.segments_on_disk(), "0-111");
  EXPECT_EQ(world.segments_in_memory(), "0-111");
}

TEST(ChainOverStore, a_fifth_hole_is_filled_though_the_four_above_it_cannot_be) {
  ChainOverStore world;
  world.signed_run(1, 5, 0);
  for (std::uint64_t at = 10; at <= 60; at += 10) {
    world.signed_run(at, at + 2, 0);
    world.wait(Seconds(10));
  }
  ASSERT_EQ(world.chain().holes(), 6u);
  world.sources(true);
  for (int i = 0; i < 100; ++i) {
    for (const auto& gap : world.gaps())
      if (gap.child.number <= 21) world.fetched(block(gap.child.number - 1, 0, 0));
    world.wait(Seconds(60));
  }
  EXPECT_EQ(world.segments_on_disk(), "0-22 30-32 40-42 50-52 60-62");
}

TEST(ChainOverStore, an_orphan_that_is_vouched_for_is_not_answered_with_success) {
  ChainOverStore world;
  world.signed_run(1, 10, 0);
  world.signed_block(5, 3, 0);
  world.advance(Seconds(100));
  EXPECT_EQ(world.vouched(block(5, 3, 0)).arrival, Arrival::not_wanted);
  EXPECT_EQ(world.vouched(block(5, 0, 0)).arrival, Arrival::known) << "this one is canonical";
}

TEST(ChainOverStore, a_sequencer_that_restarts_1100_blocks_lower_can_publish) {
  ChainOverStore world;
  world.signed_run(1, 1200, 0);
  EXPECT_EQ(world.signed_block(100, 2, 0).arrival, Arrival::evidence) << "of gossip it does not count";
  const auto own = world.signed_by(1, block(101, 1, 0), true);
  EXPECT_EQ(own.arrival, Arrival::kept);
  EXPECT_TRUE(world.store().by_hash(hash_of(101, 1)).value());
  EXPECT_EQ(world.head_hash(), hash_of(1200, 0));
}

TEST(ChainOverStore, genesis_is_stored_also_when_its_first_write_fails) {
  ChainOverStore world(0, {}, 1);
  world.signed_run(50, 52, 0);
  world.wait(Seconds(20));
  EXPECT_EQ(world.head(), 52u);
  EXPECT_EQ(world.segments_on_disk(), "0-0 50-52");
  world.restart();
  EXPECT_EQ(world.chain().holes(), 1u) << "the hole is remembered";
}

}  // namespace
}  // namespace opp2p::testing_over_store
