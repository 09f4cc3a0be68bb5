// What every security protocol must pass: the contract of libp2p/seams/secure_channel.hpp, case by case, over two
// channels back to back (channel_pair.hpp). A new one's test is one line for each name:
// EXPECT_EQ(run_secure_channel_case(name, factory), Failures()). An installed header without GoogleTest; keys and bytes
// are drawn from the seed. Any thread.
#pragma once

#include "libp2p/seams/secure_channel.hpp"
#include "libp2p/testing/suite.hpp"

namespace libp2p {

struct SecureChannelSuiteOptions {
  std::uint64_t seed = 1;
  // Nobody on the wire reads or changes anything unseen. False for plaintext: then the cases about it pass without a
  // look.
  bool protects = true;
  // The handshake settles the muxer (Noise's extensions, TLS's ALPN).
  bool settles_muxer = true;
  // close() tells the peer the end (TLS's close_notify).
  bool says_end = false;
};

std::vector<std::string> secure_channel_suite_cases();
Failures run_secure_channel_case(std::string_view name, const SecurityFactory& factory,
                                 const SecureChannelSuiteOptions& options = {});
// All cases in their order.
Failures run_secure_channel_suite(const SecurityFactory& factory, const SecureChannelSuiteOptions& options = {});

}  // namespace libp2p
