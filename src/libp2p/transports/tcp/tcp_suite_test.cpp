// TCP passes what every transport must, in the simulated world and on loopback.
#include <gtest/gtest.h>

#include "libp2p/testing/transport_suite.hpp"

namespace libp2p::tcp {
namespace {

class TcpSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(TcpSuite, passes_in_the_simulated_world) {
  EXPECT_EQ(run_transport_case(GetParam(), sim_beds(tcp_plan())), Failures());
}

TEST_P(TcpSuite, passes_on_loopback) { EXPECT_EQ(run_transport_case(GetParam(), asio_beds(tcp_plan())), Failures()); }

INSTANTIATE_TEST_SUITE_P(Transport, TcpSuite, ::testing::ValuesIn(transport_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p::tcp
