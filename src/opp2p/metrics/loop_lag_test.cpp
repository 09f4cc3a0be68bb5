#include "opp2p/metrics/loop_lag.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"
#include "opp2p/metrics/metrics_test_support.hpp"

namespace opp2p {
namespace {

TEST(LoopLag, counts_each_timer_and_knows_how_long_one_is_overdue) {
  libp2p::runtime::SimWorld world(1);
  auto place = world.add_node();
  auto& runtime = place.runtime();
  MetricRegistry registry;
  LoopLag lag(runtime, registry);
  EXPECT_EQ(lag.overdue(runtime.now().mono), libp2p::Nanos{}) << "it does not run yet";
  lag.start();
  const auto begun = runtime.now().mono;
  EXPECT_EQ(lag.overdue(begun + libp2p::Millis(250)), libp2p::Nanos{});
  EXPECT_EQ(lag.overdue(begun + libp2p::Millis(1250)), libp2p::Seconds(1));
  world.run_for(libp2p::Seconds(1));
  const auto samples = read_samples(registry.text());
  EXPECT_EQ(sample(samples, "opp2p_event_loop_lag_seconds_count"), 4);
  EXPECT_EQ(sample(samples, "opp2p_event_loop_lag_seconds_sum"), 0) << "virtual timers are in time";
  lag.stop();
  EXPECT_EQ(lag.overdue(begun + libp2p::Seconds(60)), libp2p::Nanos{});
  world.run_for(libp2p::Seconds(1));
  EXPECT_EQ(sample(read_samples(registry.text()), "opp2p_event_loop_lag_seconds_count"), 4);
}

}  // namespace
}  // namespace opp2p
