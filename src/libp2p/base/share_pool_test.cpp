#include "libp2p/base/share_pool.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/memory_account.hpp"

namespace libp2p {
namespace {

const AddressBlocks kFirst{{1, 2, 3, 4}, {}};
const AddressBlocks kSixA{{1, 2, 3, 4, 5, 6, 1}, {1, 2, 3, 4, 5, 6}};
const AddressBlocks kSixB{{1, 2, 3, 4, 5, 6, 2}, {1, 2, 3, 4, 5, 6}};

TEST(SharePool, a_holder_cannot_exceed_its_share_while_others_have_room) {
  SharePool<int> pool({.total = 100, .holder = 30});
  EXPECT_EQ(pool.try_take(1, {}, 30), ShareFull::none);
  EXPECT_EQ(pool.try_take(1, {}, 1), ShareFull::holder);
  EXPECT_EQ(pool.try_take(2, {}, 30), ShareFull::none);
  EXPECT_EQ(pool.used(), 60u);
}

TEST(SharePool, holders_behind_one_address_share_its_block) {
  SharePool<int> pool({.total = 100, .narrow = 20});
  EXPECT_EQ(pool.try_take(1, kFirst, 15), ShareFull::none);
  EXPECT_EQ(pool.try_take(2, kFirst, 6), ShareFull::narrow);
  EXPECT_EQ(pool.try_take(2, kFirst, 5), ShareFull::none);
  EXPECT_EQ(pool.try_take(3, {}, 80), ShareFull::none) << "an exempt holder has no address share";
}

TEST(SharePool, narrow_blocks_of_ip6_share_the_wide_one) {
  SharePool<int> pool({.narrow = 10, .wide = 15});
  EXPECT_EQ(pool.try_take(1, kSixA, 10), ShareFull::none);
  EXPECT_EQ(pool.try_take(2, kSixB, 6), ShareFull::wide);
  EXPECT_EQ(pool.try_take(2, kSixB, 5), ShareFull::none);
}

TEST(SharePool, what_is_given_back_leaves_no_row) {
  SharePool<int> pool({.total = 10});
  pool.take(1, kSixA, 4);
  pool.take(1, kFirst, 3);
  EXPECT_EQ(pool.held_by(kSixA.wide), 7u) << "a holder keeps the blocks that it came with";
  pool.give(1, 100);
  EXPECT_EQ(pool.used(), 0u);
  EXPECT_EQ(pool.held_by(kSixA.narrow), 0u);
  EXPECT_TRUE(pool.holders().empty());
}

TEST(SharePool, amounts_near_the_end_of_the_range_do_not_wrap) {
  SharePool<int> pool({.total = 10});
  pool.take(1, {}, 5);
  EXPECT_EQ(pool.check(1, {}, ShareLimits::kNone), ShareFull::total);
}

TEST(MemoryAccount, refuses_what_would_exceed_the_limit_and_counts_the_refusals) {
  MemoryAccount account(100);
  EXPECT_TRUE(account.try_take(60));
  EXPECT_FALSE(account.try_take(41));
  EXPECT_TRUE(account.try_take(40));
  account.give(50);
  EXPECT_EQ(account.used(), 50u);
  account.give(50);
  EXPECT_EQ(account.refused(), 1u);
}

}  // namespace
}  // namespace libp2p
