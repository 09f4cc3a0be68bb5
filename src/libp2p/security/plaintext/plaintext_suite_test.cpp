// Plaintext passes what every secure channel must, but for what it does not promise.
#include <gtest/gtest.h>

#include "libp2p/security/plaintext/security.hpp"
#include "libp2p/testing/secure_channel_suite.hpp"

namespace libp2p {
namespace {

class PlaintextSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(PlaintextSuite, passes) {
  SecureChannelSuiteOptions options;
  options.protects = false;
  options.settles_muxer = false;
  EXPECT_EQ(run_secure_channel_case(GetParam(), plaintext::security(), options), Failures());
}

INSTANTIATE_TEST_SUITE_P(SecureChannel, PlaintextSuite, ::testing::ValuesIn(secure_channel_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p
