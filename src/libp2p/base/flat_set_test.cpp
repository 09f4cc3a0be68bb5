#include "libp2p/base/flat_set.hpp"

#include <gtest/gtest.h>

#include <set>

#include "libp2p/base/rng.hpp"

namespace libp2p {
namespace {

TEST(FlatSet, holds_what_a_set_holds_after_any_changes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRng rng(seed);
    FlatSet<std::uint64_t> flat;
    std::set<std::uint64_t> set;
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t key = rng.below(40);
      if (rng.below(2) == 0) {
        const auto [at, is_new] = flat.insert(key);
        EXPECT_EQ(is_new, set.insert(key).second);
        EXPECT_EQ(*at, key);
      } else {
        EXPECT_EQ(flat.erase(key), set.erase(key));
      }
      ASSERT_TRUE(std::equal(flat.begin(), flat.end(), set.begin(), set.end()));
      EXPECT_EQ(flat.contains(key), set.contains(key));
      EXPECT_EQ(flat.size(), set.size());
    }
    const auto is_odd = [](std::uint64_t key) { return key % 2 == 1; };
    EXPECT_EQ(erase_if(flat, is_odd), std::erase_if(set, is_odd));
    EXPECT_TRUE(std::equal(flat.begin(), flat.end(), set.begin(), set.end()));
  }
}

TEST(FlatSet, takes_a_list_in_any_order_and_each_key_once) {
  FlatSet<int> set{3, 1, 3, 2};
  const std::vector<int> more{2, 9, 0};
  set.insert(more.begin(), more.end());
  EXPECT_EQ(std::vector<int>(set.begin(), set.end()), (std::vector<int>{0, 1, 2, 3, 9}));
  set.clear();
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.contains(1));
}

}  // namespace
}  // namespace libp2p
