#include "libp2p/services/gossipsub/frame_progress.hpp"

#include <gtest/gtest.h>

namespace libp2p {
namespace {

TEST(FrameProgress, is_slow_when_the_last_five_seconds_brought_less_than_64_kib_each) {
  FrameProgress frame;
  EXPECT_FALSE(frame.is_slow(MonoTime(Seconds(100))));
  frame.begin(MonoTime(Seconds(100)));
  EXPECT_FALSE(frame.is_slow(MonoTime(Millis(104'999)))) << "too young to say";
  EXPECT_TRUE(frame.is_slow(MonoTime(Seconds(105))));
  for (int second = 100; second < 130; ++second) {
    frame.note(64U << 10, MonoTime(Seconds(second)));
    EXPECT_FALSE(frame.is_slow(MonoTime(Seconds(second)))) << second;
  }
  frame.note(1, MonoTime(Seconds(134)));
  EXPECT_TRUE(frame.is_slow(MonoTime(Seconds(135)))) << "one byte is no progress";
  frame.end();
  EXPECT_FALSE(frame.is_slow(MonoTime(Seconds(140))));
}

}  // namespace
}  // namespace libp2p
