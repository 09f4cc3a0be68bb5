// What every store does with blocks that come one after the other, held to both implementations. What it does with
// branches and holes is in store_chain_test.cpp.
#include <gtest/gtest.h>

#include "opp2p/store/faulty_store.hpp"
#include "opp2p/store/store_rules_test.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

class StoreBasics : public StoreRules {};

TEST_P(StoreBasics, keeps_what_it_acknowledges_by_number_and_by_hash) {
  calls_->extend_with(1, 5, 200000);
  const auto block = store_->by_number(3).value();
  ASSERT_TRUE(block);
  EXPECT_EQ(block->hash, hash_of(3));
  EXPECT_EQ(block->parent_hash, hash_of(2));
  EXPECT_EQ(block->timestamp, 1006u);
  EXPECT_EQ(block->version, Version::v3);
  EXPECT_EQ(block->body, block_at(3, 200000).body);
  EXPECT_EQ(store_->by_hash(hash_of(4)).value()->block.number, 4u);
  EXPECT_FALSE(store_->by_number(6).value());
  EXPECT_FALSE(store_->by_hash(hash_of(6)).value());
  const auto summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, 5u);
  EXPECT_EQ(summary.lowest, 1u);
  ASSERT_TRUE(summary.head);
  EXPECT_EQ(summary.head->number, 5u);
  EXPECT_EQ(summary.head->hash, hash_of(5));
  EXPECT_EQ(summary.segments.size(), 1u);
}

TEST_P(StoreBasics, its_bytes_are_those_of_all_tables) {
  const std::uint64_t empty = store_->summary().value().bytes;
  ASSERT_TRUE(calls_->extend(block_at(1, 1000)));
  const std::uint64_t one = store_->summary().value().bytes;
  EXPECT_GE(one, empty + (GetParam() ? 4 * 4096 : 1000)) << "blocks, headers, hashes and the canonical chain";
  for (std::uint64_t n = 2; n <= 100; ++n) ASSERT_TRUE(calls_->extend(block_at(n, 1000)));
  const std::uint64_t many = store_->summary().value().bytes;
  EXPECT_GE(many, one + 99'000);
  EXPECT_LE(many, one + 400'000);
}

TEST_P(StoreBasics, nothing_is_told_of_pruning_where_nothing_went) {
  EXPECT_FALSE(calls_->extend(block_at(1)).value().pruned);
}

TEST_P(StoreBasics, an_empty_store_takes_any_block_as_its_head_and_then_only_what_connects) {
  EXPECT_FALSE(store_->summary().value().head);
  const auto first = calls_->extend(block_at(100)).value();
  EXPECT_TRUE(first.canonical);
  EXPECT_FALSE(first.parent_there);
  EXPECT_FALSE(first.was_there);
  EXPECT_TRUE(calls_->extend(block_at(102)).error() == Errc::mismatch);
  auto stranger = block_at(101);
  stranger.parent_hash = hash_of(7);
  EXPECT_TRUE(calls_->extend(stranger).error() == Errc::mismatch);
  EXPECT_TRUE(calls_->extend(block_at(99)).error() == Errc::mismatch);
  EXPECT_TRUE(calls_->extend(block_at(101)));
  EXPECT_EQ(store_->summary().value().head->number, 101u);
}

TEST_P(StoreBasics, what_is_there_is_acknowledged_again_and_the_first_signature_stays) {
  ASSERT_TRUE(calls_->open_era(7, 10));
  ASSERT_TRUE(calls_->extend(block_at(1)));
  const auto again = calls_->extend(block_at(1), attestation_of(7, 1, 20)).value();
  EXPECT_TRUE(again.was_there);
  EXPECT_TRUE(again.canonical);
  ASSERT_TRUE(calls_->keep(block_at(1), attestation_of(8, 1, 30)));
  EXPECT_EQ(store_->by_hash(hash_of(1)).value()->attestation, attestation_of(7, 1, 20));
  auto elsewhere = block_at(2);
  elsewhere.hash = hash_of(1);
  EXPECT_TRUE(calls_->keep(elsewhere).error() == Errc::mismatch) << "a hash has one number";
}

TEST_P(StoreBasics, iterates_in_ascending_order_and_stops_when_told) {
  calls_->extend_with(1, 40);
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(store_->for_each(5, 30, [&](const StoredBlock& b) {
    seen.push_back(b.number);
    return b.number < 28;
  }));
  ASSERT_EQ(seen.size(), 24u);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], 5 + i);
}

TEST_P(StoreBasics, tells_blocks_from_one_number_to_another_in_order) {
  calls_->extend_with(3, 7, 5000);
  for (const bool heads : {false, true}) {
    EXPECT_EQ(numbers(4, 6, heads), (Numbers{4, 5, 6}));
    EXPECT_EQ(numbers(0, 3, heads), Numbers{3});
    EXPECT_EQ(numbers(7, UINT64_MAX, heads), Numbers{7});
    EXPECT_EQ(numbers(3, 7, heads, 2), (Numbers{3, 4}));
    EXPECT_EQ(numbers(8, 9, heads), Numbers());
    EXPECT_EQ(numbers(0, 2, heads), Numbers());
  }
}

TEST_P(StoreBasics, gives_bodies_of_every_size_back_however_it_holds_them) {
  std::uint64_t number = 0;
  for (const std::size_t size : {1, 4096, 4097, 65'536, 300'000}) {
    const auto block = block_at(++number, size);
    ASSERT_TRUE(calls_->extend(block));
    const auto back = store_->by_number(number).value();
    ASSERT_TRUE(back);
    EXPECT_FALSE(back->framed);
    EXPECT_EQ(back->body, block.body);
    EXPECT_EQ(store_->by_hash(block.hash).value()->block.body, block.body);
    const auto held = store_->as_stored(number).value();
    ASSERT_TRUE(held);
    EXPECT_EQ(unframed(*held).value().body, block.body);
    if (GetParam()) {
      EXPECT_EQ(held->framed, size > 4096) << "the database compresses what is worth it";
    }
  }
  ASSERT_TRUE(store_->for_each(1, number, [&](const StoredBlock& block) {
    EXPECT_EQ(block.body, store_->by_number(block.number).value()->body);
    return true;
  }));
}

TEST_P(StoreBasics, a_closed_store_refuses_with_an_answer) {
  ASSERT_TRUE(calls_->extend(block_at(1)));
  store_->close();
  const auto late = calls_->extend(block_at(2));
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error() == Errc::closed);
}

TEST_P(StoreBasics, a_store_that_starts_at_genesis_has_it_as_its_lowest_block_and_serves_none) {
  EXPECT_TRUE(calls_->start_at(0));
  EXPECT_TRUE(calls_->start_at(0)) << "the same again";
  EXPECT_TRUE(calls_->start_at(5).error() == Errc::mismatch);
  auto summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, 0u);
  EXPECT_FALSE(summary.lowest);
  EXPECT_EQ(summary.head->number, 0u);
  EXPECT_EQ(summary.segments.size(), 1u);
  EXPECT_TRUE(summary.segments[0].is_base);
  EXPECT_FALSE(store_->by_number(0).value());
  EXPECT_TRUE(store_->by_hash(hash_of(0)).value()->block.bodiless);
  calls_->extend_with(1, 3);
  summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, 3u);
  EXPECT_EQ(summary.lowest, 1u);
  EXPECT_EQ(summary.segments.size(), 1u);
  for (const bool heads : {false, true}) EXPECT_EQ(numbers(0, 9, heads), (Numbers{1, 2, 3}));
  EXPECT_TRUE(calls_->start_at(0));
}

TEST_P(StoreBasics, eras_are_numbered_upwards_and_a_signer_that_stays_opens_none) {
  EXPECT_EQ(calls_->open_era(1, 10).value().era, 1u);
  EXPECT_EQ(calls_->open_era(1, 20).value().opened, libp2p::from_unix_seconds(10));
  EXPECT_EQ(calls_->open_era(2, 30).value().era, 2u);
  EXPECT_EQ(calls_->open_era(1, 40).value().era, 3u);
  const auto eras = store_->view(1).value().eras;
  ASSERT_EQ(eras.size(), 3u);
  EXPECT_EQ(eras[1].era, 2u);
  EXPECT_EQ(eras[1].signer[0], 2);
  EXPECT_EQ(eras[2].opened, libp2p::from_unix_seconds(40));
}

TEST(RealBlocks, have_the_header_of_their_hash_in_the_database) {
  Folder folder;
  Mailbox mailbox;
  const auto store = LmdbStore::open(config_in(folder.path()), mailbox.post()).value();
  Calls calls(*store, mailbox);
  Hash parent{};
  for (std::uint64_t n = 1; n <= 3; ++n) {
    const auto block = real_block(n, parent, n == 2 ? 9000 : 100);
    ASSERT_TRUE(calls.extend(block));
    parent = block.hash;
  }
  std::size_t seen = 0;
  ASSERT_TRUE(store->for_each_head(1, 3, [&](const StoredBlock& block) {
    EXPECT_TRUE(block.header && libp2p::crypto::keccak256(*block.header) == block.hash);
    ++seen;
    return true;
  }));
  EXPECT_EQ(seen, 3u);
  EXPECT_TRUE(store->by_hash(parent).value()->block.header);
  const auto checked = store->check(CheckDepth{.bodies = true}).value();
  EXPECT_EQ(checked.defect_count, 0u) << checked.defects.front();
  EXPECT_EQ(checked.blocks, 3u);
}

TEST(RealBlocks, of_a_store_without_headers_are_sound_by_their_bodies) {
  Mailbox mailbox;
  MemoryStore store(mailbox.post());
  Calls calls(store, mailbox);
  ASSERT_TRUE(calls.extend(real_block(1, Hash{}, 100)));
  const auto checked = store.check(CheckDepth{.bodies = true}).value();
  EXPECT_EQ(checked.defect_count, 0u) << checked.defects.front();
  EXPECT_EQ(checked.blocks, 1u);
}

TEST(FaultyStore, fails_holds_and_loses_as_told) {
  Mailbox mailbox;
  MemoryStore inner(mailbox.post());
  FaultyStore store(inner, mailbox.post());
  std::vector<bool> outcomes;
  const auto note = [&](const auto& r) { outcomes.push_back(static_cast<bool>(r)); };
  store.fail_writes(1);
  store.keep(block_at(1), std::nullopt, true, note);
  store.keep(block_at(1), std::nullopt, true, note);
  mailbox.run_until([&] { return outcomes.size() == 2; });
  EXPECT_EQ(outcomes, (std::vector<bool>{false, true}));
  store.hold_writes();
  store.keep(block_at(2), std::nullopt, true, note);
  store.keep(block_at(3), std::nullopt, true, note);
  EXPECT_EQ(store.unsynced(), 2u);
  EXPECT_EQ(inner.summary().value().blocks, 1u);
  store.lose_unsynced();
  store.keep(block_at(2), std::nullopt, true, note);
  store.rewind(1, std::nullopt, note);
  store.sync();
  mailbox.run_until([&] { return outcomes.size() == 4; });
  EXPECT_EQ(inner.summary().value().blocks, 1u);
  EXPECT_EQ(inner.summary().value().orphans, 1u);
  const auto visit = [](const StoredBlock&) { return true; };
  for (const bool fails : {true, false}) {
    store.fail_reads(fails ? 5 : 0);
    EXPECT_EQ(store.by_number(1).has_value(), !fails);
    EXPECT_EQ(store.by_hash(hash_of(1)).has_value(), !fails);
    EXPECT_EQ(store.for_each(1, 2, visit).has_value(), !fails);
    EXPECT_EQ(store.view(1).has_value(), !fails);
    EXPECT_EQ(store.descend(block_at(1).ref()).has_value(), !fails);
  }
}

INSTANTIATE_TEST_SUITE_P(Both, StoreBasics, testing::Values(false, true), name_of_store);

}  // namespace
}  // namespace opp2p
