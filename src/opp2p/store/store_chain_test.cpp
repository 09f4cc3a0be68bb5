// Branches, segments and holes: docs/fork-choice.md, held to both stores. A block's branch is the last byte of its
// hash; branch 0 is what the store had first.
#include "opp2p/store/store_rules_test.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

class StoreChain : public StoreRules {
 protected:
  // 1 to 10, a hole, 20 to 22 with the head.
  void chain_with_a_hole(std::uint8_t upper_fork = 0) {
    calls_->extend_with(1, 10);
    calls_->branch_off(20, 22, upper_fork, upper_fork);
    const auto moved = calls_->move_head(block_at(22, 300, upper_fork, upper_fork), false);
    ASSERT_TRUE(moved) << moved.error().message();
    EXPECT_FALSE(moved->fork);
    EXPECT_EQ(moved->depth, 0u);
    EXPECT_EQ(moved->segments.back().lowest.number, 20u);
    EXPECT_EQ(moved->segments.back().highest, 22u);
    EXPECT_FALSE(moved->segments.back().is_base);
    EXPECT_EQ(segments(), "1-10 20-22");
  }
};

TEST_P(StoreChain, a_block_beside_the_chain_waits_and_is_not_served) {
  calls_->extend_with(1, 10);
  const auto kept = calls_->keep(block_at(9, 300, 1, 0)).value();
  EXPECT_TRUE(kept.parent_there);
  EXPECT_FALSE(kept.canonical);
  const auto far = calls_->keep(block_at(30, 300, 2, 2)).value();
  EXPECT_FALSE(far.parent_there);
  EXPECT_FALSE(far.canonical);
  EXPECT_EQ(fork_at(9), 0);
  EXPECT_FALSE(store_->by_number(30).value());
  EXPECT_EQ(orphan(9, 1), OrphanReason::waiting);
  EXPECT_EQ(orphan(30, 2), OrphanReason::waiting);
  const auto summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, 10u);
  EXPECT_EQ(summary.orphans, 2u);
  EXPECT_EQ(summary.head->number, 10u);
  EXPECT_EQ(segments(), "1-10");
}

TEST_P(StoreChain, a_waiting_block_that_extends_the_head_becomes_the_head) {
  calls_->extend_with(1, 10);
  ASSERT_TRUE(calls_->keep(block_at(11)));
  EXPECT_EQ(orphan(11), OrphanReason::waiting);
  const auto kept = calls_->extend(block_at(11)).value();
  EXPECT_TRUE(kept.was_there);
  EXPECT_TRUE(kept.canonical);
  EXPECT_FALSE(orphan(11));
  EXPECT_EQ(store_->summary().value().head->number, 11u);
  ASSERT_TRUE(calls_->keep(block_at(20)));
  EXPECT_TRUE(calls_->extend(block_at(20)).error() == Errc::mismatch);
}

TEST_P(StoreChain, a_reorganisation_takes_the_branch_from_the_fork_and_orphans_the_rest) {
  calls_->extend_with(1, 10);
  calls_->branch_off(8, 12, 1);
  const auto moved = calls_->move_head(block_at(12, 300, 1, 1)).value();
  EXPECT_EQ(moved.from, block_at(10).ref());
  EXPECT_EQ(moved.to, block_at(12, 300, 1, 1).ref());
  EXPECT_EQ(moved.fork, 7u);
  EXPECT_EQ(moved.depth, 3u);
  ASSERT_EQ(moved.segments.size(), 1u);
  EXPECT_EQ(moved.segments[0].lowest.number, 1u);
  EXPECT_EQ(moved.segments[0].highest, 12u);
  EXPECT_TRUE(moved.segments[0].is_base);
  EXPECT_EQ(numbers(1, 20), (Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  for (std::uint64_t n = 8; n <= 10; ++n) {
    EXPECT_EQ(fork_at(n), 1);
    EXPECT_EQ(orphan(n, 0), OrphanReason::reorganised);
    EXPECT_EQ(store_->by_hash(hash_of(n)).value()->block.body, block_at(n).body) << "an orphan stays readable";
  }
  EXPECT_FALSE(orphan(12, 1));
  // And back to the lower one, which deletes what is above it.
  const auto back = calls_->move_head(block_at(10)).value();
  EXPECT_EQ(back.depth, 5u);
  EXPECT_EQ(store_->summary().value().head->hash, hash_of(10));
  EXPECT_EQ(orphan(12, 1), OrphanReason::reorganised);
  EXPECT_FALSE(orphan(10));
  EXPECT_FALSE(store_->by_number(11).value());
}

TEST_P(StoreChain, moving_to_a_canonical_block_shortens_the_chain_to_it) {
  calls_->extend_with(1, 10);
  const auto moved = calls_->move_head(block_at(6)).value();
  EXPECT_EQ(moved.fork, 6u);
  EXPECT_EQ(moved.depth, 4u);
  EXPECT_EQ(numbers(1, 20).size(), 6u);
  EXPECT_TRUE(calls_->extend(block_at(7)).value().was_there);
}

TEST_P(StoreChain, a_branch_that_is_not_what_was_said_changes_nothing) {
  calls_->extend_with(1, 10);
  calls_->branch_off(20, 22, 1, 1);
  calls_->branch_off(6, 12, 2);
  EXPECT_TRUE(calls_->move_head(block_at(22, 300, 1, 1), true).error() == Errc::mismatch) << "not joined";
  EXPECT_TRUE(calls_->move_head(block_at(40), true).error() == Errc::mismatch) << "not there";
  HeadMove move;
  move.to = block_at(12, 300, 2, 2).ref();
  for (const std::uint64_t safe : {6, 9, 10}) {
    move.safe = block_at(safe).ref();
    EXPECT_TRUE(calls_->move_head(move).error() == Errc::mismatch) << "another block at the height of the safe one";
  }
  move.safe = block_at(13).ref();
  EXPECT_TRUE(calls_->move_head(move).error() == Errc::mismatch) << "ends below the safe one";
  EXPECT_EQ(store_->summary().value().head->hash, hash_of(10));
  EXPECT_EQ(store_->summary().value().orphans, 10u);
  move.safe = block_at(5).ref();
  EXPECT_TRUE(calls_->move_head(move));
  move.to = block_at(10).ref();
  move.safe = block_at(6, 300, 2, 0).ref();
  EXPECT_TRUE(calls_->move_head(move).error() == Errc::mismatch);
  move.safe = block_at(6).ref();
  EXPECT_TRUE(calls_->move_head(move)) << "the safe one is in the branch";
}

TEST_P(StoreChain, the_head_moves_only_to_a_block_whose_signature_of_that_era_is_stored) {
  calls_->extend_with(1, 10);
  calls_->branch_off(6, 12, 1);
  ASSERT_TRUE(calls_->open_era(1, 1000));
  HeadMove move;
  move.to = block_at(12, 300, 1, 1).ref();
  move.signed_in = 2;
  EXPECT_TRUE(calls_->move_head(move).error() == Errc::mismatch) << "not signed";
  ASSERT_TRUE(calls_->keep(block_at(12, 300, 1, 1), attestation_of(1, 1)));
  EXPECT_TRUE(calls_->move_head(move).error() == Errc::mismatch) << "signed in another era";
  EXPECT_EQ(store_->summary().value().head->hash, hash_of(10));
  move.signed_in = 1;
  EXPECT_TRUE(calls_->move_head(move));
}

TEST_P(StoreChain, a_segment_that_is_not_joined_becomes_the_heads_above_a_hole) {
  chain_with_a_hole();
  EXPECT_EQ(store_->summary().value().blocks, 13u);
  EXPECT_EQ(numbers(1, 100), (Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})) << "a range ends at a hole";
  EXPECT_EQ(numbers(20, 100), (Numbers{20, 21, 22}));
  EXPECT_EQ(numbers(15, 100), Numbers()) << "a range that begins in a hole has nothing";
  EXPECT_FALSE(store_->by_number(15).value());
  reopen();
  EXPECT_EQ(segments(), "1-10 20-22") << "the hole is remembered";
}

TEST_P(StoreChain, canonical_blocks_at_the_heights_of_a_segment_become_orphans) {
  calls_->extend_with(1, 25);
  calls_->branch_off(20, 22, 1, 1);
  const auto moved = calls_->move_head(block_at(22, 300, 1, 1), false).value();
  EXPECT_EQ(moved.depth, 6u);
  EXPECT_EQ(segments(), "1-19 20-22") << "a hole without a height: 20 does not name 19 as its parent";
  for (std::uint64_t n = 20; n <= 25; ++n) EXPECT_EQ(orphan(n), OrphanReason::segment);
  EXPECT_EQ(numbers(18, 30), (Numbers{18, 19}));
  EXPECT_EQ(numbers(20, 30), (Numbers{20, 21, 22}));
}

TEST_P(StoreChain, fetched_blocks_extend_their_segment_downwards_until_it_joins) {
  chain_with_a_hole();
  for (std::uint64_t n = 19; n >= 11; --n) {
    const auto kept = calls_->keep(block_at(n)).value();
    EXPECT_TRUE(kept.canonical);
    EXPECT_EQ(kept.parent_there, n == 11);
    EXPECT_EQ(segments(), n == 11 ? "1-22" : "1-10 " + std::to_string(n) + "-22");
  }
  EXPECT_EQ(segments(), "1-22");
  EXPECT_EQ(numbers(1, 100).size(), 22u);
  EXPECT_EQ(store_->summary().value().orphans, 0u);
}

TEST_P(StoreChain, unproven_blocks_that_a_filled_hole_contradicts_become_orphans_one_after_the_other) {
  chain_with_a_hole(1);
  for (std::uint64_t n = 19; n >= 9; --n) ASSERT_TRUE(calls_->keep(block_at(n, 300, 1, 1)));
  EXPECT_EQ(segments(), "1-8 9-22");
  EXPECT_EQ(orphan(9), OrphanReason::joined);
  EXPECT_EQ(orphan(10), OrphanReason::joined);
  EXPECT_EQ(fork_at(9), 1);
  ASSERT_TRUE(calls_->keep(block_at(8, 300, 1, 0))) << "on 7 of the old chain";
  EXPECT_EQ(segments(), "1-22");
  EXPECT_EQ(orphan(8), OrphanReason::joined);
  EXPECT_EQ(numbers(1, 100).size(), 22u);
}

TEST_P(StoreChain, a_filled_hole_can_displace_all_that_is_below_it) {
  chain_with_a_hole(1);
  for (std::uint64_t n = 19; n >= 1; --n) ASSERT_TRUE(calls_->keep(block_at(n, 300, 1, 1)));
  EXPECT_EQ(segments(), "1-22");
  EXPECT_EQ(store_->summary().value().orphans, 10u);
  EXPECT_EQ(fork_at(1), 1);
}

TEST_P(StoreChain, a_hole_is_filled_through_a_branch_that_was_stored_before) {
  calls_->extend_with(1, 10);
  calls_->branch_off(8, 13, 1);  // on 7
  auto bridge = block_at(14, 300, 1, 1);
  calls_->branch_off(15, 16, 1, 1);
  ASSERT_TRUE(calls_->move_head(block_at(16, 300, 1, 1), false));
  EXPECT_EQ(segments(), "1-10 15-16");
  const auto kept = calls_->keep(bridge).value();
  EXPECT_TRUE(kept.canonical);
  EXPECT_TRUE(kept.parent_there);
  EXPECT_EQ(segments(), "1-16");
  for (std::uint64_t n = 8; n <= 10; ++n) EXPECT_EQ(orphan(n), OrphanReason::joined);
  for (std::uint64_t n = 8; n <= 16; ++n) EXPECT_FALSE(orphan(n, 1));
}

TEST_P(StoreChain, a_hole_may_be_met_from_below) {
  chain_with_a_hole();
  ASSERT_TRUE(calls_->keep(block_at(11)));  // waits on the unproven chain
  EXPECT_EQ(orphan(11), OrphanReason::waiting);
  for (std::uint64_t n = 19; n >= 12; --n) ASSERT_TRUE(calls_->keep(block_at(n)));
  EXPECT_EQ(segments(), "1-22");
  EXPECT_FALSE(orphan(11));
}

TEST_P(StoreChain, descending_finds_where_a_branch_ends) {
  chain_with_a_hole();
  calls_->branch_off(9, 12, 1);
  calls_->branch_off(40, 42, 2, 2);
  auto down = store_->descend(block_at(42, 300, 2, 2).ref()).value();
  EXPECT_EQ(down.lowest, block_at(40, 300, 2, 2).ref());
  EXPECT_FALSE(down.is_base);
  EXPECT_FALSE(down.canonical);
  down = store_->descend(block_at(12, 300, 1, 1).ref()).value();
  EXPECT_EQ(down.lowest, block_at(1).ref());
  EXPECT_TRUE(down.is_base);
  EXPECT_EQ(down.canonical, 8u);
  down = store_->descend(block_at(21).ref()).value();
  EXPECT_EQ(down.lowest, block_at(20).ref());
  EXPECT_FALSE(down.is_base);
  EXPECT_EQ(down.canonical, 21u);
  EXPECT_TRUE(store_->descend(block_at(50).ref()).error() == Errc::not_found);
}

TEST_P(StoreChain, the_view_has_the_newest_blocks_with_their_signatures_and_as_many_orphans) {
  ASSERT_TRUE(calls_->open_era(7, 1));
  calls_->extend_with(1, 5);
  ASSERT_TRUE(calls_->extend(block_at(6), attestation_of(7, 1)));
  calls_->branch_off(4, 7, 1);
  now_ += libp2p::Seconds(1);
  ASSERT_TRUE(calls_->keep(block_at(3, 300, 2, 0), attestation_of(7, 1)));
  const auto view = store_->view(2).value();
  EXPECT_EQ(view.head, block_at(6).ref());
  ASSERT_EQ(view.recent.size(), 4u);
  EXPECT_EQ(view.recent[0].ref, block_at(5).ref());
  EXPECT_EQ(view.recent[0].timestamp, 1010u);
  EXPECT_FALSE(view.recent[0].attestation);
  EXPECT_EQ(view.recent[1].attestation, attestation_of(7, 1));
  EXPECT_FALSE(view.recent[1].orphan);
  EXPECT_EQ(view.recent[2].ref.hash, hash_of(3, 2)) << "the newest";
  EXPECT_EQ(view.recent[2].orphan, OrphanReason::waiting);
  EXPECT_EQ(view.recent[3].ref.hash, hash_of(7, 1));
}

TEST_P(StoreChain, rewinding_orphans_what_is_above_and_the_denied_block_does_not_come_back) {
  calls_->extend_with(1, 10);
  EXPECT_TRUE(calls_->rewind(11).error() == Errc::not_found);
  EXPECT_TRUE(calls_->rewind(8, hash_of(8)).error() == Errc::invalid_argument);
  const auto rewound = calls_->rewind(7, hash_of(8)).value();
  EXPECT_EQ(rewound.from, block_at(10).ref());
  EXPECT_EQ(rewound.to, block_at(7).ref());
  EXPECT_EQ(rewound.orphaned, 3u);
  EXPECT_EQ(orphan(9), OrphanReason::rewound);
  EXPECT_TRUE(calls_->extend(block_at(8)).error() == Errc::denied);
  EXPECT_TRUE(calls_->move_head(block_at(10)).error() == Errc::denied);
  const auto down = store_->descend(block_at(10).ref()).value();
  EXPECT_EQ(down.lowest, block_at(9).ref()) << "8 is gone";
  EXPECT_FALSE(down.canonical);
  EXPECT_EQ(store_->view(1).value().denied, std::vector<Hash>{hash_of(8)});
  reopen();
  EXPECT_TRUE(calls_->keep(block_at(8)).error() == Errc::denied);
  calls_->branch_off(8, 9, 1);
  EXPECT_TRUE(calls_->move_head(block_at(9, 300, 1, 1)));
}

TEST_P(StoreChain, what_a_rewind_orphaned_is_no_candidate_until_it_comes_anew) {
  ASSERT_TRUE(calls_->open_era(7, 1));
  calls_->extend_with(1, 10);
  calls_->branch_off(9, 9, 1, 0);
  ASSERT_TRUE(calls_->rewind(7));
  const auto candidates = [this] {
    std::vector<std::pair<std::uint64_t, std::uint8_t>> out;
    for (const auto& known : store_->view(100).value().recent)
      if (known.orphan) out.emplace_back(known.ref.number, known.ref.hash[31]);
    return out;
  };
  using Candidates = std::vector<std::pair<std::uint64_t, std::uint8_t>>;
  EXPECT_EQ(candidates(), (Candidates{{9, 1}})) << "a branch that the node had left before may win";
  EXPECT_EQ(store_->by_hash(hash_of(9)).value()->orphaned, now_);
  now_ += libp2p::Seconds(1);
  const auto again = calls_->keep(block_at(9), attestation_of(7, 1)).value();
  EXPECT_TRUE(again.was_there);
  EXPECT_TRUE(again.parent_there);
  EXPECT_FALSE(again.canonical);
  EXPECT_EQ(orphan(9), OrphanReason::waiting);
  EXPECT_EQ(store_->by_hash(hash_of(9)).value()->orphaned, now_);
  EXPECT_EQ(orphan(8), OrphanReason::rewound);
  EXPECT_EQ(candidates(), (Candidates{{9, 0}, {9, 1}}));
  EXPECT_TRUE(calls_->extend(block_at(8)).value().canonical) << "it may extend the head, too";
  reopen();
  EXPECT_EQ(candidates(), (Candidates{{9, 0}, {9, 1}}));
  EXPECT_TRUE(calls_->move_head(block_at(11), true).error() == Errc::mismatch) << "not stored";
  ASSERT_TRUE(calls_->keep(block_at(11)));
  EXPECT_EQ(calls_->move_head(block_at(11), true).value().depth, 0u) << "a block on top brings back what is below it";
  EXPECT_EQ(segments(), "1-11");
  EXPECT_FALSE(orphan(10));
}

TEST_P(StoreChain, a_branch_whose_missing_parent_is_denied_is_not_followed) {
  calls_->extend_with(1, 10);
  ASSERT_TRUE(calls_->rewind(7, hash_of(20)));
  calls_->branch_off(21, 23, 0);
  EXPECT_TRUE(calls_->move_head(block_at(23), false).error() == Errc::denied);
  EXPECT_EQ(segments(), "1-7");
}

TEST_P(StoreChain, a_hole_is_filled_down_to_a_denied_block) {
  calls_->extend_with(1, 10);
  ASSERT_TRUE(calls_->rewind(7, hash_of(9)));
  calls_->branch_off(12, 13, 0);
  ASSERT_TRUE(calls_->move_head(block_at(13), false));
  EXPECT_EQ(segments(), "1-7 12-13");
  EXPECT_TRUE(calls_->keep(block_at(11)).value().canonical) << "11 names 10, which descends from 9";
  EXPECT_EQ(segments(), "1-7 10-13");
  EXPECT_FALSE(is_stored(9));
  EXPECT_TRUE(calls_->keep(block_at(9)).error() == Errc::denied);
}

TEST_P(StoreChain, rewinding_below_a_hole_keeps_the_upper_segment_as_orphans) {
  chain_with_a_hole();
  ASSERT_TRUE(calls_->rewind(5));
  EXPECT_EQ(segments(), "1-5");
  EXPECT_EQ(orphan(20), OrphanReason::rewound);
  const auto moved = calls_->move_head(block_at(22), false).value();
  ASSERT_EQ(moved.segments.size(), 2u);
  EXPECT_EQ(moved.segments[0].highest, 5u);
  EXPECT_EQ(moved.segments[1].lowest.number, 20u);
  EXPECT_EQ(segments(), "1-5 20-22");
  EXPECT_FALSE(orphan(20));
}

TEST_P(StoreChain, blocks_wait_before_there_is_a_chain) {
  calls_->branch_off(20, 22, 0);
  EXPECT_FALSE(store_->summary().value().head);
  EXPECT_FALSE(store_->view(10).value().head);
  const auto moved = calls_->move_head(block_at(22), false).value();
  EXPECT_TRUE(moved.segments.back().is_base);
  EXPECT_EQ(moved.from, BlockRef());
  EXPECT_EQ(segments(), "20-22");
}

TEST_P(StoreChain, the_reorganisations_of_the_last_minutes_are_read_with_the_lowest_block_of_each) {
  calls_->extend_with(1, 10);
  calls_->branch_off(8, 12, 1);
  calls_->branch_off(5, 14, 2);
  ASSERT_TRUE(calls_->move_head(block_at(12, 300, 1, 1)));
  const auto first = now_;
  now_ += libp2p::Seconds(60);
  ASSERT_TRUE(calls_->move_head(block_at(14, 300, 2, 2)));
  const auto forks = store_->view(100).value().forks;
  ASSERT_EQ(forks.size(), 2u);
  EXPECT_EQ(forks[0].at, first);
  EXPECT_EQ(forks[0].lowest, 8u);
  EXPECT_EQ(forks[1].at, now_);
  EXPECT_EQ(forks[1].lowest, 5u);
}

TEST_P(StoreChain, a_reorganisation_moves_no_body) {
  calls_->extend_with(1, 4);
  calls_->extend_with(5, 30, 20'000);
  calls_->branch_off(5, 32, 1, 0, 20'000);
  const auto held = [this](std::uint64_t number, std::uint8_t fork) {
    return store_->by_hash(hash_of(number, fork)).value()->block.body;
  };
  const auto* const body = held(10, 1).data();
  const auto bytes = store_->summary().value().bytes;
  ASSERT_TRUE(calls_->move_head(block_at(32, 20'000, 1, 1)));
  EXPECT_EQ(held(10, 0), block_at(10, 20'000).body);
  EXPECT_EQ(held(10, 1), block_at(10, 20'000, 1, 1).body);
  if (!GetParam()) {
    EXPECT_EQ(held(10, 1).data(), body) << "the same bytes in memory";
  }
  EXPECT_LE(store_->summary().value().bytes, bytes + 32 * 1024);
}

INSTANTIATE_TEST_SUITE_P(Both, StoreChain, testing::Values(false, true), name_of_store);

}  // namespace
}  // namespace opp2p
