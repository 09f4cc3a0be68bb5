#include "opstack/reputation/ban_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "opstack/reputation/ban_text.hpp"
#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using test::peer;
using test::wall;
using ::testing::SizeIs;

Ban ban_between(std::int64_t since, std::int64_t until) {
  Ban out;
  out.since = wall(since);
  out.until = wall(until);
  out.rule = BanRule::score_threshold;
  return out;
}

TEST(BanBook, A_ban_ends_at_its_expiry) {
  BanBook book;
  book.peers.put(peer(1), ban_between(100, 200));
  ASSERT_NE(book.peers.find(peer(1), wall(199)), nullptr);
  EXPECT_EQ(book.peers.find(peer(1), wall(200)), nullptr);
  EXPECT_EQ(book.peers.find(peer(2), wall(100)), nullptr);
  EXPECT_FALSE(book.peers.take_expired(peer(1), wall(199)));
  EXPECT_TRUE(book.peers.take_expired(peer(1), wall(200)));
  EXPECT_EQ(book.peers.size(), 0U);
  book.check();
}

TEST(BanBook, Counts_by_rule_those_that_are_in_force) {
  BanBook book;
  book.peers.put(peer(1), ban_between(100, 200));
  book.peers.put(peer(2), ban_between(100, 300));
  auto by_operator = ban_between(100, 300);
  by_operator.rule = BanRule::operator_request;
  book.peers.put(peer(3), by_operator);
  EXPECT_THAT(book.peers.counts(wall(199)), ::testing::ElementsAre(2, 0, 1, 0));
  EXPECT_THAT(book.peers.counts(wall(200)), ::testing::ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(book.ips.counts(wall(100)), ::testing::ElementsAre(0, 0, 0, 0));
}

TEST(BanBook, A_ban_lasts_seven_days_at_most) {
  BanBook book;
  book.ips.put("198.51.100.1", ban_between(1000, 1000 + 30 * 86400));
  EXPECT_EQ(book.ips.find("198.51.100.1", wall(1000))->until, wall(1000 + 7 * 86400));
  book.check();
}

TEST(BanBook, A_new_ban_replaces_the_one_that_is_there) {
  BanBook book;
  book.peers.put(peer(1), ban_between(0, 500));
  book.peers.put(peer(1), ban_between(0, 100));
  EXPECT_EQ(book.peers.size(), 1U);
  EXPECT_EQ(book.peers.find(peer(1), wall(100)), nullptr);
  book.check();
}

TEST(BanBook, The_ban_that_ends_first_goes_when_there_are_too_many) {
  BanBook book({.peers = 2, .ips = 1});
  EXPECT_FALSE(book.peers.put(peer(1), ban_between(0, 300)));
  EXPECT_FALSE(book.peers.put(peer(2), ban_between(0, 200)));
  const auto gone = book.peers.put(peer(3), ban_between(0, 400));
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->first, peer(2));
  const auto other = book.peers.put(peer(4), ban_between(0, 100));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->first, peer(1)) << "a new ban is in force, though it ends first";
  EXPECT_EQ(book.peers.overflows(), 2U);
  EXPECT_EQ(book.ips.overflows(), 0U);
  book.check();
}

TEST(BanBook, Keeps_the_bans_of_the_operator_when_there_are_too_many) {
  BanBook book({.peers = 2, .ips = 1});
  auto by_operator = ban_between(0, 100);
  by_operator.rule = BanRule::operator_request;
  book.peers.put(peer(1), by_operator);
  book.peers.put(peer(2), ban_between(0, 500));
  EXPECT_EQ(book.peers.put(peer(3), ban_between(0, 300))->first, peer(2));
  EXPECT_EQ(book.peers.put(peer(4), by_operator)->first, peer(3));
  EXPECT_EQ(book.peers.put(peer(5), ban_between(0, 900))->first, peer(5)) << "nothing of the operator's goes for it";
  EXPECT_EQ(book.peers.size(), 2U);
  book.check();
}

TEST(BanBook, Lists_what_is_in_force_in_order) {
  BanBook book;
  book.peers.put(peer(3), ban_between(0, 300));
  book.peers.put(peer(1), ban_between(0, 200));
  book.peers.put(peer(2), ban_between(0, 100));
  const auto list = book.peers.list(wall(150));
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0].first, peer(1));
  EXPECT_EQ(list[1].first, peer(3));
  EXPECT_THAT(book.peers.take_expired(wall(250)), SizeIs(2));
  EXPECT_EQ(book.peers.size(), 1U);
}

TEST(BanBook, Can_be_undone) {
  BanBook book;
  book.peers.put(peer(1), ban_between(0, 300));
  EXPECT_TRUE(book.peers.take(peer(1)));
  EXPECT_FALSE(book.peers.take(peer(1)));
  book.check();
}

TEST(BanBook, Keeps_its_bounds_whatever_happens) {
  libp2p::SeededRng rng(11);
  BanBook book({.peers = 5, .ips = 5});
  for (std::int64_t step = 0; step < 2000; ++step) {
    const auto drawn = rng.next_u64();
    const auto who = peer(static_cast<std::uint8_t>(drawn % 11));
    const auto length = static_cast<std::int64_t>(drawn >> 16 & 63);
    if (drawn & 256) book.peers.put(who, ban_between(step, step + length));
    if (drawn & 512) book.peers.take_expired(wall(step));
    if (drawn & 1024) book.peers.take(who);
    for (const auto& [peer, ban] : book.peers.list(wall(step))) ASSERT_LT(wall(step), ban.until);
    book.check();
  }
}

TEST(BanText, Says_until_when_and_why) {
  Ban ban = ban_between(0, 1'764'567'890);
  EXPECT_EQ(ban_text(ban), "banned until 2025-12-01 05:44:50 UTC");
  ban.text = "it sent spam";
  EXPECT_EQ(ban_text(ban), "banned until 2025-12-01 05:44:50 UTC: it sent spam");
  EXPECT_EQ(score_text(-103.2), "-103.20");
}

TEST(BanBook, A_ban_of_the_end_of_time_has_an_end) {
  BanBook book;
  Ban ban;
  ban.since = libp2p::UnixTime::max() - libp2p::Seconds(5);
  ban.until = libp2p::UnixTime::max();
  book.peers.put(peer(1), ban);
  EXPECT_EQ(book.peers.find(peer(1), libp2p::UnixTime())->until, libp2p::UnixTime::max());
  book.check();
}

}  // namespace
}  // namespace opstack::reputation
