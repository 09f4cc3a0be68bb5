// A stream can be the socket of a connection, as a relay needs it: connections with their security, muxer, bounds and
// ends run inside streams of other hosts' connections, and pass what every transport must.
#include <gtest/gtest.h>

#include "libp2p/testing/transport_suite.hpp"
#include "libp2p/testing/tunnel_transport_test.hpp"

namespace libp2p {
namespace {

class ConnectionInStream : public ::testing::TestWithParam<std::string> {};

TEST_P(ConnectionInStream, passes_what_a_transport_must) {
  EXPECT_EQ(run_transport_case(GetParam(), sim_beds(tunnel_plan())), Failures());
}

INSTANTIATE_TEST_SUITE_P(Transport, ConnectionInStream, ::testing::ValuesIn(transport_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p
