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

constexpr std::size_t kPlenty = 1 << 20;

class QuarantineTest : public testing::Test {
 protected:
  bool insert(Quarantine& to, Block block, bool proven = true) {
    dropped_.clear();
    return to.insert({peer_named(1), 1, std::move(block), {}, proven}, dropped_);
  }

  const std::size_t size_ = block_at(1).memory_bytes();
  std::vector<std::uint64_t> dropped_;
};

TEST_F(QuarantineTest, holds_one_block_a_height_and_knows_it_by_its_hash) {
  Quarantine quarantine(kPlenty, 10);
  EXPECT_TRUE(insert(quarantine, block_at(5)));
  EXPECT_FALSE(insert(quarantine, block_at(5, 400, 1)));
  EXPECT_TRUE(quarantine.contains(hash_of(5, 0)));
  EXPECT_FALSE(quarantine.contains(hash_of(5, 1)));
  EXPECT_EQ(quarantine.at(4), nullptr);
  ASSERT_NE(quarantine.at(5), nullptr);
  EXPECT_EQ(quarantine.at(5)->block.hash(), hash_of(5, 0));
  EXPECT_EQ(quarantine.bytes(), size_);
  ASSERT_TRUE(quarantine.take(5));
  EXPECT_FALSE(quarantine.take(5));
  EXPECT_FALSE(quarantine.contains(hash_of(5, 0)));
  EXPECT_EQ(quarantine.bytes() + quarantine.size(), 0u);
}

TEST_F(QuarantineTest, beyond_its_items_the_highest_goes) {
  Quarantine quarantine(kPlenty, 2);
  EXPECT_TRUE(insert(quarantine, block_at(5)));
  EXPECT_TRUE(insert(quarantine, block_at(7)));
  EXPECT_TRUE(insert(quarantine, block_at(6)));
  EXPECT_THAT(dropped_, ElementsAre(7));
  EXPECT_TRUE(insert(quarantine, block_at(9)));
  EXPECT_THAT(dropped_, ElementsAre(9)) << "be it the one that was put in";
  EXPECT_EQ(quarantine.size(), 2u);
  quarantine.check();
}

TEST_F(QuarantineTest, beyond_its_bytes_the_highest_go) {
  Quarantine quarantine(2 * size_, 10);
  EXPECT_TRUE(insert(quarantine, block_at(5)));
  EXPECT_TRUE(insert(quarantine, block_at(7)));
  EXPECT_THAT(dropped_, IsEmpty());
  EXPECT_TRUE(insert(quarantine, block_at(4, 401)));
  EXPECT_THAT(dropped_, ElementsAre(7, 5)) << "one byte too many";
  EXPECT_EQ(quarantine.bytes(), size_ + 1);
  quarantine.check();
}

TEST_F(QuarantineTest, blocks_of_unproven_peers_have_a_quarter_and_push_nobody_out) {
  Quarantine items(kPlenty, 8);
  EXPECT_TRUE(insert(items, block_at(5), false));
  EXPECT_TRUE(insert(items, block_at(6), false));
  EXPECT_FALSE(insert(items, block_at(4), false));
  EXPECT_THAT(dropped_, ElementsAre(4));
  EXPECT_TRUE(insert(items, block_at(4)));
  ASSERT_TRUE(items.take(5));
  EXPECT_TRUE(insert(items, block_at(3), false)) << "there is room again";
  Quarantine bytes(4 * size_, 100);
  EXPECT_TRUE(insert(bytes, block_at(5), false));
  EXPECT_FALSE(insert(bytes, block_at(6), false));
  Quarantine small(kPlenty, 1);
  EXPECT_TRUE(insert(small, block_at(5), false)) << "one has room in the smallest";
  small.clear();
  EXPECT_TRUE(insert(small, block_at(6), false));
}

}  // namespace
}  // namespace opstack::sync
