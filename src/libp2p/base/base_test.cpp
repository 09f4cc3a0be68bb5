#include <gtest/gtest.h>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/base/token_bucket.hpp"

namespace libp2p {
namespace {

TEST(Bytes, hex_reads_both_cases_and_an_optional_prefix) {
  EXPECT_EQ(from_hex("0xDEADbeef"), (Bytes{0xde, 0xad, 0xbe, 0xef}));
  EXPECT_EQ(from_hex("deadbeef"), (Bytes{0xde, 0xad, 0xbe, 0xef}));
  EXPECT_EQ(from_hex("0x"), Bytes{});
  EXPECT_EQ(to_hex0x(Bytes{0x00, 0xff}), "0x00ff");
}

TEST(Bytes, hex_refuses_odd_lengths_and_other_characters) {
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
  EXPECT_FALSE(from_hex("0x0g"));
}

TEST(Bytes, integers_keep_their_value_in_both_orders) {
  std::uint8_t raw[8];
  store_be64(raw, 0x0102030405060708);
  EXPECT_EQ(raw[0], 1);
  EXPECT_EQ(load_be64(raw), 0x0102030405060708u);
  EXPECT_EQ(load_le64(raw), 0x0807060504030201u);
}

Result<int> half(int n) {
  if (n % 2 != 0) return Error::at(7, Errc::malformed, "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  OPP2P_TRY(const int once, half(n));
  OPP2P_TRY(const int twice, half(once));
  return twice;
}

TEST(Result, try_passes_the_error_on_with_its_offset) {
  EXPECT_EQ(quarter(8).value(), 2);
  const auto failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error() == Errc::malformed);
  EXPECT_EQ(failed.error().message(), "malformed: odd (at byte 7)");
  EXPECT_EQ(failed.error().within("reading x").message(), "malformed: reading x: odd (at byte 7)");
}

TEST(Result, value_of_a_failure_throws_its_message) { EXPECT_THROW((void)half(3).value(), std::runtime_error); }

TEST(SeededRng, the_same_seed_gives_the_same_bytes) {
  SeededRng a(1);
  SeededRng b(1);
  SeededRng c(2);
  const auto first = a.array<40>();
  EXPECT_EQ(first, b.array<40>());
  EXPECT_NE(first, c.array<40>());
}

TEST(SeededRng, below_stays_under_its_bound_and_reaches_all_values) {
  SeededRng rng(3);
  int seen[7] = {};
  for (int i = 0; i < 7000; ++i) ++seen[rng.below(7)];
  for (const int count : seen) EXPECT_GT(count, 800);
}

MonoTime at(Nanos since) { return MonoTime(since); }

TEST(TokenBucket, a_burst_passes_and_then_the_rate_holds) {
  TokenBucket bucket(4, 15, at(Seconds(0)));
  for (int i = 0; i < 15; ++i) EXPECT_TRUE(bucket.try_take(1, at(Seconds(0))));
  EXPECT_FALSE(bucket.try_take(1, at(Seconds(0))));
  EXPECT_EQ(bucket.time_until(1, at(Seconds(0))), Millis(250));
  EXPECT_TRUE(bucket.try_take(1, at(Millis(250))));
  EXPECT_FALSE(bucket.try_take(1, at(Millis(300))));
}

TEST(TokenBucket, a_reservation_answers_its_delay_and_can_be_given_back) {
  TokenBucket bucket(2, 1, at(Seconds(0)));
  EXPECT_EQ(bucket.reserve(1, at(Seconds(0))), Nanos(0));
  EXPECT_EQ(bucket.reserve(1, at(Seconds(0))), Millis(500));
  EXPECT_EQ(bucket.reserve(1, at(Seconds(0))), Seconds(1));
  bucket.cancel(1);
  EXPECT_EQ(bucket.reserve(1, at(Seconds(0))), Seconds(1));
}

TEST(TokenBucket, a_clock_that_stands_still_or_goes_back_gives_nothing) {
  TokenBucket bucket(1000, 1, at(Seconds(5)));
  EXPECT_TRUE(bucket.try_take(1, at(Seconds(5))));
  EXPECT_FALSE(bucket.try_take(1, at(Seconds(4))));
}

TEST(LruMap, drops_the_least_recently_used) {
  LruMap<int, std::string> map(2);
  EXPECT_FALSE(map.put(1, "one"));
  EXPECT_FALSE(map.put(2, "two"));
  EXPECT_NE(map.get(1), nullptr);
  const auto gone = map.put(3, "three");
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->first, 2);
  EXPECT_TRUE(map.contains(1));
  EXPECT_FALSE(map.contains(2));
  EXPECT_EQ(map.begin()->first, 3);
}

TEST(LruMap, says_whether_there_was_something_to_erase) {
  LruMap<int, std::string> map(2);
  map.put(1, "one");
  EXPECT_FALSE(map.erase(2));
  EXPECT_TRUE(map.erase(1));
  EXPECT_FALSE(map.erase(1));
  EXPECT_TRUE(map.empty());
}

TEST(LruMap, peek_does_not_renew) {
  LruMap<int, int> map(2);
  map.put(1, 1);
  map.put(2, 2);
  EXPECT_EQ(*map.peek(1), 1);
  EXPECT_EQ(map.put(3, 3)->first, 1);
}

struct Counted : LiveCounted<Counted> {};

TEST(LiveCount, balances_over_copies_and_moves) {
  EXPECT_EQ(live<Counted>(), 0);
  {
    Counted a;
    Counted b = a;
    Counted c = std::move(b);
    EXPECT_EQ(live<Counted>(), 3);
  }
  EXPECT_EQ(live<Counted>(), 0);
}

TEST(Time, whole_seconds_round_down) {
  EXPECT_EQ(unix_seconds(UnixTime(Millis(1999))), 1);
  EXPECT_EQ(unix_seconds(from_unix_seconds(5)), 5);
}

}  // namespace
}  // namespace libp2p
