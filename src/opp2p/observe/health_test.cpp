#include "opp2p/observe/health.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

constexpr std::uint64_t kHead = 1'760'000'000;

Health after(std::int64_t seconds, std::uint64_t block_time = 2) {
  return health_of(kHead, block_time, libp2p::from_unix_seconds(static_cast<std::int64_t>(kHead) + seconds));
}

TEST(Health, is_ok_while_the_head_is_younger_than_ten_blocks_or_a_minute) {
  EXPECT_TRUE(after(0).ok);
  EXPECT_TRUE(after(60).ok);
  EXPECT_TRUE(after(60).why.empty());
  EXPECT_FALSE(after(61).ok);
  EXPECT_TRUE(after(120, 12).ok);  // ten blocks of twelve seconds
  EXPECT_FALSE(after(121, 12).ok);
}

TEST(Health, says_how_old_the_head_is) {
  EXPECT_NE(after(75).why.find("the head is 75 s old, more than 60 s"), std::string::npos) << after(75).why;
  const auto none = health_of(std::nullopt, 2, libp2p::from_unix_seconds(static_cast<std::int64_t>(kHead)));
  EXPECT_FALSE(none.ok);
  EXPECT_NE(none.why.find("no block"), std::string::npos);
}

TEST(Health, a_head_ahead_of_the_clock_has_no_age) {
  EXPECT_EQ(head_age(kHead, libp2p::from_unix_seconds(static_cast<std::int64_t>(kHead) - 5)), libp2p::Seconds(0));
  EXPECT_TRUE(after(-5).ok);
  EXPECT_TRUE(health_of(kHead, UINT64_MAX, libp2p::from_unix_seconds(static_cast<std::int64_t>(kHead) + 1000)).ok);
}

TEST(Health, a_node_whose_blocks_have_other_times_than_the_configuration_is_not_ready) {
  const auto now = libp2p::from_unix_seconds(1000);
  EXPECT_TRUE(health_of(1000, 2, now, {kWrongInARow - 1, 1}).ok);
  const auto wrong = health_of(1000, 2, now, {kWrongInARow, 1});
  EXPECT_FALSE(wrong.ok);
  EXPECT_NE(wrong.why.find("a block every 2 s; they come every 1 s"), std::string::npos) << wrong.why;
  EXPECT_FALSE(health_of(1000, 2, now, {kWrongInARow, std::nullopt}).ok);
}

}  // namespace
}  // namespace opp2p
