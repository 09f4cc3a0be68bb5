// What the store keeps when its budget is used up, held to both stores (block_store.hpp, "Budget").
#include "opp2p/store/store_rules_test.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

class StoreBudget : public StoreRules {
 protected:
  static constexpr std::uint64_t kBudget = 4 << 20;
  static constexpr std::size_t kSize = 50'000;
  StoreBudget() : StoreRules(kBudget) {}

  // A chain that fills its share.
  void fill_up(std::uint64_t from = 1, std::uint64_t to = 100) {
    calls_->extend_with(from, to, kSize);
    const auto summary = store_->summary().value();
    EXPECT_EQ(summary.blocks + summary.pruned, to - from + 1);
    EXPECT_GT(summary.pruned, 0u);
    EXPECT_LE(summary.bytes, kBudget);
  }
};

TEST_P(StoreBudget, the_lowest_blocks_of_the_chain_go_first_and_the_head_stays) {
  fill_up();
  auto summary = store_->summary().value();
  EXPECT_EQ(summary.head->number, 100u);
  EXPECT_EQ(summary.lowest, 101 - summary.blocks);
  EXPECT_GT(summary.blocks, 50u);
  EXPECT_EQ(segments(), std::to_string(*summary.lowest) + "-100");
  EXPECT_FALSE(is_stored(1));
  ASSERT_TRUE(calls_->extend(block_at(101, 6 << 20))) << "larger than the budget by itself";
  summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, 1u);
  EXPECT_EQ(summary.head->number, 101u);
}

TEST_P(StoreBudget, no_block_of_the_chain_goes_for_another_one) {
  fill_up();
  const auto chain = store_->summary().value();
  calls_->branch_off(60, 100, 1, 0, kSize);
  const auto summary = store_->summary().value();
  EXPECT_EQ(summary.blocks, chain.blocks);
  EXPECT_LE(summary.bytes, kBudget);
  EXPECT_GE(summary.orphans, 18u);
  EXPECT_LT(summary.orphans, 21u) << "a quarter";
  EXPECT_FALSE(is_stored(60, 1)) << "the oldest go";
  EXPECT_TRUE(is_stored(100, 1));
  const auto down = store_->descend(block_at(100, kSize, 1, 1).ref()).value();
  EXPECT_EQ(down.lowest.number, 101 - summary.orphans);
  EXPECT_FALSE(down.canonical);
}

TEST_P(StoreBudget, a_block_that_would_be_the_first_to_go_is_refused) {
  calls_->extend_with(1, 3, kSize);
  const auto refused = calls_->keep(block_at(3, 1'500'000, 1, 0));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error() == Errc::exhausted);
  EXPECT_NE(refused.error().text().find("--store.max-size"), std::string::npos) << refused.error().text();
  EXPECT_EQ(store_->summary().value().orphans, 0u);
  EXPECT_TRUE(calls_->extend(block_at(4, 1'500'000))) << "one of the chain has room";
}

TEST_P(StoreBudget, orphans_go_after_a_day) {
  calls_->extend_with(1, 10);
  calls_->branch_off(9, 12, 1);
  now_ += std::chrono::hours(20);
  ASSERT_TRUE(calls_->move_head(block_at(12, 300, 1, 1)));
  ASSERT_TRUE(calls_->keep(block_at(12, 300, 2, 1)));
  now_ += std::chrono::hours(5);
  ASSERT_TRUE(calls_->extend(block_at(13, 300, 1, 1)));
  EXPECT_EQ(orphan(9), OrphanReason::reorganised) << "orphans for five hours only";
  now_ += std::chrono::hours(20);
  ASSERT_TRUE(calls_->extend(block_at(14, 300, 1, 1)));
  EXPECT_FALSE(is_stored(9));
  EXPECT_FALSE(is_stored(10));
  EXPECT_FALSE(is_stored(12, 2));
  EXPECT_EQ(store_->summary().value().orphans, 0u);
  EXPECT_EQ(numbers(1, 20).size(), 14u);
}

TEST_P(StoreBudget, a_hole_is_filled_while_something_lies_below_it_and_the_lowest_segment_pays) {
  calls_->extend_with(1, 40, kSize);
  calls_->branch_off(100, 110, 0, 0, kSize);
  ASSERT_TRUE(calls_->move_head(block_at(110, kSize), false));
  std::uint64_t n = 99;
  while (segments().find(' ') != std::string::npos) {
    const auto kept = calls_->keep(block_at(n, kSize));
    ASSERT_TRUE(kept) << n << ": " << kept.error().message();
    ASSERT_TRUE(kept->canonical);
    --n;
  }
  EXPECT_GT(n, 40u) << "all below the hole is gone before it is filled";
  EXPECT_EQ(segments(), std::to_string(n + 1) + "-110") << "its upper segment is the base";
  const auto refused = calls_->keep(block_at(n, kSize));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error() == Errc::exhausted);
  EXPECT_EQ(segments(), std::to_string(n + 1) + "-110");
  EXPECT_FALSE(is_stored(n));
}

TEST_P(StoreBudget, a_block_below_the_lowest_one_is_refused_when_there_is_no_room_for_it) {
  calls_->extend_with(100, 110, kSize);
  std::uint64_t n = 99;
  Result<KeptBlock> last = calls_->keep(block_at(n, kSize));
  for (; last && n > 10; last = calls_->keep(block_at(--n, kSize))) EXPECT_TRUE(last->canonical) << n;
  EXPECT_LT(n, 90u);
  ASSERT_FALSE(last);
  EXPECT_TRUE(last.error() == Errc::exhausted);
}

TEST_P(StoreBudget, pruning_makes_the_child_of_a_removed_block_the_lowest_of_its_branch) {
  calls_->extend_with(1, 5, kSize);
  calls_->branch_off(3, 5, 1);  // on 2
  calls_->extend_with(6, 100, kSize);
  EXPECT_FALSE(is_stored(2));
  const auto down = store_->descend(block_at(5, 300, 1, 1).ref()).value();
  EXPECT_EQ(down.lowest, block_at(3, 300, 1, 0).ref());
  EXPECT_FALSE(down.canonical);
  EXPECT_FALSE(down.is_base);
}

TEST_P(StoreBudget, genesis_is_pruned_as_the_lowest_block) {
  ASSERT_TRUE(calls_->start_at(0));
  calls_->extend_with(1, 100, kSize);
  EXPECT_FALSE(is_stored(0));
  EXPECT_TRUE(calls_->start_at(0).error() == Errc::mismatch);
}

TEST_P(StoreBudget, the_file_stays_near_the_budget) {
  if (!GetParam()) return;
  for (std::uint64_t n = 1; n < 400; n += 100) calls_->extend_with(n, n + 99, kSize);
  EXPECT_LT(fs::file_size(folder_.path() / "data.mdb"), std::uintmax_t{2 * kBudget});
}

INSTANTIATE_TEST_SUITE_P(Both, StoreBudget, testing::Values(false, true), name_of_store);

}  // namespace
}  // namespace opp2p
