#include "opp2p/observe/repeats.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

TEST(Repeats, tells_the_first_at_once_and_later_ones_once_an_interval_with_their_count) {
  Repeats repeats(libp2p::Seconds(10));
  libp2p::MonoTime now{libp2p::Seconds(100)};
  EXPECT_EQ(repeats.count(now), 1u);
  EXPECT_EQ(repeats.due(), std::nullopt);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(repeats.count(now += libp2p::Seconds(1)), std::nullopt);
  repeats.check();
  EXPECT_EQ(repeats.due(), libp2p::MonoTime(libp2p::Seconds(110)));
  EXPECT_EQ(repeats.take(*repeats.due() - libp2p::Seconds(1)), std::nullopt);
  EXPECT_EQ(repeats.take(*repeats.due()), 3u);
  EXPECT_EQ(repeats.take(now + libp2p::Seconds(100)), std::nullopt) << "nothing is left";
  EXPECT_EQ(repeats.count(now + libp2p::Seconds(8)), std::nullopt);
  EXPECT_EQ(repeats.take_all(), 1u);
  EXPECT_EQ(repeats.take_all(), std::nullopt);
  EXPECT_EQ(repeats.total(), 5u);
  repeats.check();
}

}  // namespace
}  // namespace opp2p
