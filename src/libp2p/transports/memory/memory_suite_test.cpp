// The memory transport passes what every transport must, between the nodes of a simulated world and on the real
// runtime.
#include <gtest/gtest.h>

#include "libp2p/testing/transport_suite.hpp"
#include "libp2p/transports/memory/memory_transport.hpp"

namespace libp2p::memory {
namespace {

TransportPlan memory_plan() {
  TransportPlan plan;
  plan.name = "memory";
  // The net outlives the hosts: the factory holds it, and the bed the factory.
  const auto net = std::make_shared<MemoryNet>();
  plan.make = [net](runtime::Runtime& runtime) { return transport(*net)(runtime); };
  plan.any_address = [](const std::string&) { return Multiaddr::from_text("/memory/0").value(); };
  return plan;
}

class MemorySuite : public ::testing::TestWithParam<std::string> {};

TEST_P(MemorySuite, passes_in_the_simulated_world) {
  EXPECT_EQ(run_transport_case(GetParam(), sim_beds(memory_plan())), Failures());
}

TEST_P(MemorySuite, passes_on_the_real_runtime) {
  EXPECT_EQ(run_transport_case(GetParam(), asio_beds(memory_plan())), Failures());
}

INSTANTIATE_TEST_SUITE_P(Transport, MemorySuite, ::testing::ValuesIn(transport_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p::memory
