// UnsafeChain: blocks that the operator has denied (`opp2p db rewind --deny`), and what descends from them.
#include <gtest/gtest.h>

#include "opstack/sync/engine/chain_world_test.hpp"

namespace opstack::sync {
namespace {

using testing_chain::block;
using testing_chain::ChainWorld;

// A world whose head is block 3, and whose operator has denied block 4 of branch 0.
ChainWorld world_with_4_denied() {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.store().deny(fuzzing::hash_of(4, 0));
  return world;
}

TEST(UnsafeChainDenied, a_denied_block_that_extends_the_head_counts_for_nothing_and_another_one_takes_its_place) {
  ChainWorld world = world_with_4_denied();
  world.restart();
  EXPECT_EQ(world.signed_block(4, 0, 0).arrival, Arrival::evidence);
  EXPECT_EQ(world.traces(ChainTraceKind::denied), 1u);
  EXPECT_EQ(world.head(), 3u);
  EXPECT_EQ(world.signed_block(4, 1, 0).arrival, Arrival::head);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(4, 1));
}

TEST(UnsafeChainDenied, what_descends_from_a_denied_block_is_no_candidate_and_nothing_is_fetched_for_it) {
  ChainWorld world = world_with_4_denied();
  world.restart();
  world.sources(true);
  world.signed_run(4, 40, 0);
  for (int i = 0; i < 2; ++i) {
    world.wait(libp2p::Seconds(600));
    EXPECT_EQ(world.head(), 3u);
    EXPECT_TRUE(world.gaps().empty());
    EXPECT_EQ(world.traces(ChainTraceKind::refused), 0u) << "the store is not asked";
    world.restart();
  }
}

TEST(UnsafeChainDenied, a_head_that_waits_below_a_hole_for_a_denial_is_told_of_once) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.store().deny(fuzzing::hash_of(11, 7));
  world.restart();
  world.signed_run(12, 40, 0);  // 11 is missing, and nobody serves it
  world.wait(libp2p::Seconds(600));
  EXPECT_EQ(world.head(), 10u);
  EXPECT_EQ(world.traces(ChainTraceKind::denied_era), 1u);
}

TEST(UnsafeChainDenied, a_branch_that_turns_out_to_descend_from_a_denied_block_is_left_alone) {
  ChainWorld world = world_with_4_denied();
  world.restart();
  world.sources(true);
  world.signed_block(30, 0, 0);
  for (std::uint64_t n = 29; n > 4; --n) {
    ASSERT_EQ(world.gaps().size(), 1u);
    world.fetched(block(n, 0, 0));
  }
  EXPECT_TRUE(world.gaps().empty());
  world.wait(libp2p::Seconds(600));
  EXPECT_EQ(world.head(), 3u);
}

// The node followed a branch above a hole before it could know what the branch descends from.
TEST(UnsafeChainDenied, a_head_that_turns_out_to_descend_from_a_denied_block_is_left_for_the_best_tip_that_does_not) {
  ChainWorld world = world_with_4_denied();
  world.restart();
  world.rotate(2);  // in the era of the denial it would never become the head
  world.signed_by(2, block(10, 0, 0));
  world.wait(libp2p::Seconds(20));
  ASSERT_EQ(world.head(), 10u);
  world.sources(true);
  for (std::uint64_t n = 9; n > 4; --n) {
    ASSERT_EQ(world.gaps().size(), 1u) << n;
    world.fetched(block(n, 0, 0));
    world.wait(libp2p::Seconds(5));
  }
  EXPECT_NE(world.signed_by(2, block(11, 0, 0)).arrival, Arrival::head);
  world.wait(libp2p::Seconds(600));
  EXPECT_EQ(world.head(), 3u);
  EXPECT_TRUE(world.gaps().empty());
  EXPECT_EQ(world.signed_by(2, block(4, 1, 0)).arrival, Arrival::head);
}

TEST(UnsafeChainDenied, in_the_era_of_a_denial_no_branch_above_a_hole_becomes_the_head) {
  ChainWorld world = world_with_4_denied();
  world.restart();
  world.signed_block(6, 0, 0);  // 5 was missed, and nobody serves
  world.wait(libp2p::Seconds(600));
  EXPECT_EQ(world.head(), 3u);
  world.rotate(2);
  world.signed_by(2, block(20, 1, 1));
  world.wait(libp2p::Seconds(20));
  EXPECT_EQ(world.head(), 20u);
}

TEST(UnsafeChainDenied, blocks_that_were_stored_before_the_denial_stay_out_after_a_restart) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  for (std::uint64_t n = 4; n <= 6; ++n) world.signed_block(n, 1, n == 4 ? 0 : 1);
  for (std::uint64_t n = 4; n <= 8; ++n) world.signed_block(n, 0, 0);
  ASSERT_EQ(world.head_hash(), fuzzing::hash_of(8, 0));
  HeadMove back;
  back.to = block(6, 1, 1).ref();
  ASSERT_TRUE(world.store().move_head(back));
  world.store().deny(fuzzing::hash_of(4, 0));
  world.restart();
  world.wait(libp2p::Seconds(600));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(6, 1));
  world.signed_block(9, 0, 0);
  world.wait(libp2p::Seconds(600));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(6, 1));
  EXPECT_EQ(world.traces(ChainTraceKind::refused), 0u);
}

}  // namespace
}  // namespace opstack::sync
