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

// ---- blocks that go from the disk ----

using Numbers = std::vector<std::uint64_t>;

// A block of a branch; `below` is the branch of its parent.
TreeBlock tree_block_on(std::uint64_t number, unsigned branch, unsigned below) {
  TreeBlock out;
  out.ref = {number, fuzzing::hash_of(number, branch), fuzzing::hash_of(number - 1, below)};
  out.signed_in = 1;
  return out;
}

class BlockTreeForgets : public testing::Test {
 protected:
  static constexpr unsigned kHead = 9;
  BlockTreeForgets() {
    BlockTreeLimits limits;
    limits.window = 4;
    tree_ = BlockTree(limits);
    add(100, kHead, kHead);
  }
  void add(std::uint64_t number, unsigned branch, unsigned below) { tree_.add(tree_block_on(number, branch, below)); }
  static BlockRef ref(std::uint64_t number, unsigned branch = 0) { return tree_block_on(number, branch, branch).ref; }
  const BlockTree::Component& component(std::uint64_t number, unsigned branch = 0) const {
    return tree_.component(tree_.component_of(fuzzing::hash_of(number, branch)));
  }
  // The numbers of the blocks below which the disk is to be asked.
  Numbers forget(const std::vector<BlockRef>& gone) {
    Numbers out;
    for (const BlockRef& block : tree_.forget(gone, ref(100, kHead))) out.push_back(block.number);
    tree_.check();
    return out;
  }
  // Below block 20 of branch 0 lie blocks from `lowest` on, on the disk only.
  void lies_below_20(std::uint64_t lowest, bool is_base = false) {
    Descent below;
    below.lowest = ref(lowest);
    below.is_base = is_base;
    tree_.descend_to(tree_.component_of(fuzzing::hash_of(20, 0)), below);
  }
  BlockTree tree_;
};

TEST_F(BlockTreeForgets, a_block_in_memory_and_what_stood_on_it_waits_for_it) {
  for (std::uint64_t n = 20; n <= 24; ++n) add(n, 0, 0);
  EXPECT_EQ(forget({ref(22)}), Numbers()) << "nothing lay on the disk only";
  EXPECT_EQ(component(21).lowest, ref(20));
  EXPECT_EQ(component(24).lowest, ref(23));
  EXPECT_EQ(tree_.components().size(), 3u);
}

TEST_F(BlockTreeForgets, the_lowest_block_of_those_on_the_disk_only) {
  add(20, 0, 0);
  lies_below_20(15);
  EXPECT_EQ(forget({ref(15)}), (Numbers{20})) << "16 to 19 may be there";
  EXPECT_EQ(component(20).lowest, ref(20)) << "until the disk has said so";
}

TEST_F(BlockTreeForgets, one_in_the_middle_of_those_on_the_disk_only) {
  add(20, 0, 0);
  lies_below_20(15, true);
  EXPECT_EQ(forget({ref(17)}), (Numbers{20}));
  EXPECT_FALSE(component(20).is_base);
}

TEST_F(BlockTreeForgets, the_parent_of_a_block_in_memory_is_known_to_be_missing) {
  add(20, 0, 0);
  lies_below_20(15);
  EXPECT_EQ(forget({ref(19)}), Numbers());
  EXPECT_EQ(component(20).lowest, ref(20));
}

TEST_F(BlockTreeForgets, one_on_the_disk_only_between_two_in_memory) {
  add(20, 0, 0);
  lies_below_20(18);
  add(17, 0, 0);
  EXPECT_EQ(forget({ref(18)}), (Numbers{20}));
  EXPECT_EQ(component(17).lowest, ref(17));
  EXPECT_EQ(component(20).lowest, ref(20));
  tree_.remove(ref(17).hash);
  EXPECT_EQ(component(20).lowest, ref(20)) << "and not 18, which has gone";
}

TEST_F(BlockTreeForgets, what_connected_two_branches_on_the_disk_only) {
  add(20, 1, 1);
  for (std::uint64_t n = 21; n <= 30; ++n) {
    add(n, 1, 1);
    add(n, 2, n == 21 ? 1 : 2);
  }
  tree_.trim(ref(100, kHead));
  ASSERT_EQ(tree_.find(fuzzing::hash_of(25, 1)), nullptr);
  EXPECT_EQ(forget({ref(20, 1)}), (Numbers{26, 26}));
  EXPECT_NE(tree_.component_of(fuzzing::hash_of(30, 1)), tree_.component_of(fuzzing::hash_of(30, 2)));
  add(25, 2, 2);
  tree_.check();
  EXPECT_EQ(component(30, 2).lowest, ref(25, 2));
}

TEST_F(BlockTreeForgets, what_others_stand_on_changes_nothing) {
  for (std::uint64_t n = 20; n <= 24; ++n) add(n, 0, 0);
  lies_below_20(15, true);
  EXPECT_EQ(forget({ref(14), ref(40), ref(99, kHead), ref(101, kHead)}), Numbers());
  EXPECT_EQ(component(24).lowest, ref(15));
  EXPECT_TRUE(component(24).is_base);
}

TEST_F(BlockTreeForgets, the_canonical_blocks_below_the_head_are_there_whatever_orphans_go) {
  Descent below;
  below.lowest = ref(1, kHead);
  tree_.descend_to(tree_.component_of(fuzzing::hash_of(100, kHead)), below);
  EXPECT_EQ(forget({ref(50, 3)}), Numbers());
  EXPECT_EQ(component(100, kHead).lowest, ref(1, kHead));
}

// ---- limits ----

TEST(BlockTree, the_best_branch_stays_where_the_head_s_alone_is_above_the_limit) {
  BlockTreeLimits limits;
  limits.blocks = 3;
  BlockTree tree(limits);
  for (std::uint64_t n = 1; n <= 5; ++n) tree.add(tree_block_on(n, 0, 0));
  tree.add(tree_block_on(20, 1, 1));
  tree.add(tree_block_on(30, 2, 2));
  tree.trim(tree_block_on(5, 0, 0).ref);
  EXPECT_EQ(tree.find(fuzzing::hash_of(20, 1)), nullptr);
  EXPECT_NE(tree.find(fuzzing::hash_of(30, 2)), nullptr);
}

}  // namespace
}  // namespace opstack::sync
