// UnsafeChain: missing blocks. What is asked for, how long a tip waits, and what becomes of a hole.
#include <gtest/gtest.h>

#include "opstack/sync/engine/chain_world_test.hpp"

namespace opstack::sync {
namespace {

using libp2p::Seconds;
using testing_chain::block;
using testing_chain::ChainWorld;

// The gaps as "id-less" pairs: the child's number and the floor.
std::vector<std::pair<std::uint64_t, std::uint64_t>> wanted(const ChainWorld& world) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (const auto& gap : world.gaps()) out.emplace_back(gap.child.number, gap.floor);
  return out;
}
using Wanted = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

TEST(UnsafeChainHoles, a_near_gap_is_left_to_gossip_for_a_second_and_a_wide_one_is_asked_for_at_once) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.signed_block(5, 0, 0);
  EXPECT_EQ(wanted(world), Wanted{});
  world.wait(Seconds(1));
  EXPECT_EQ(wanted(world), (Wanted{{5, 4}}));
  ChainWorld wide;
  wide.signed_run(1, 3, 0);
  wide.signed_block(30, 0, 0);
  EXPECT_EQ(wanted(wide), (Wanted{{30, 4}}));
}

TEST(UnsafeChainHoles, a_gap_that_is_filled_downwards_is_joined_and_its_tip_is_the_head) {
  ChainWorld world;
  world.sources(true);
  world.signed_run(1, 3, 0);
  world.signed_run(20, 22, 0);
  for (std::uint64_t n = 19; n >= 5; --n) {
    EXPECT_EQ(world.fetched(block(n, 0, 0)).arrival, Arrival::kept);
    EXPECT_EQ(wanted(world), (Wanted{{n, 4}}));
    EXPECT_EQ(world.head(), 3u);
  }
  world.fetched(block(4, 0, 0));
  EXPECT_EQ(world.head(), 22u);
  EXPECT_TRUE(world.gaps().empty());
  EXPECT_TRUE(world.moves.empty()) << "nothing was reorganised";
  EXPECT_EQ(world.chain().holes(), 0u);
}

// Only where memory does not know whether the parent of what was stored belongs to a segment.
TEST(UnsafeChainHoles, the_disk_is_not_asked_what_lies_below_a_block_of_a_branch_in_memory) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.signed_run(20, 22, 0);
  world.wait(Seconds(10));
  ASSERT_EQ(world.chain().holes(), 1u);
  const auto before = world.descents;
  world.signed_block(22, 1, 0);
  world.fetched(block(19, 0, 0));
  EXPECT_EQ(world.descents, before);
}

TEST(UnsafeChainHoles, a_block_that_nothing_waits_for_is_not_taken) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.signed_block(20, 0, 0);
  EXPECT_EQ(world.fetched(block(18, 0, 0)).arrival, Arrival::not_wanted);
  EXPECT_EQ(world.fetched(block(19, 4, 0)).arrival, Arrival::not_wanted);
  EXPECT_FALSE(world.store().has(fuzzing::hash_of(19, 4)));
}

TEST(UnsafeChainHoles, a_branch_that_parts_below_the_head_is_fetched_until_it_meets_the_chain) {
  ChainWorld world;
  world.sources(true);
  world.signed_run(1, 50, 0);
  world.signed_run(52, 60, 1);  // block 51 of that branch is missing, and it parts at 40
  world.wait(Seconds(1));
  for (std::uint64_t n = 51; n >= 41; --n) {
    ASSERT_EQ(wanted(world), (Wanted{{n + 1, n == 51 ? 51u : n + 1 - 32}}));
    world.fetched(block(n, 1, n == 41 ? 0 : 1));
  }
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(60, 1));
  ASSERT_EQ(world.moves.size(), 1u);
  EXPECT_EQ(world.moves[0].moved.fork, 40u);
  EXPECT_EQ(world.moves[0].moved.depth, 10u);
}

TEST(UnsafeChainHoles, a_tip_that_would_lose_fetches_nothing) {
  ChainWorld world;
  world.signed_run(1, 50, 0);
  world.signed_block(45, 1, 1);
  world.wait(Seconds(2));
  EXPECT_TRUE(world.gaps().empty());
}

TEST(UnsafeChainHoles, after_the_patience_a_tip_that_nobody_can_join_becomes_the_head_above_a_hole) {
  ChainWorld world;
  world.sources(true);
  world.signed_run(1, 10, 0);
  world.signed_run(14, 16, 0);
  world.wait(Seconds(10));
  EXPECT_EQ(world.head(), 10u);
  world.signed_block(17, 0, 0);
  world.wait(Seconds(110));
  EXPECT_EQ(world.head(), 17u);
  ASSERT_EQ(world.moves.size(), 1u);
  EXPECT_EQ(world.moves[0].moved.fork, std::nullopt);
  EXPECT_EQ(world.chain().segment().lowest.number, 14u);
  EXPECT_EQ(world.chain().holes(), 1u);
  ASSERT_EQ(world.holes.size(), 1u);
  EXPECT_EQ(world.holes[0].lowest->number, 14u);
  EXPECT_EQ(wanted(world), (Wanted{{14, 11}})) << "filling goes on";
  world.signed_block(18, 0, 0);
  EXPECT_EQ(world.head(), 18u) << "the new segment grows as any";
}

TEST(UnsafeChainHoles, without_a_source_ten_seconds_are_enough) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_block(12, 0, 0);
  world.wait(Seconds(9));
  EXPECT_EQ(world.head(), 10u);
  world.wait(Seconds(1));
  EXPECT_EQ(world.head(), 12u);
}

TEST(UnsafeChainHoles, after_a_patience_in_vain_the_next_is_short_until_a_source_delivers) {
  UnsafeChainConfig config;
  config.silence = 100000;
  ChainWorld world(config);
  world.sources(true);
  world.signed_run(1, 10, 0);
  world.signed_block(12, 0, 0);
  world.wait(Seconds(120));
  EXPECT_EQ(world.head(), 12u);
  world.signed_block(14, 0, 0);
  world.wait(Seconds(10));
  EXPECT_EQ(world.head(), 14u);
  world.fetched(block(13, 0, 0));
  world.signed_block(16, 0, 0);
  world.wait(Seconds(119));
  EXPECT_EQ(world.head(), 14u);
  world.wait(Seconds(1));
  EXPECT_EQ(world.head(), 16u);
}

TEST(UnsafeChainHoles, the_patience_starts_again_when_gossip_extends_the_head_but_not_when_a_source_delivers) {
  UnsafeChainConfig config;
  config.silence = 100000;
  ChainWorld world(config);
  world.sources(true);
  world.signed_run(1, 10, 0);
  world.signed_run(60, 61, 1);
  world.wait(Seconds(100));
  world.signed_block(11, 0, 0);
  world.wait(Seconds(100));
  EXPECT_EQ(world.head(), 11u);
  world.fetched(block(59, 1, 1));
  world.wait(Seconds(19));
  EXPECT_EQ(world.head(), 11u);
  world.wait(Seconds(1));
  EXPECT_EQ(world.head(), 61u);
}

TEST(UnsafeChainHoles, a_hole_is_filled_behind_the_head_and_joins_at_the_fork) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_run(13, 15, 1);  // of a branch that parts at 8
  world.wait(Seconds(10));
  ASSERT_EQ(world.head(), 15u);
  world.wait(Seconds(3600));
  for (std::uint64_t n = 12; n >= 9; --n) {
    EXPECT_EQ(wanted(world).at(0).first, n + 1);
    world.fetched(block(n, 1, n == 9 ? 0 : 1));
    EXPECT_TRUE(world.store().is_canonical(block(n, 1, n == 9 ? 0 : 1).ref()));
  }
  EXPECT_EQ(world.chain().holes(), 0u);
  EXPECT_EQ(world.chain().segment().lowest.number, 0u);
  EXPECT_EQ(world.store().blocks().at(fuzzing::hash_of(10, 0)).orphan, OrphanReason::joined);
  EXPECT_TRUE(world.gaps().empty());
  EXPECT_EQ(world.holes.back().holes, 0u);
}

TEST(UnsafeChainHoles, a_hole_without_missing_heights_is_one) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_run(11, 12, 1);  // its block 10 is another than ours, and missing
  world.wait(Seconds(10));
  ASSERT_EQ(world.head(), 12u);
  EXPECT_EQ(world.chain().holes(), 1u);
  EXPECT_EQ(world.chain().lower_segments().back().highest, 10u);
  world.fetched(block(10, 1, 0));
  EXPECT_EQ(world.chain().holes(), 0u);
  EXPECT_TRUE(world.store().is_canonical(block(10, 1, 0).ref()));
}

TEST(UnsafeChainHoles, a_hole_over_a_hole_is_filled_from_the_top) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_run(15, 20, 0);
  world.wait(Seconds(10));
  world.signed_run(25, 30, 0);
  world.wait(Seconds(10));
  EXPECT_EQ(world.head(), 30u);
  EXPECT_EQ(world.chain().holes(), 2u);
  EXPECT_EQ(wanted(world), (Wanted{{25, 21}, {15, 11}}));
  for (std::uint64_t n = 24; n >= 21; --n) world.fetched(block(n, 0, 0));
  EXPECT_EQ(wanted(world), (Wanted{{15, 11}}));
  EXPECT_EQ(world.chain().segment().lowest.number, 15u);
  for (std::uint64_t n = 14; n >= 11; --n) world.fetched(block(n, 0, 0));
  EXPECT_EQ(world.chain().holes(), 0u);
  EXPECT_EQ(world.chain().segment().lowest.number, 0u);
}

TEST(UnsafeChainHoles, a_lower_hole_may_be_filled_first) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_run(15, 20, 0);
  world.wait(Seconds(10));
  world.signed_run(25, 30, 0);
  world.wait(Seconds(10));
  for (std::uint64_t n = 14; n >= 11; --n) EXPECT_EQ(world.fetched(block(n, 0, 0)).arrival, Arrival::kept);
  EXPECT_EQ(world.chain().holes(), 1u);
  ASSERT_EQ(world.chain().lower_segments().size(), 1u);
  EXPECT_EQ(world.chain().lower_segments()[0].lowest.number, 0u);
  EXPECT_EQ(wanted(world), (Wanted{{25, 21}}));
}

TEST(UnsafeChainHoles, a_young_node_remembers_its_hole_over_a_restart) {
  ChainWorld world;
  world.signed_run(50, 52, 0);
  world.wait(Seconds(10));
  ASSERT_EQ(world.head(), 52u);
  world.fetched(block(49, 0, 0));
  world.restart();
  EXPECT_EQ(world.head(), 52u);
  EXPECT_EQ(world.chain().holes(), 1u);
  EXPECT_EQ(wanted(world), (Wanted{{49, 1}}));
  for (std::uint64_t n = 48; n >= 1; --n) world.fetched(block(n, 0, 0));
  EXPECT_EQ(world.chain().holes(), 0u);
  EXPECT_EQ(world.store().canonical().size(), 53u);
}

TEST(UnsafeChainHoles, a_tip_that_waits_is_on_the_disk_and_still_waits_after_a_restart) {
  ChainWorld world;
  world.sources(true);
  world.signed_run(1, 10, 0);
  world.signed_run(14, 16, 0);
  EXPECT_TRUE(world.store().has(fuzzing::hash_of(16, 0)));
  world.restart();
  world.sources(true);
  EXPECT_EQ(world.head(), 10u);
  world.wait(Seconds(1));
  for (std::uint64_t n = 13; n >= 11; --n) world.fetched(block(n, 0, 0));
  EXPECT_EQ(world.head(), 16u);
}

TEST(UnsafeChainHoles, two_live_branches_without_a_source_leave_each_node_on_its_own_until_one_ends) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  for (std::uint64_t n = 30; n <= 60; ++n) {  // the other half of a healed partition is ahead
    world.signed_block(n - 19, 0, 0);
    world.signed_block(n, 1, 1);
    world.wait(Seconds(2));
  }
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(41, 0));
  for (std::uint64_t n = 61; n <= 67; ++n) {
    world.signed_block(n, 1, 1);
    world.wait(Seconds(2));
  }
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(67, 1));
  EXPECT_EQ(world.moves.size(), 1u);
}

// It was not in what the disk said, because it came while the disk was read.
TEST(UnsafeChainHoles, a_lower_segment_goes_on_with_a_block_that_came_while_the_disk_was_asked) {
  ChainWorld world;
  world.signed_block(20, 0, 0);
  world.wait(Seconds(15));
  world.signed_block(17, 0, 0);
  world.signed_block(18, 0, 0);
  world.signed_block(40, 0, 0);
  world.wait(Seconds(15));
  ASSERT_EQ(world.head(), 40u);
  world.sources(true);
  world.answers_descents_late = true;
  world.fetched(block(19, 0, 0));
  world.signed_block(16, 0, 0);
  world.answer_descents();
  ASSERT_EQ(world.chain().lower_segments().size(), 2u);
  EXPECT_EQ(world.chain().lower_segments()[1].lowest.number, 16u);
  for (std::uint64_t n = 15; n > 0; --n) EXPECT_EQ(world.fetched(block(n, 0, 0)).arrival, Arrival::kept) << n;
  EXPECT_EQ(world.chain().holes(), 1u) << "below 40";
}

TEST(UnsafeChainHoles, the_lowest_block_above_a_hole_can_be_settled) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.signed_run(20, 36, 0);
  world.wait(Seconds(10));
  ASSERT_EQ(world.chain().segment().lowest.number, 20u);
  world.wait(Seconds(600));  // the move above the hole was a fork
  EXPECT_EQ(world.chain().settled(world.now().mono), 20u);
}

TEST(UnsafeChainHoles, nothing_is_settled_after_a_move_to_a_chain_with_another_first_block) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.rotate(2);
  world.signed_by(2, block(0, 1, 1));
  for (std::uint64_t n = 1; n <= 40; ++n) world.signed_by(2, block(n, 1, 1));
  world.wait(Seconds(10));
  ASSERT_EQ(world.head_hash(), fuzzing::hash_of(40, 1));
  EXPECT_EQ(world.chain().settled(world.now().mono), 0u);
}

TEST(UnsafeChainHoles, a_branch_below_the_hole_that_comes_back_closes_it) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_run(13, 14, 1);
  world.wait(Seconds(10));
  ASSERT_EQ(world.head(), 14u);
  for (std::uint64_t n = 11; n <= 20; ++n) world.signed_block(n, 0, 0);  // the first branch lives
  world.wait(Seconds(10));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(20, 0));
  EXPECT_EQ(world.chain().holes(), 0u);
  EXPECT_EQ(world.chain().segment().lowest.number, 0u);
}

TEST(UnsafeChainHoles, a_branch_that_waits_and_loses_blocks_to_the_budget_has_a_hole_where_they_were) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.signed_run(20, 30, 0);
  world.store().remove(fuzzing::hash_of(21, 0));
  world.store().remove(fuzzing::hash_of(20, 0));
  world.wait(Seconds(12));
  EXPECT_EQ(world.head(), 30u);
  EXPECT_EQ(world.chain().segment().lowest.number, 22u);
  EXPECT_EQ(wanted(world), (Wanted{{22, 4}}));
  EXPECT_EQ(world.holes.back().lowest->number, 22u);
  world.sources(true);
  for (std::uint64_t n = 21; n >= 4; --n) EXPECT_EQ(world.fetched(block(n, 0, 0)).arrival, Arrival::kept) << n;
  EXPECT_EQ(world.chain().holes(), 0u);
  world.store().check();
}

}  // namespace
}  // namespace opstack::sync
