// TLS passes what every secure channel must.
#include <gtest/gtest.h>

#include "libp2p/security/tls/security.hpp"
#include "libp2p/testing/secure_channel_suite.hpp"

namespace libp2p {
namespace {

class TlsSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(TlsSuite, passes) {
  SecureChannelSuiteOptions options;
  options.says_end = true;
  options.ignored_handshake_bytes = {2};  // RFC 8446, section 5.1
  EXPECT_EQ(run_secure_channel_case(GetParam(), tls::security(), options), Failures());
}

INSTANTIATE_TEST_SUITE_P(SecureChannel, TlsSuite, ::testing::ValuesIn(secure_channel_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p
