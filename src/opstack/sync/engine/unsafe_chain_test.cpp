// UnsafeChain: blocks that come in order, forks and damping, eras, silence, and evidence. Holes and segments are in
// unsafe_chain_holes_test.cpp.
#include <gtest/gtest.h>

#include "opstack/sync/engine/chain_world_test.hpp"

namespace opstack::sync {
namespace {

using libp2p::Seconds;
using testing_chain::block;
using testing_chain::ChainWorld;

TEST(UnsafeChain, blocks_that_come_in_order_become_the_head_one_by_one) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  EXPECT_EQ(world.head(), 3u);
  ASSERT_EQ(world.kept.size(), 3u);
  EXPECT_TRUE(world.kept[0].is_head);
  EXPECT_TRUE(world.moves.empty());
  EXPECT_TRUE(world.gaps().empty());
}

TEST(UnsafeChain, without_a_start_the_first_signed_block_is_the_lowest) {
  ChainWorld world({}, false);
  EXPECT_EQ(world.signed_block(50, 0, 0).arrival, Arrival::head);
  world.signed_block(51, 0, 0);
  EXPECT_EQ(world.head(), 51u);
  EXPECT_EQ(world.chain().segment().lowest.number, 50u);
  EXPECT_TRUE(world.chain().segment().is_base);
  EXPECT_TRUE(world.gaps().empty());
}

TEST(UnsafeChain, a_block_that_is_known_is_stored_once) {
  ChainWorld world;
  world.signed_block(1, 0, 0);
  const auto again = world.signed_block(1, 0, 0);
  EXPECT_EQ(again.arrival, Arrival::known);
  EXPECT_EQ(again.write, std::nullopt);
  EXPECT_EQ(world.kept.size(), 1u);
}

TEST(UnsafeChain, who_publishes_a_block_that_is_being_stored_waits_for_the_same_write) {
  ChainWorld world;
  world.hold_answers();
  const auto first = world.signed_block(1, 0, 0);
  EXPECT_EQ(world.signed_block(1, 0, 0).write, first.write);
  EXPECT_EQ(world.head(), 0u) << "nothing is stored yet";
  world.release();
  EXPECT_EQ(world.head(), 1u);
}

// ---- forks ----

TEST(UnsafeChain, of_two_blocks_at_a_height_the_first_stays_until_the_other_branch_is_longer) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_block(10, 1, 0);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(10, 0));
  world.signed_block(11, 1, 1);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(11, 1));
  ASSERT_EQ(world.moves.size(), 1u);
  const auto& moved = world.moves[0].moved;
  EXPECT_EQ(moved.from.hash, fuzzing::hash_of(10, 0));
  EXPECT_EQ(moved.fork, 9u);
  EXPECT_EQ(moved.depth, 1u);
  EXPECT_EQ(world.moves[0].reason, OrphanReason::reorganised);
  EXPECT_EQ(world.store().blocks().at(fuzzing::hash_of(10, 0)).orphan, OrphanReason::reorganised);
}

TEST(UnsafeChain, a_fork_is_told_once_with_both_hashes_and_who_sent_them) {
  ChainWorld world;
  world.signed_block(1, 0, 0, 1);
  world.signed_block(1, 1, 0, 2);
  EXPECT_EQ(world.traces(ChainTraceKind::two_blocks), 1u);
  world.signed_block(2, 0, 0, 1);
  world.signed_block(2, 1, 1, 2);
  world.signed_block(3, 0, 0, 1);
  world.signed_block(3, 1, 1, 2);
  EXPECT_EQ(world.traces(ChainTraceKind::two_blocks), 1u) << "above the fork nothing is new";
  world.signed_block(3, 2, 0, 3);
  EXPECT_EQ(world.traces(ChainTraceKind::two_blocks), 2u) << "another fork";
}

TEST(UnsafeChain, the_nth_reorganisation_in_ten_minutes_needs_a_lead_of_n) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  std::uint64_t heights[] = {10, 10};  // of the branches 0 and 1, which part after block 9
  world.signed_block(10, 1, 0);
  for (std::uint64_t n = 1; n <= 18; ++n) {
    const unsigned branch = n % 2 == 1 ? 1 : 0;
    const std::uint64_t lead = std::min<std::uint64_t>(n, 16);
    const std::uint64_t other = heights[1 - branch];
    while (heights[branch] < other + lead) {
      EXPECT_EQ(world.moves.size(), n - 1) << "a lead of " << heights[branch] - std::min(other, heights[branch]);
      ++heights[branch];
      world.signed_block(heights[branch], branch, branch);
    }
    EXPECT_EQ(world.moves.size(), n) << "a lead of " << lead;
  }
  EXPECT_GT(world.traces(ChainTraceKind::damped), 0u);
}

TEST(UnsafeChain, after_ten_minutes_a_damped_branch_gets_its_turn) {
  UnsafeChainConfig config;
  config.silence = 100000;
  ChainWorld world(config);
  world.signed_run(1, 10, 0);
  world.signed_block(10, 1, 0);
  world.signed_block(11, 1, 1);
  ASSERT_EQ(world.moves.size(), 1u);
  world.signed_block(11, 0, 0);
  world.signed_block(12, 0, 0);
  EXPECT_EQ(world.moves.size(), 1u) << "the second needs a lead of two";
  world.wait(Seconds(599));
  EXPECT_EQ(world.moves.size(), 1u);
  world.wait(Seconds(1));
  EXPECT_EQ(world.moves.size(), 2u);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(12, 0));
}

TEST(UnsafeChain, no_branch_is_left_for_a_lower_one_of_the_same_era) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  for (std::uint64_t n = 5; n <= 10; ++n) world.signed_block(n, 1, n == 5 ? 0 : 1);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(10, 0));
  EXPECT_TRUE(world.moves.empty());
}

TEST(UnsafeChain, a_safe_block_keeps_branches_out_that_part_below_it) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  BlockRef safe;
  safe.number = 8;
  safe.hash = fuzzing::hash_of(8, 0);
  world.chain().set_safe(safe);
  for (std::uint64_t n = 8; n <= 14; ++n) world.signed_block(n, 1, n == 8 ? 0 : 1);
  EXPECT_EQ(world.head(), 10u);
  EXPECT_TRUE(world.moves.empty());
  for (std::uint64_t n = 10; n <= 12; ++n) world.signed_block(n, 2, n == 10 ? 0 : 2);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(12, 2));
}

TEST(UnsafeChain, a_fetched_branch_that_meets_the_chain_deeper_than_memory_reaches_is_joined_at_once) {
  UnsafeChainConfig config;
  config.tree.window = 8;
  ChainWorld world(config);
  world.sources(true);
  world.signed_run(1, 40, 0);
  world.signed_run(45, 50, 1);
  for (std::uint64_t n = 44; n > 20; --n) world.fetched(block(n, 1, n == 21 ? 0 : 1));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(50, 1));
  ASSERT_EQ(world.moves.size(), 1u);
  EXPECT_EQ(world.moves[0].moved.fork, 20u);
  EXPECT_EQ(world.chain().holes(), 0u);
}

TEST(UnsafeChain, blocks_of_gossip_wait_for_the_disk_to_have_its_rest) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.fail_writes(1);
  world.signed_run(4, 8, 0);
  EXPECT_EQ(world.views, 0u);
  EXPECT_EQ(world.head(), 3u);
  world.wait(Seconds(1));
  EXPECT_EQ(world.views, 2u) << "and once more when all that waited is stored";
  EXPECT_EQ(world.head(), 8u);
}

// The branch parts from the chain below what is in memory, so that memory cannot tell.
TEST(UnsafeChain, a_branch_that_the_disk_refuses_for_the_safe_block_is_left_alone_after_the_second_time) {
  UnsafeChainConfig config;
  config.tree.window = 8;
  ChainWorld world(config);
  world.sources(true);
  world.signed_run(1, 40, 0);
  BlockRef safe;
  safe.number = 30;
  safe.hash = fuzzing::hash_of(30, 0);
  world.chain().set_safe(safe);
  world.signed_run(45, 50, 1);
  for (std::uint64_t n = 44; n > 20; --n) world.fetched(block(n, 1, n == 21 ? 0 : 1));
  world.wait(Seconds(10));
  EXPECT_EQ(world.traces(ChainTraceKind::refused), 1u);
  EXPECT_EQ(world.last_trace.text, "mismatch: the branch forks below the safe block");
  EXPECT_EQ(world.views, 2u);
  world.wait(Seconds(100));
  EXPECT_EQ(world.views, 2u);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(40, 0));
}

// So many in ten minutes that the oldest are not kept apart.
TEST(UnsafeChain, nothing_above_the_lowest_fork_point_is_settled_however_many_forks_there_are) {
  UnsafeChainConfig config;
  config.most_lead = 1;
  ChainWorld world(config);
  world.signed_run(1, 30, 0);
  for (std::uint64_t n = 6; n <= 31; ++n) world.signed_block(n, 1, n == 6 ? 0 : 1);
  ASSERT_EQ(world.moves.size(), 1u);
  for (unsigned round = 0; round < 80; ++round) {
    const std::uint64_t number = 31 + round;  // of the head
    const unsigned old = 1 + round;
    world.signed_block(number, old + 1, old);
    world.signed_block(number + 1, old + 1, old + 1);
  }
  EXPECT_EQ(world.moves.size(), 81u);
  EXPECT_EQ(world.chain().settled(world.now().mono), 5u);
  world.wait(Seconds(600));
  EXPECT_EQ(world.chain().settled(world.now().mono), world.head() - 16);
}

// ---- eras ----

TEST(UnsafeChain, a_change_of_signer_moves_no_head_but_its_first_block_does) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.rotate(2);
  EXPECT_EQ(world.head(), 10u);
  world.signed_by(2, block(6, 1, 0));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(6, 1)) << "lower, and of a later era";
  ASSERT_EQ(world.moves.size(), 1u);
  EXPECT_EQ(world.moves[0].moved.depth, 5u);
  world.signed_run(11, 14, 0);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(6, 1)) << "blocks of the signer before";
}

TEST(UnsafeChain, a_signer_that_comes_back_opens_an_era_of_its_own) {
  ChainWorld world;
  world.signed_run(1, 4, 0);
  world.rotate(2);
  world.signed_by(2, block(5, 1, 0));
  world.rotate(1);
  EXPECT_EQ(world.chain().eras().size(), 3u);
  world.signed_by(1, block(4, 2, 0));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(4, 2));
  world.signed_by(2, block(6, 1, 1));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(4, 2));
}

TEST(UnsafeChain, a_signer_that_stays_over_a_restart_opens_no_era) {
  ChainWorld world;
  world.signed_run(1, 4, 0);
  world.restart();
  world.rotate(1);
  EXPECT_EQ(world.chain().eras().size(), 1u);
  world.rotate(2);
  EXPECT_EQ(world.chain().eras().back().era, 2u);
}

// ---- silence ----

TEST(UnsafeChain, in_silence_the_lower_hash_of_two_equal_tips_wins_and_both_orders_end_on_it) {
  for (const bool lower_first : {true, false}) {
    ChainWorld world;
    world.signed_run(1, 10, 0);
    const unsigned first = lower_first ? 1 : 2;
    world.signed_block(11, first, 0);
    world.signed_block(11, 3 - first, 0);
    EXPECT_EQ(world.head_hash(), fuzzing::hash_of(11, first));
    world.wait(Seconds(31));
    EXPECT_EQ(world.head_hash(), fuzzing::hash_of(11, first));
    world.wait(Seconds(1));
    EXPECT_EQ(world.head_hash(), fuzzing::hash_of(11, 1));
  }
}

TEST(UnsafeChain, silence_lifts_the_damping) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_block(10, 1, 0);
  world.signed_block(11, 1, 1);
  world.signed_block(11, 0, 0);
  world.signed_block(12, 0, 0);
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(11, 1));
  world.wait(Seconds(32));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(12, 0));
}

// ---- evidence ----

TEST(UnsafeChain, a_block_whose_time_is_not_that_of_its_number_counts_for_nothing) {
  ChainWorld world;
  world.signed_run(1, 2, 0);
  auto envelope = *block(UINT64_MAX, 7, 0).envelope;
  envelope.payload.timestamp = testing_chain::kGenesisTime + 6;
  const Block far(payload::Version::v1, std::make_shared<const payload::Envelope>(envelope), {});
  EXPECT_EQ(world.signed_by(1, far).arrival, Arrival::evidence);
  EXPECT_EQ(world.chain().highest_seen(), 2u);
  EXPECT_EQ(world.traces(ChainTraceKind::wrong_time), 1u);
  EXPECT_EQ(world.last_trace.in_a_row, 1u);
  EXPECT_TRUE(world.gaps().empty());
  world.signed_block(3, 0, 0);
  EXPECT_EQ(world.chain().wrong_time().in_a_row, 0u);
}

TEST(UnsafeChain, the_block_time_that_is_observed_is_told) {
  ChainWorld world;
  const auto sign_at = [&](std::uint64_t number, std::uint64_t after_genesis) {
    auto envelope = *block(number, 0, 0).envelope;
    envelope.payload.timestamp = testing_chain::kGenesisTime + after_genesis;
    world.signed_by(1, Block(payload::Version::v1, std::make_shared<const payload::Envelope>(envelope), {}));
  };
  for (std::uint64_t n = 1; n <= 16; ++n) sign_at(n, 100 + n);
  EXPECT_EQ(world.chain().wrong_time().in_a_row, 16u);
  EXPECT_EQ(world.chain().wrong_time().observed_block_time, 1u);
  sign_at(16, 150);
  EXPECT_EQ(world.chain().wrong_time().observed_block_time, 1u) << "two blocks of one number tell nothing";
  sign_at(17, 150);
  EXPECT_EQ(world.chain().wrong_time().observed_block_time, 1u) << "nor do two of one time";
  sign_at(19, 156);
  EXPECT_EQ(world.chain().wrong_time().observed_block_time, 3u);
  EXPECT_EQ(world.head(), 0u);
}

TEST(UnsafeChain, two_blocks_at_one_height_of_a_branch_that_waits_are_told_too) {
  ChainWorld world;
  world.signed_block(1, 0, 0);
  world.signed_block(20, 1, 7);
  world.signed_block(20, 2, 7);
  EXPECT_EQ(world.traces(ChainTraceKind::two_blocks), 1u);
}

TEST(UnsafeChain, a_block_that_found_no_room_in_memory_is_asked_for_again_after_its_rest) {
  UnsafeChainConfig config;
  config.max_bytes = 5000;
  ChainWorld world(config);
  world.sources(true);
  world.signed_run(1, 3, 0);
  world.signed_block(20, 0, 0);
  world.wait(Seconds(2));
  ASSERT_EQ(world.gaps().size(), 1u);
  world.hold_answers();
  world.signed_by(1, block(4, 5, 0, 4000));
  EXPECT_EQ(world.fetched(block(19, 0, 0, 4000)).arrival, Arrival::overflow);
  EXPECT_TRUE(world.gaps().empty());
  world.release();
  world.wait(Seconds(2));
  EXPECT_EQ(world.gaps().size(), 1u);
}

TEST(UnsafeChain, six_signed_blocks_of_a_height_are_remembered) {
  ChainWorld world;
  for (unsigned fork = 0; fork < 6; ++fork) EXPECT_NE(world.signed_block(1, fork, 0).arrival, Arrival::evidence);
  EXPECT_EQ(world.signed_block(1, 6, 0).arrival, Arrival::evidence);
  EXPECT_EQ(world.traces(ChainTraceKind::crowded), 1u);
}

// ---- what the operator vouches for ----

TEST(UnsafeChain, a_vouched_block_extends_the_head_or_fills_a_hole_and_makes_no_tip) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  auto& chain = world.chain();
  const auto self = fuzzing::peer_named(5);
  auto soon = world.now();
  soon.wall += Seconds(10);
  EXPECT_EQ(chain.on_vouched(self, block(4, 0, 0), soon).arrival, Arrival::head);
  world.pump();
  EXPECT_EQ(world.head(), 4u);
  EXPECT_EQ(chain.on_vouched(self, block(4, 1, 0), soon).arrival, Arrival::not_wanted);
  EXPECT_EQ(chain.on_vouched(self, block(9, 0, 0), soon).arrival, Arrival::evidence) << "too far in the future";
  world.signed_block(6, 0, 0);
  soon.wall += Seconds(10);
  EXPECT_EQ(chain.on_vouched(self, block(5, 0, 0), soon).arrival, Arrival::head);
  world.pump();
  EXPECT_EQ(world.head(), 6u) << "the block above it was there";
}

// ---- a disk that fails ----

TEST(UnsafeChain, blocks_that_the_disk_refused_are_given_to_it_again) {
  ChainWorld world;
  world.signed_run(1, 2, 0);
  world.fail_writes(1);
  world.signed_block(3, 0, 0);
  EXPECT_EQ(world.head(), 2u);
  ASSERT_EQ(world.lost.size(), 1u);
  EXPECT_TRUE(world.lost[0].again);
  world.signed_block(4, 0, 0);
  world.wait(Seconds(1));
  EXPECT_EQ(world.head(), 4u);
  EXPECT_EQ(world.chain().waiting_bytes(), 0u);
}

TEST(UnsafeChain, a_disk_that_stays_full_holds_a_bounded_number_of_blocks_and_is_asked_ever_more_rarely) {
  UnsafeChainConfig config;
  config.max_bytes = 20'000;
  ChainWorld world(config);
  world.fail_writes(1000);
  for (std::uint64_t n = 1; n <= 60; ++n) {
    world.signed_block(n, 0, 0);
    world.wait(Seconds(1));
    EXPECT_LE(world.chain().waiting_bytes(), config.max_bytes);
  }
  EXPECT_GT(world.traces(ChainTraceKind::overflow), 0u);
  world.fail_writes(0);
  world.wait(Seconds(16));
  EXPECT_GT(world.head(), 5u) << "those that it still had";
  EXPECT_EQ(world.chain().waiting_blocks(), 0u);
}

TEST(UnsafeChain, a_reorganisation_that_the_disk_refuses_happens_later) {
  ChainWorld world;
  world.signed_run(1, 10, 0);
  world.signed_block(10, 1, 0);
  world.hold_answers();
  world.signed_block(11, 1, 1);
  world.fail_writes(2);
  world.release();
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(10, 0));
  world.wait(Seconds(4));
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(11, 1));
}

// ---- what a consumer may rely on ----

TEST(UnsafeChain, the_head_follows_a_flood_whose_blocks_came_in_disorder_without_waiting_for_the_store) {
  ChainWorld world;
  world.hold_answers();
  world.signed_block(1, 0, 0);
  world.release();
  world.hold_answers();
  world.signed_block(3, 0, 0);
  world.signed_block(2, 0, 0);
  EXPECT_EQ(world.chain().head()->number, 3u) << "3 stands on the head, though it came first";
  for (std::uint64_t n = 4; n <= 50; ++n) EXPECT_EQ(world.signed_block(n, 0, 0).arrival, Arrival::head);
  EXPECT_EQ(world.chain().stored_head()->number, 1u);
  world.release();
  EXPECT_EQ(world.head(), 50u);
  EXPECT_EQ(world.store().head()->number, 50u);
  EXPECT_TRUE(world.moves.empty()) << "nothing was reorganised";
}

TEST(UnsafeChain, blocks_that_come_while_the_head_is_moved_to_another_branch_are_followed_after_one_move) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.signed_block(3, 1, 0);
  world.hold_answers();
  world.signed_block(4, 1, 1);  // leads by one: the store is asked
  for (std::uint64_t n = 5; n <= 20; ++n) world.signed_block(n, 1, 1);
  EXPECT_EQ(world.chain().head()->number, 3u);
  world.release();
  EXPECT_EQ(world.head_hash(), fuzzing::hash_of(20, 1));
  EXPECT_EQ(world.moves.size(), 1u);
}

TEST(UnsafeChain, a_head_that_went_ahead_of_blocks_that_the_disk_refuses_comes_back_and_goes_ahead_later) {
  ChainWorld world;
  world.signed_run(1, 3, 0);
  world.hold_answers();
  world.signed_block(5, 0, 0);
  world.signed_block(4, 0, 0);
  EXPECT_EQ(world.chain().head()->number, 5u);
  world.fail_writes(1);  // of block 5; the move onto it fails for that
  world.release();
  EXPECT_EQ(world.chain().head(), world.chain().stored_head());
  world.wait(Seconds(10));
  EXPECT_EQ(world.head(), 5u);
}

TEST(UnsafeChain, settled_is_sixteen_below_the_head_and_below_every_recent_fork) {
  ChainWorld world;
  world.signed_run(1, 15, 0);
  EXPECT_EQ(world.chain().settled(world.now().mono), std::nullopt);
  world.signed_run(16, 40, 0);
  EXPECT_EQ(world.chain().settled(world.now().mono), 24u);
  for (std::uint64_t n = 30; n <= 41; ++n) world.signed_block(n, 1, n == 30 ? 0 : 1);
  for (std::uint64_t n = 42; n <= 60; ++n) world.signed_block(n, 1, 1);
  EXPECT_EQ(world.chain().settled(world.now().mono), 29u) << "the fork";
  world.wait(Seconds(601));
  EXPECT_EQ(world.chain().settled(world.now().mono), 44u);
}

}  // namespace
}  // namespace opstack::sync
