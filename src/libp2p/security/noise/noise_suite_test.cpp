// Noise passes what every secure channel must.
#include <gtest/gtest.h>

#include "libp2p/security/noise/noise_channel.hpp"
#include "libp2p/testing/secure_channel_suite.hpp"

namespace libp2p {
namespace {

SecurityFactory noise_security() {
  const auto make = [](const crypto::PrivateKey& identity, Rng& rng) -> Result<SecurityKind> {
    OPP2P_TRY(auto made, noise::Credentials::make(identity, rng));
    const auto credentials = std::make_shared<const noise::Credentials>(std::move(made));
    const auto begin = [credentials](Role role, std::optional<PeerId> expected, const std::vector<std::string>& muxers,
                                     Rng& rng_of_one) -> Result<std::unique_ptr<SecureChannel>> {
      return std::unique_ptr<SecureChannel>(
          std::make_unique<NoiseChannel>(role == Role::dialer, *credentials, muxers, std::move(expected), rng_of_one));
    };
    return SecurityKind{noise::kProtocolId, begin};
  };
  return {noise::kProtocolId, make};
}

class NoiseSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(NoiseSuite, passes) { EXPECT_EQ(run_secure_channel_case(GetParam(), noise_security()), Failures()); }

INSTANTIATE_TEST_SUITE_P(SecureChannel, NoiseSuite, ::testing::ValuesIn(secure_channel_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p
