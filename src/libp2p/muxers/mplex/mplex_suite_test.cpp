#include <gtest/gtest.h>

#include "libp2p/muxers/mplex/muxer.hpp"
#include "libp2p/testing/muxer_suite.hpp"

namespace libp2p::mplex {
namespace {

class MplexSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(MplexSuite, passes) {
  Limits limits;
  limits.max_stream_unread = 1 << 20;  // less than the slow reader of the suite is sent
  MuxerSuiteOptions options;
  options.flow_control = false;
  options.says_good_bye = false;
  EXPECT_EQ(run_muxer_case(GetParam(), muxer(limits), options), Failures());
}

INSTANTIATE_TEST_SUITE_P(Muxer, MplexSuite, ::testing::ValuesIn(muxer_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p::mplex
