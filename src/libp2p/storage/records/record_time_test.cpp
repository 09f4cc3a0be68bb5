#include "libp2p/storage/records/record_time.hpp"

#include <gtest/gtest.h>

namespace libp2p::storage {
namespace {

TEST(RecordTime, that_is_read_is_written_as_what_reads_back_to_it) {
  constexpr auto kMost = std::chrono::floor<Seconds>(Nanos::max()).count();
  for (const std::int64_t seconds : {INT64_MIN, -kMost - 2, -kMost - 1, -kMost, std::int64_t{-1}, std::int64_t{0},
                                     std::int64_t{1'796'106'921}, kMost - 1, kMost, kMost + 1, INT64_MAX}) {
    const UnixTime time = saturated_unix_time(seconds);
    EXPECT_EQ(saturated_unix_time(unix_seconds(time)), time) << seconds;
  }
}

TEST(RecordTime, that_is_later_than_the_last_moment_is_the_last_moment) {
  EXPECT_EQ(saturated_sum(from_unix_seconds(5), Seconds(7)), from_unix_seconds(12));
  EXPECT_EQ(saturated_sum(UnixTime::max(), Seconds(7)), UnixTime::max());
  EXPECT_EQ(saturated_sum(UnixTime::max() - Seconds(7), Seconds(7)), UnixTime::max());
  EXPECT_EQ(saturated_sum(UnixTime::min(), Seconds(7)), UnixTime::min() + Seconds(7));
}

}  // namespace
}  // namespace libp2p::storage
