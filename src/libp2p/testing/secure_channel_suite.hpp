// The tests that every security protocol must pass: the contract of libp2p/seams/secure_channel.hpp, case by case, with
// two channels that are connected to each other (channel_pair.hpp). The test of a new protocol has one line per case:
// EXPECT_EQ(run_secure_channel_case(name, factory), Failures()). Installed header without GoogleTest. Keys and bytes
// come from the seed. Thread: any.
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
  // Bytes of what either end says first that its protocol wants ignored (TLS's legacy_record_version).
  std::vector<std::size_t> ignored_handshake_bytes = {};
  // close() tells the peer the end (TLS's close_notify).
  bool says_end = false;
};

std::vector<std::string> secure_channel_suite_cases();
Failures run_secure_channel_case(std::string_view name, const SecurityFactory& factory,
                                 const SecureChannelSuiteOptions& options = {});
// All cases in their order.
Failures run_secure_channel_suite(const SecurityFactory& factory, const SecureChannelSuiteOptions& options = {});

}  // namespace libp2p
