// The tests that every transport must pass, run through hosts that use it: dials, streams, ends and refusals. The
// caller gives the world in which they run (transport_bed.hpp). The test of a new transport has one line per case:
// EXPECT_EQ(run_transport_case(name, sim_beds(plan)), Failures()). Installed header without GoogleTest. Thread: one.
#pragma once

#include "libp2p/testing/suite.hpp"
#include "libp2p/testing/transport_bed.hpp"

namespace libp2p {

struct TransportSuiteOptions {
  std::uint64_t seed = 1;
  // Of the case with many streams.
  std::size_t streams = 10'000;
  std::size_t at_once = 1'000;
};

std::vector<std::string> transport_suite_cases();
Failures run_transport_case(std::string_view name, const MakeTransportBed& make_bed,
                            const TransportSuiteOptions& options = {});
// All cases in their order.
Failures run_transport_suite(const MakeTransportBed& make_bed, const TransportSuiteOptions& options = {});

}  // namespace libp2p
