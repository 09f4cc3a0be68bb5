// The tests that every muxer must pass: the contract of libp2p/seams/stream_mux.hpp, case by case, with two muxers that
// are connected to each other (muxer_pair.hpp). The test of a new muxer has one line per case:
// EXPECT_EQ(run_muxer_case(name, kind), Failures()). Installed header without GoogleTest. Time does not pass, and all
// random choices come from the seed. Thread: any.
#pragma once

#include "libp2p/seams/stream_mux.hpp"
#include "libp2p/testing/suite.hpp"

namespace libp2p {

struct MuxerSuiteOptions {
  std::uint64_t seed = 1;
  // A slow reader holds back its own stream (Yamux). False: a stream whose reader falls behind is reset (Mplex).
  bool flow_control = true;
  // go_away reaches the peer, whose on_bytes then answers Errc::closed. False: the wire has no word for it (Mplex).
  bool says_good_bye = true;
  // Of the case with many streams.
  std::size_t streams = 10'000;
  std::size_t at_once = 1'000;
};

std::vector<std::string> muxer_suite_cases();
Failures run_muxer_case(std::string_view name, const MuxerKind& kind, const MuxerSuiteOptions& options = {});
// All cases in their order.
Failures run_muxer_suite(const MuxerKind& kind, const MuxerSuiteOptions& options = {});

}  // namespace libp2p
