#include <gtest/gtest.h>

#include "opp2p/store/memory_store.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

// The rules of a store, held to both implementations.
class StoreRules : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      auto opened = LmdbStore::open(config_in(folder_.path()), mailbox_.post());
      ASSERT_TRUE(opened) << opened.error().message();
      store_ = std::move(*opened);
    } else {
      store_ = std::make_unique<MemoryStore>(mailbox_.post());
    }
  }
  void TearDown() override {
    if (store_) store_->close();
  }

  Result<void> put(StoredBlock block) {
    std::optional<Result<void>> outcome;
    store_->put(std::move(block), [&](Result<void> r) { outcome = std::move(r); });
    EXPECT_FALSE(outcome);  // never within the call
    mailbox_.run_until([&] { return outcome.has_value(); });
    return *outcome;
  }
  void stage(std::uint64_t segment, std::uint64_t number, std::size_t size = 300) {
    bool done = false;
    store_->stage(segment, staged_at(number, size), [&](Result<void> r) { done = static_cast<bool>(r); });
    mailbox_.run_until([&] { return done; });
  }
  std::vector<std::uint64_t> staged_numbers(std::uint64_t segment, std::uint64_t from, std::size_t blocks = 100,
                                            std::size_t bytes = 1 << 20) {
    std::vector<std::uint64_t> out;
    for (const auto& record : store_->read_staged(segment, from, blocks, bytes).value()) {
      EXPECT_EQ(record.peer, (Bytes{1, 2, 3}));
      EXPECT_EQ(record.block.body, block_at(record.block.number, record.block.body.size()).body);
      out.push_back(record.block.number);
    }
    return out;
  }

  Folder folder_;
  Mailbox mailbox_;
  std::unique_ptr<BlockStore> store_;
};

TEST_P(StoreRules, keeps_what_it_acknowledges_by_number_and_by_hash) {
  for (std::uint64_t n = 1; n <= 5; ++n) ASSERT_TRUE(put(block_at(n, 200000)));
  const auto block = store_->by_number(3).value();
  ASSERT_TRUE(block);
  EXPECT_EQ(block->hash, hash_of(3));
  EXPECT_EQ(block->parent_hash, hash_of(2));
  EXPECT_EQ(block->timestamp, 1006u);
  EXPECT_EQ(block->version, Version::v3);
  EXPECT_EQ(block->body, block_at(3, 200000).body);
  EXPECT_EQ(store_->by_hash(hash_of(4)).value()->number, 4u);
  EXPECT_FALSE(store_->by_number(6).value());
  EXPECT_FALSE(store_->by_hash(hash_of(6)).value());
  const auto summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, 5u);
  EXPECT_EQ(summary.lowest, 1u);
  ASSERT_TRUE(summary.head);
  EXPECT_EQ(summary.head->number, 5u);
  EXPECT_EQ(summary.head->hash, hash_of(5));
}

TEST_P(StoreRules, an_empty_store_takes_any_block_and_then_only_what_connects) {
  EXPECT_FALSE(store_->summary().value().head);
  ASSERT_TRUE(put(block_at(100)));
  EXPECT_TRUE(put(block_at(102)).error() == Errc::mismatch);
  auto stranger = block_at(101);
  stranger.parent_hash = hash_of(7);
  EXPECT_TRUE(put(stranger).error() == Errc::mismatch);
  EXPECT_TRUE(put(block_at(99)).error() == Errc::mismatch);
  EXPECT_TRUE(put(block_at(101)));
  EXPECT_EQ(store_->summary().value().head->number, 101u);
}

TEST_P(StoreRules, of_two_blocks_at_a_height_the_first_is_kept) {
  ASSERT_TRUE(put(block_at(1)));
  ASSERT_TRUE(put(block_at(2)));
  EXPECT_TRUE(put(block_at(2)));  // the same again is acknowledged again
  const auto second = put(block_at(2, 300, 1));
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error() == Errc::mismatch);
  EXPECT_EQ(store_->by_number(2).value()->hash, hash_of(2));
  EXPECT_FALSE(store_->by_hash(hash_of(2, 1)).value());
}

TEST_P(StoreRules, iterates_in_ascending_order_and_stops_when_told) {
  for (std::uint64_t n = 1; n <= 40; ++n) ASSERT_TRUE(put(block_at(n)));
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(store_->for_each(5, 30, [&](const StoredBlock& b) {
    seen.push_back(b.number);
    return b.number < 28;
  }));
  ASSERT_EQ(seen.size(), 24u);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], 5 + i);
}

TEST_P(StoreRules, tells_blocks_from_one_number_to_another_in_order) {
  for (std::uint64_t n = 3; n <= 7; ++n) ASSERT_TRUE(put(block_at(n, 5000)));
  const auto told = [this](bool heads, std::uint64_t from, std::uint64_t to, std::size_t most = 100) {
    std::vector<std::uint64_t> out;
    const auto visit = [&](const StoredBlock& block) {
      EXPECT_EQ(block.hash, hash_of(block.number));
      if (!heads) EXPECT_EQ(block.body, block_at(block.number, 5000).body);
      out.push_back(block.number);
      return out.size() < most;
    };
    EXPECT_TRUE(heads ? store_->for_each_head(from, to, visit) : store_->for_each(from, to, visit));
    return out;
  };
  using Numbers = std::vector<std::uint64_t>;
  for (const bool heads : {false, true}) {
    EXPECT_EQ(told(heads, 4, 6), (Numbers{4, 5, 6}));
    EXPECT_EQ(told(heads, 0, 3), Numbers{3});
    EXPECT_EQ(told(heads, 7, UINT64_MAX), Numbers{7});
    EXPECT_EQ(told(heads, 3, 7, 2), (Numbers{3, 4}));
    EXPECT_EQ(told(heads, 8, 9), Numbers());
    EXPECT_EQ(told(heads, 0, 2), Numbers());
  }
}

TEST_P(StoreRules, staged_blocks_come_back_ascending_without_holes_and_within_the_limits) {
  for (const std::uint64_t n : {9u, 8u, 7u, 6u, 4u}) stage(1, n);
  stage(2, 7);
  EXPECT_EQ(staged_numbers(1, 6), (std::vector<std::uint64_t>{6, 7, 8, 9}));
  EXPECT_EQ(staged_numbers(1, 6, 2), (std::vector<std::uint64_t>{6, 7}));
  EXPECT_EQ(staged_numbers(1, 6, 100, 1), (std::vector<std::uint64_t>{6}));
  EXPECT_EQ(staged_numbers(1, 4), (std::vector<std::uint64_t>{4}));
  EXPECT_TRUE(staged_numbers(1, 5).empty());
  bool dropped = false;
  store_->drop_staged(1, [&](Result<void> r) { dropped = static_cast<bool>(r); });
  mailbox_.run_until([&] { return dropped; });
  EXPECT_TRUE(staged_numbers(1, 6).empty());
  EXPECT_EQ(staged_numbers(2, 7), (std::vector<std::uint64_t>{7}));
  EXPECT_EQ(store_->summary().value().staged, 1u);
}

TEST_P(StoreRules, gives_bodies_of_every_size_back_however_it_holds_them) {
  std::uint64_t number = 0;
  for (const std::size_t size : {1, 4096, 4097, 65'536, 300'000}) {
    const auto block = block_at(++number, size);
    ASSERT_TRUE(put(block));
    const auto back = store_->by_number(number).value();
    ASSERT_TRUE(back);
    EXPECT_FALSE(back->framed);
    EXPECT_EQ(back->body, block.body);
    EXPECT_EQ(store_->by_hash(block.hash).value()->body, block.body);
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

TEST_P(StoreRules, a_closed_store_refuses_with_an_answer) {
  ASSERT_TRUE(put(block_at(1)));
  store_->close();
  const auto late = put(block_at(2));
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error() == Errc::closed);
}

// Chain and staging have one budget, of which an eighth is kept for staging.
class StoreBudget : public StoreRules {
 protected:
  static constexpr std::uint64_t kBudget = 2 << 20;
  void SetUp() override {
    if (GetParam()) {
      auto config = config_in(folder_.path());
      config.max_size = kBudget;
      auto opened = LmdbStore::open(config, mailbox_.post());
      ASSERT_TRUE(opened) << opened.error().message();
      store_ = std::move(*opened);
    } else {
      store_ = std::make_unique<MemoryStore>(mailbox_.post(), kBudget);
    }
  }
  Result<void> try_stage(std::uint64_t segment, std::uint64_t number, std::size_t size = 50'000) {
    std::optional<Result<void>> outcome;
    store_->stage(segment, staged_at(number, size), [&](Result<void> r) { outcome = std::move(r); });
    mailbox_.run_until([&] { return outcome.has_value(); });
    return *outcome;
  }
};

TEST_P(StoreBudget, staged_blocks_count_and_those_farthest_from_the_chain_go_first) {
  for (std::uint64_t n = 1; n <= 60; ++n) ASSERT_TRUE(put(block_at(n, 50'000)));
  const auto chain = store_->summary().value();
  for (std::uint64_t n = 400; n > 300; --n) {
    ASSERT_TRUE(try_stage(1, n)) << "each is nearer to the chain than those before";
    ASSERT_LE(store_->summary().value().bytes, kBudget);
  }
  auto summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, chain.blocks) << "no block of the chain goes for a staged one";
  EXPECT_GE(summary.staged, 4u);
  EXPECT_EQ(staged_numbers(1, 301).size(), summary.staged) << "the lowest are there, without a hole";
  const auto refused = try_stage(2, 900);
  ASSERT_FALSE(refused) << "a block of another range, farther away than all others";
  EXPECT_TRUE(refused.error() == Errc::exhausted);
  EXPECT_NE(refused.error().message().find("--store.max-size"), std::string::npos) << refused.error().message();
  if (GetParam()) {
    EXPECT_LT(fs::file_size(folder_.path() / "data.mdb"), std::uintmax_t{2 * kBudget});
  }
}

TEST_P(StoreBudget, a_large_staged_block_takes_the_place_of_several_small_ones) {
  for (std::uint64_t n = 1; n <= 60; ++n) ASSERT_TRUE(put(block_at(n, 50'000)));
  for (std::uint64_t n = 400; n > 390; --n) ASSERT_TRUE(try_stage(1, n));
  const auto before = store_->summary().value().staged;
  ASSERT_TRUE(try_stage(1, 390, 150'000));
  EXPECT_LT(store_->summary().value().staged, before);
  EXPECT_LE(store_->summary().value().bytes, kBudget);
}

TEST_P(StoreBudget, what_is_staged_and_in_the_chain_already_goes_before_what_is_only_staged) {
  for (std::uint64_t n = 1; n <= 60; ++n) ASSERT_TRUE(put(block_at(n, 50'000)));
  for (const std::uint64_t n : {64u, 63u, 62u, 61u}) ASSERT_TRUE(try_stage(1, n));
  for (std::uint64_t n = 61; n <= 62; ++n) ASSERT_TRUE(put(block_at(n, 50'000)));
  for (const std::uint64_t n : {68u, 67u}) (void)try_stage(1, n);
  EXPECT_EQ(staged_numbers(1, 63, 2), (std::vector<std::uint64_t>{63, 64}));
  EXPECT_EQ(staged_numbers(1, 67), (std::vector<std::uint64_t>{67, 68}));
  EXPECT_LE(store_->summary().value().bytes, kBudget);
}

TEST_P(StoreBudget, the_staged_block_that_is_the_head_goes_first_too) {
  for (std::uint64_t n = 1; n <= 60; ++n) ASSERT_TRUE(put(block_at(n, 50'000)));
  ASSERT_TRUE(try_stage(1, 61));
  ASSERT_TRUE(put(block_at(61, 50'000)));
  std::size_t staged = 1;
  for (std::uint64_t n = 300; n > 200 && store_->summary().value().staged == staged; --n, ++staged)
    ASSERT_TRUE(try_stage(2, n));
  EXPECT_TRUE(staged_numbers(1, 61).empty());
  EXPECT_EQ(staged_numbers(2, 300).size(), 1u) << "the one farthest away is still there";
}

TEST_P(StoreBudget, a_staged_block_larger_than_its_room_is_kept_while_it_is_the_only_one) {
  ASSERT_TRUE(put(block_at(1, 1'500'000)));
  bool done = false;
  store_->stage(1, staged_at(5, 1'000'000), [&](Result<void> r) { done = static_cast<bool>(r); });
  mailbox_.run_until([&] { return done; });
  EXPECT_EQ(store_->summary().value().staged, 1u);
  ASSERT_TRUE(try_stage(1, 4));
  EXPECT_EQ(staged_numbers(1, 4, 9), (std::vector<std::uint64_t>{4})) << "the larger one had to go";
  EXPECT_EQ(store_->summary().value().blocks, 1u);
}

INSTANTIATE_TEST_SUITE_P(Both, StoreBudget, testing::Values(false, true),
                         [](const auto& param) { return param.param ? "Lmdb" : "Memory"; });
INSTANTIATE_TEST_SUITE_P(Both, StoreRules, testing::Values(false, true),
                         [](const auto& param) { return param.param ? "Lmdb" : "Memory"; });

TEST(FaultyStore, fails_holds_and_loses_as_told) {
  Mailbox mailbox;
  MemoryStore inner(mailbox.post());
  FaultyStore store(inner, mailbox.post());
  std::vector<bool> outcomes;
  const auto note = [&](Result<void> r) { outcomes.push_back(static_cast<bool>(r)); };
  store.fail_writes(1);
  store.put(block_at(1), note);
  store.put(block_at(1), note);
  mailbox.run_until([&] { return outcomes.size() == 2; });
  EXPECT_EQ(outcomes, (std::vector<bool>{false, true}));
  store.hold_writes();
  store.put(block_at(2), note);
  store.put(block_at(3), note);
  EXPECT_EQ(store.unsynced(), 2u);
  EXPECT_EQ(inner.summary().value().blocks, 1u);
  store.lose_unsynced();
  store.put(block_at(2), note);
  store.sync();
  mailbox.run_until([&] { return outcomes.size() == 3; });
  EXPECT_EQ(inner.summary().value().blocks, 2u);
  const auto visit = [](const StoredBlock&) { return true; };
  for (const bool fails : {true, false}) {
    store.fail_reads(fails ? 4 : 0);
    EXPECT_EQ(store.by_number(1).has_value(), !fails);
    EXPECT_EQ(store.by_hash(hash_of(1)).has_value(), !fails);
    EXPECT_EQ(store.for_each(1, 2, visit).has_value(), !fails);
    EXPECT_EQ(store.read_staged(1, 1, 1, 1).has_value(), !fails);
  }
}

}  // namespace
}  // namespace opp2p
