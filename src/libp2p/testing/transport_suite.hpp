// What every transport must pass, through hosts that speak it: dials, streams, ends and refusals, in a world that is
// given (transport_bed.hpp). A new transport's test is one line for each name: EXPECT_EQ(run_transport_case(name,
// sim_beds(plan)), Failures()). An installed header without GoogleTest. Thread: one.
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
