// The unsafe chain over the store in memory: what the holder of a previous key, a full store and a restart at a bad
// time have been able to do.
#include <gtest/gtest.h>

#include "opp2p/store/chain_over_store_test.hpp"

namespace opp2p::testing_over_store {
namespace {

// ---- after a start nothing need come for the chain to decide ----

TEST(ChainOverStoreStart, a_tie_is_decided_by_silence) {
  ChainOverStore world;
  world.signed_run(1, 10, 0);
  world.signed_block(11, 1, 0);
  world.signed_block(11, 0, 0);
  ASSERT_EQ(world.head_hash(), hash_of(11, 1));
  world.restart();
  ASSERT_TRUE(world.chain().next_deadline());
  world.wait(Seconds(60));
  EXPECT_EQ(world.head_hash(), hash_of(11, 0));
}

TEST(ChainOverStoreStart, a_better_branch_on_the_disk_is_followed_when_its_turn_comes) {
  ChainOverStore world;
  world.signed_run(1, 10, 0);
  world.signed_branch(9, 11, 1);
  world.signed_block(11, 0, 0);
  world.signed_block(12, 0, 0);  // the second reorganisation needs a lead of two
  ASSERT_EQ(world.head_hash(), hash_of(11, 1));
  world.restart();
  ASSERT_TRUE(world.chain().next_deadline());
  world.wait(Seconds(600));
  EXPECT_EQ(world.head_hash(), hash_of(12, 0));
}

TEST(ChainOverStoreStart, what_is_settled_stays_below_a_fork_that_is_deeper_than_memory_reaches) {
  UnsafeChainConfig config;
  config.tree.window = 64;
  ChainOverStore world(0, config);
  world.signed_run(1, 200, 0);
  world.signed_branch(180, 201, 1);
  ASSERT_EQ(world.settled(), 179u);
  for (std::uint64_t n = 202; n <= 300; ++n) world.signed_block(n, 1, 1);
  world.restart();
  EXPECT_EQ(world.settled(), 179u);
}

// ---- a denial ----

TEST(ChainOverStoreDenial, a_branch_that_is_known_down_to_genesis_is_followed_by_a_head_above_a_hole) {
  ChainOverStore world;
  world.sources(true);
  world.signed_run(1, 10, 0);
  world.signed_run(20, 25, 5);  // above a hole that nobody fills
  world.wait(Seconds(200));
  ASSERT_EQ(world.head(), 25u);
  world.rewind(23, hash_of(24, 5));
  world.sources(true);
  for (std::uint64_t n = 11; n <= 40; ++n) {
    world.signed_block(n, 0, 0);
    world.wait(Seconds(2));
  }
  world.wait(Seconds(200));
  EXPECT_EQ(world.head(), 40u);
  EXPECT_EQ(world.segments_on_disk(), "0-40");
}

// ---- signers that sign the same block ----

TEST(ChainOverStoreSigners, a_block_that_two_of_them_have_signed_counts_in_the_later_era_whichever_came_first) {
  for (const bool later_first : {false, true}) {
    ChainOverStore world;
    world.signed_run(1, 9, 0);
    world.signed_run(11, 15, 0);
    if (!later_first) world.signed_block(10, 0, 0);
    world.rotate(2);
    world.signed_by(2, block(10, 0, 0));
    if (later_first) world.signed_by(1, block(10, 0, 0));
    world.wait(Seconds(3600));
    EXPECT_EQ(world.head(), 10u) << later_first;
    EXPECT_EQ(world.store().by_hash(hash_of(10, 0)).value()->attestation->era, 2u) << later_first;
    world.restart();
    world.wait(Seconds(3600));
    EXPECT_EQ(world.head(), 10u) << later_first;
  }
}

TEST(ChainOverStoreSigners, a_signature_that_comes_once_more_in_its_signer_s_next_era_changes_nothing) {
  ChainOverStore world;
  world.signed_run(1, 15, 0);
  world.rotate(2);
  world.rotate(1);
  world.signed_block(10, 0, 0);
  world.wait(Seconds(3600));
  EXPECT_EQ(world.head(), 15u);
}

// ---- large blocks above a gap ----

TEST(ChainOverStoreGap, two_minutes_of_large_blocks_above_it_wait_on_the_disk_and_not_in_memory) {
  ChainOverStore world;
  world.signed_run(1, 10, 0);
  world.lag(1);
  std::size_t most = 0;
  for (std::uint64_t n = 100; n < 160; ++n) {
    world.signed_by(1, block(n, 0, 0, std::size_t{1} << 20));
    most = std::max(most, world.chain().waiting_bytes());
    world.settle();
  }
  EXPECT_LE(most, std::size_t{2} << 20);
  EXPECT_EQ(world.chain().waiting_bytes(), 0u);
  EXPECT_EQ(world.head(), 10u);
  EXPECT_EQ(world.store().summary().value().orphans, 60u);
}

// ---- the holder of the previous key ----

// Signer 1 has signed six blocks at each height, each on a parent that nobody has if `unjoined`.
void crowd(ChainOverStore& world, std::uint64_t first, std::uint64_t last, bool unjoined) {
  for (std::uint64_t n = first; n <= last; ++n)
    for (unsigned branch = 1; branch <= 6; ++branch)
      world.signed_by(1, block(n, 10 + branch, unjoined ? 200 + branch : 0));
}

TEST(ChainOverStoreOldKey, crowded_heights_do_not_keep_the_new_signer_from_publishing_nor_others_from_its_blocks) {
  for (const bool is_own : {true, false}) {
    ChainOverStore world;
    world.rotate(1);
    world.signed_run(1, 20, 0);
    crowd(world, 15, 21, false);
    world.rotate(2);
    EXPECT_TRUE(world.signed_by(2, block(15, 50, 0), is_own).write) << is_own;
    world.signed_by(2, block(16, 50, 50));
    EXPECT_EQ(world.head_hash(), hash_of(16, 50)) << is_own;
  }
}

TEST(ChainOverStoreOldKey, an_own_block_is_kept_at_a_height_that_its_own_key_has_crowded) {
  ChainOverStore world;
  world.signed_run(1, 20, 0);
  crowd(world, 15, 15, false);
  EXPECT_EQ(world.signed_block(15, 50, 0).arrival, Arrival::evidence) << "of gossip it does not count";
  EXPECT_TRUE(world.signed_by(1, block(15, 50, 0), true).write);
  EXPECT_TRUE(world.store().by_hash(hash_of(15, 50)).value());
}

TEST(ChainOverStoreOldKey, a_flood_of_branches_above_holes_does_not_push_the_new_signers_out) {
  ChainOverStore world;
  world.rotate(1);
  world.signed_run(1, 100, 0);
  crowd(world, 82, 102, true);
  world.rotate(2);
  for (std::uint64_t n = 62; n <= 64; ++n) {  // 61 is missing
    world.signed_by(2, block(n, 50, 50));
    world.wait(Seconds(2));
  }
  EXPECT_TRUE(world.chain().tree().find(hash_of(64, 50)));
  world.wait(Seconds(10));
  EXPECT_EQ(world.head_hash(), hash_of(64, 50)) << "no source: ten seconds";
  world.restart();
  world.wait(Seconds(3600));
  EXPECT_EQ(world.head_hash(), hash_of(64, 50));
}

// ---- a full store ----

// A hole, and blocks above it until the budget has taken all below it: 1 to 20 are gone.
void lose_the_lower_segment(ChainOverStore& world) {
  world.signed_run(1, 20, 0);
  world.signed_run(30, 35, 0);
  world.wait(Seconds(10));
  for (std::uint64_t n = 36; world.store().summary().value().segments.size() > 1; ++n) {
    ASSERT_LT(n, 1000u);
    world.signed_block(n, 0, 0);
  }
}

TEST(ChainOverStoreFull, canonical_blocks_that_went_are_not_known_any_more) {
  ChainOverStore world(60'000);
  lose_the_lower_segment(world);
  for (std::uint64_t n = 1; n <= 20; ++n) EXPECT_FALSE(world.chain().tree().find(hash_of(n, 0))) << n;
  EXPECT_NE(world.signed_by(1, block(10, 0, 0), true).arrival, Arrival::known);
}

TEST(ChainOverStoreFull, a_branch_on_a_block_that_went_has_a_gap_below_it) {
  ChainOverStore world(60'000);
  lose_the_lower_segment(world);
  world.rotate(2);
  world.sources(true);
  for (std::uint64_t n = 21; n <= 24; ++n) world.signed_by(2, block(n, 2, n == 21 ? 0 : 2));
  world.wait(Seconds(1));
  ASSERT_FALSE(world.gaps().empty());
  EXPECT_EQ(world.gaps()[0].child.number, 21u);
  world.wait(Seconds(130));
  EXPECT_EQ(world.head(), 24u);
  EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
}

// What is being written lies below what the budget takes, and the head moves into it.
TEST(ChainOverStoreFull, the_head_moves_to_a_block_in_a_hole_while_the_budget_takes_what_is_below) {
  for (std::uint64_t budget = 20'000; budget < 60'000; budget += 500) {
    SCOPED_TRACE(budget);
    ChainOverStore world(budget);
    world.rotate(1);
    world.signed_by(1, block(40, 0, 0));
    world.wait(Seconds(30));
    for (std::uint64_t n = 41; n <= 59; ++n) world.signed_by(1, block(n, 0, 0));
    world.sources(true);
    world.rotate(2);
    world.signed_by(2, block(30, 0, 0));
    world.disk().hold_writes();
    for (std::uint64_t n = 39; n >= 31; --n) world.fetched(block(n, 0, 0));
    world.release();
    world.wait(Seconds(60));
    EXPECT_EQ(world.segments_in_memory(), world.segments_on_disk());
    EXPECT_EQ(world.defect(), "");
  }
}

}  // namespace
}  // namespace opp2p::testing_over_store
