#include "apps/devnet/branches.hpp"

#include <gtest/gtest.h>

namespace opp2p::devnet {
namespace {

using opstack::testing::ChainBuilder;

class BranchesTest : public testing::Test {
 protected:
  BlockId extend(ChainBuilder& builder) {
    const auto block = builder.next();
    branches_.add(builder);
    return {block.payload.block_number, libp2p::to_hex0x(block.payload.block_hash)};
  }

  libp2p::SeededRng rng_{1};
  ChainBuilder first_{{}, rng_};
  Branches branches_{first_};
};

TEST_F(BranchesTest, before_the_first_block_the_tip_is_genesis) {
  EXPECT_EQ(branches_.tip().number, 0u);
  EXPECT_TRUE(branches_.chain().empty());
  EXPECT_EQ(branches_.builder_below_tip(0)->head().payload.block_number, 0u);
}

TEST_F(BranchesTest, a_branch_that_begins_lower_wins_when_it_is_higher_and_not_at_a_tie) {
  std::vector<BlockId> first;
  for (int i = 0; i < 5; ++i) first.push_back(extend(first_));
  auto second = branches_.builder_below_tip(2);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->head().payload.block_number, 3u);
  second->diverge(7);
  const auto four = extend(*second);
  EXPECT_NE(four.hash, first[3].hash);
  const auto five = extend(*second);
  EXPECT_EQ(branches_.tip(), first[4]);
  const auto six = extend(*second);
  EXPECT_EQ(branches_.tip(), six);
  const std::vector<std::string> chain = {first[0].hash, first[1].hash, first[2].hash, four.hash, five.hash, six.hash};
  EXPECT_EQ(branches_.chain(), chain);
}

TEST_F(BranchesTest, builders_are_kept_for_the_last_blocks_only) {
  for (int i = 0; i < 20; ++i) extend(first_);
  EXPECT_TRUE(branches_.builder_below_tip(Branches::kBuilders - 1));
  EXPECT_FALSE(branches_.builder_below_tip(Branches::kBuilders));
  EXPECT_FALSE(branches_.builder_below_tip(100));
}

}  // namespace
}  // namespace opp2p::devnet
