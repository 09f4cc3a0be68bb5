// Noise passes what every secure channel must.
#include <gtest/gtest.h>

#include "libp2p/security/noise/security.hpp"
#include "libp2p/testing/secure_channel_suite.hpp"

namespace libp2p {
namespace {

class NoiseSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(NoiseSuite, passes) { EXPECT_EQ(run_secure_channel_case(GetParam(), noise::security()), Failures()); }

INSTANTIATE_TEST_SUITE_P(SecureChannel, NoiseSuite, ::testing::ValuesIn(secure_channel_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p
