#include "opp2p/observe/log_limiter.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

TEST(LogLimiter, lets_a_burst_through_then_a_rate_and_tells_what_it_left_out_of_each_kind) {
  enum class Kind : std::uint8_t { one, other };
  LogLimiter<Kind, 2> limiter({3, 60});
  libp2p::MonoTime now{};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.admit(Kind::one, now), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.admit(Kind::one, now), std::nullopt);
  EXPECT_EQ(limiter.admit(Kind::other, now), 0u);
  EXPECT_EQ(limiter.left_out(Kind::one), 5u);
  limiter.check();
  now += libp2p::Seconds(1);
  EXPECT_EQ(limiter.admit(Kind::one, now), 5u);
  EXPECT_EQ(limiter.admit(Kind::one, now), std::nullopt);
  limiter.check();
}

}  // namespace
}  // namespace opp2p
