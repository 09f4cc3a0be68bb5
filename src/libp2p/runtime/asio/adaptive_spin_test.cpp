#include "libp2p/runtime/asio/adaptive_spin.hpp"

#include <gtest/gtest.h>

namespace libp2p::runtime {
namespace {

TEST(AdaptiveSpin, never_spins_unless_it_was_asked_to) {
  AdaptiveSpin spin{Nanos(0)};
  EXPECT_FALSE(spin.enabled());
  for (int i = 0; i < 10; ++i) spin.on_wait(Micros(1));
  EXPECT_EQ(spin.window(), Nanos(0));
}

TEST(AdaptiveSpin, starts_asleep_and_grows_up_to_its_limit_while_waits_are_short) {
  AdaptiveSpin spin{Micros(50)};
  EXPECT_TRUE(spin.enabled());
  EXPECT_EQ(spin.window(), Nanos(0));
  spin.on_wait(Micros(40));
  EXPECT_EQ(spin.window(), Micros(10));
  spin.on_wait(Micros(40));
  EXPECT_EQ(spin.window(), Micros(20));
  for (int i = 0; i < 10; ++i) spin.on_wait(Micros(45));
  EXPECT_EQ(spin.window(), Micros(50));
}

TEST(AdaptiveSpin, stays_as_it_is_while_events_come_within_the_window) {
  AdaptiveSpin spin{Micros(50)};
  for (int i = 0; i < 2; ++i) spin.on_wait(Micros(40));
  for (int i = 0; i < 100; ++i) spin.on_wait(Micros(15));
  EXPECT_EQ(spin.window(), Micros(20));
}

TEST(AdaptiveSpin, falls_asleep_again_after_a_few_waits_that_no_spinning_could_have_bridged) {
  AdaptiveSpin spin{Micros(50)};
  for (int i = 0; i < 10; ++i) spin.on_wait(Micros(45));
  int waits = 0;
  for (; spin.window() > Nanos(0); ++waits) spin.on_wait(Millis(5));
  EXPECT_EQ(waits, 3);
}

}  // namespace
}  // namespace libp2p::runtime
