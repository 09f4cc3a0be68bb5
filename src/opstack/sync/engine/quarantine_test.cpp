#include "opstack/sync/engine/quarantine.hpp"

#include <gmock/gmock.h>

#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_world::block_at;
using testing_world::hash_of;
using testing_world::peer_named;
using Key = Quarantine::Key;

constexpr std::size_t kPlenty = 1 << 20;

Key key(GapId gap, std::uint64_t number, std::uint64_t fork = 0) { return {gap, number, hash_of(number, fork)}; }

class QuarantineTest : public testing::Test {
 protected:
  bool insert(Quarantine& to, Block block, bool proven = true, GapId gap = 1) {
    dropped_.clear();
    std::vector<Key> gone;
    const bool taken = to.insert({peer_named(1), gap, std::move(block), {}, {}, proven}, urgent_, gone);
    for (const Key& one : gone) dropped_.push_back(one.number);
    to.check();
    return taken;
  }

  const std::size_t size_ = block_at(1).memory_bytes();
  std::vector<GapId> urgent_{1, 2};
  std::vector<std::uint64_t> dropped_;
};

TEST_F(QuarantineTest, knows_a_block_by_its_gap_its_number_and_its_hash) {
  Quarantine quarantine(kPlenty, 10);
  EXPECT_TRUE(insert(quarantine, block_at(5)));
  EXPECT_FALSE(insert(quarantine, block_at(5))) << "it is there";
  EXPECT_THAT(dropped_, IsEmpty());
  EXPECT_TRUE(quarantine.contains(1, 5));
  EXPECT_FALSE(quarantine.contains(1, 4));
  EXPECT_FALSE(quarantine.contains(2, 5));
  ASSERT_NE(quarantine.find(key(1, 5)), nullptr);
  EXPECT_EQ(quarantine.find(key(1, 5))->block.hash(), hash_of(5, 0));
  EXPECT_EQ(quarantine.find(key(1, 5, 1)), nullptr);
  EXPECT_EQ(quarantine.find(key(2, 5)), nullptr);
  EXPECT_EQ(quarantine.bytes(), size_);
  ASSERT_TRUE(quarantine.take(key(1, 5)));
  EXPECT_FALSE(quarantine.take(key(1, 5)));
  EXPECT_FALSE(quarantine.contains(1, 5));
  EXPECT_EQ(quarantine.bytes() + quarantine.size(), 0u);
}

TEST_F(QuarantineTest, holds_several_blocks_a_height_and_of_one_gap_no_more_than_its_bound) {
  Quarantine quarantine(kPlenty, 10);
  EXPECT_TRUE(insert(quarantine, block_at(5)));
  EXPECT_TRUE(insert(quarantine, block_at(5, 400, 1)));
  EXPECT_FALSE(insert(quarantine, block_at(5, 400, 2)));
  EXPECT_TRUE(insert(quarantine, block_at(5, 400, 2), true, 2));
  EXPECT_TRUE(insert(quarantine, block_at(5), true, 2)) << "the same block for another gap";
  EXPECT_TRUE(insert(quarantine, block_at(6)));
  EXPECT_EQ(quarantine.at(1, 5).size(), 2u);
  EXPECT_EQ(quarantine.at(2, 5).size(), 2u);
  EXPECT_EQ(quarantine.of(1).size(), 3u);
  EXPECT_EQ(quarantine.of(2).size(), 2u);
  EXPECT_EQ(quarantine.of(3).size(), 0u);
}

TEST_F(QuarantineTest, beyond_its_items_the_lowest_of_the_least_urgent_gap_goes) {
  Quarantine quarantine(kPlenty, 3);
  EXPECT_TRUE(insert(quarantine, block_at(5)));
  EXPECT_TRUE(insert(quarantine, block_at(7)));
  EXPECT_TRUE(insert(quarantine, block_at(90), true, 2));
  EXPECT_TRUE(insert(quarantine, block_at(6)));
  EXPECT_THAT(dropped_, ElementsAre(90));
  EXPECT_TRUE(insert(quarantine, block_at(4)));
  EXPECT_THAT(dropped_, ElementsAre(4)) << "be it the one that was put in";
  EXPECT_TRUE(insert(quarantine, block_at(9)));
  EXPECT_THAT(dropped_, ElementsAre(5));
  EXPECT_EQ(quarantine.size(), 3u);
  EXPECT_EQ(quarantine.drop_one(urgent_)->number, 6u);
  EXPECT_EQ(quarantine.drop_one(urgent_)->number, 7u);
  EXPECT_EQ(quarantine.drop_one(urgent_)->number, 9u);
  EXPECT_FALSE(quarantine.drop_one(urgent_));
}

TEST_F(QuarantineTest, beyond_its_bytes_the_lowest_go) {
  Quarantine quarantine(2 * size_, 10);
  EXPECT_TRUE(insert(quarantine, block_at(5)));
  EXPECT_TRUE(insert(quarantine, block_at(7)));
  EXPECT_THAT(dropped_, IsEmpty());
  EXPECT_TRUE(insert(quarantine, block_at(8, 401)));
  EXPECT_THAT(dropped_, ElementsAre(5, 7)) << "one byte too many";
  EXPECT_EQ(quarantine.bytes(), size_ + 1);
}

TEST_F(QuarantineTest, blocks_of_unproven_peers_have_a_quarter_and_push_nobody_out) {
  Quarantine items(kPlenty, 8);
  EXPECT_TRUE(insert(items, block_at(5), false));
  EXPECT_TRUE(insert(items, block_at(6), false));
  EXPECT_FALSE(insert(items, block_at(4), false));
  EXPECT_THAT(dropped_, ElementsAre(4));
  EXPECT_TRUE(insert(items, block_at(4)));
  ASSERT_TRUE(items.take(key(1, 5)));
  EXPECT_TRUE(insert(items, block_at(3), false)) << "there is room again";
  Quarantine bytes(4 * size_, 100);
  EXPECT_TRUE(insert(bytes, block_at(5), false));
  EXPECT_FALSE(insert(bytes, block_at(6), false));
  Quarantine small(kPlenty, 1);
  EXPECT_TRUE(insert(small, block_at(5), false)) << "one has room in the smallest";
}

}  // namespace
}  // namespace opstack::sync
