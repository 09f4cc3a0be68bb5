// Yamux passes what every muxer must.
#include <gtest/gtest.h>

#include "libp2p/muxers/yamux/muxer.hpp"
#include "libp2p/testing/muxer_suite.hpp"

namespace libp2p {
namespace {

class YamuxSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(YamuxSuite, passes) { EXPECT_EQ(run_muxer_case(GetParam(), yamux::muxer()), Failures()); }

INSTANTIATE_TEST_SUITE_P(Muxer, YamuxSuite, ::testing::ValuesIn(muxer_suite_cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace libp2p
