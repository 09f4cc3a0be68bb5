// BlockTree: what it knows of blocks whose parents are not in memory. The rest of it is tested through UnsafeChain.
#include "opstack/sync/engine/block_tree.hpp"

#include <gtest/gtest.h>

#include "opstack/sync/engine/fuzz_chain_test.hpp"

namespace opstack::sync {
namespace {

BlockRef tree_ref(std::uint64_t number) {
  BlockRef out;
  out.number = number;
  out.hash = fuzzing::hash_of(number, 0);
  out.parent_hash = fuzzing::hash_of(number - 1, 0);
  return out;
}

TEST(BlockTree, a_block_descends_from_what_is_in_memory_below_it_and_not_from_what_may_lie_below_a_missing_parent) {
  BlockTree tree;
  for (const std::uint64_t number : {3, 4, 10, 11, 12}) {
    TreeBlock block;
    block.ref = tree_ref(number);
    tree.add(std::move(block));
  }
  EXPECT_TRUE(tree.descends(fuzzing::hash_of(12, 0), tree_ref(12)));
  EXPECT_TRUE(tree.descends(fuzzing::hash_of(12, 0), tree_ref(10)));
  EXPECT_TRUE(tree.descends(fuzzing::hash_of(12, 0), tree_ref(9))) << "the lowest one names it";
  EXPECT_FALSE(tree.descends(fuzzing::hash_of(12, 0), tree_ref(8)));
  EXPECT_FALSE(tree.descends(fuzzing::hash_of(12, 0), tree_ref(4)));
  EXPECT_FALSE(tree.descends(fuzzing::hash_of(10, 0), tree_ref(11)));
  EXPECT_FALSE(tree.descends(fuzzing::hash_of(20, 0), tree_ref(4))) << "not in memory";
  tree.check();
}

}  // namespace
}  // namespace opstack::sync
