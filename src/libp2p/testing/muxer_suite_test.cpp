// The muxer suite can fail: each way in which the small muxer of fake_muxer_test.hpp may be broken is reported by the
// case that is named for it, and the whole one passes all.
#include "libp2p/testing/muxer_suite.hpp"

#include <gmock/gmock.h>

#include "libp2p/testing/fake_muxer_test.hpp"

namespace libp2p {
namespace {

MuxerSuiteOptions quick_muxer_suite() {
  MuxerSuiteOptions options;
  options.streams = 300;
  options.at_once = 50;
  return options;
}

class MuxerSuiteCase : public ::testing::TestWithParam<std::string> {};

TEST_P(MuxerSuiteCase, passes_a_muxer_that_is_whole) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    MuxerSuiteOptions options = quick_muxer_suite();
    options.seed = seed;
    EXPECT_EQ(run_muxer_case(GetParam(), fake_muxer(Defect::none), options), Failures());
  }
}

INSTANTIATE_TEST_SUITE_P(Whole, MuxerSuiteCase, ::testing::ValuesIn(muxer_suite_cases()),
                         [](const auto& one) { return one.param; });

struct BrokenMuxer {
  std::string name;
  Defect defect;
};

void PrintTo(const BrokenMuxer& one, std::ostream* out) { *out << one.name; }

class MuxerSuite : public ::testing::TestWithParam<BrokenMuxer> {};

TEST_P(MuxerSuite, reports_a_muxer_that_is_broken_there) {
  const auto failures = run_muxer_case(GetParam().name, fake_muxer(GetParam().defect), quick_muxer_suite());
  ASSERT_FALSE(failures.empty());
  EXPECT_THAT(failures.front(), ::testing::StartsWith("/fake/1.0.0 " + GetParam().name + ": expected "));
}

INSTANTIATE_TEST_SUITE_P(
    Broken, MuxerSuite,
    ::testing::Values(
        BrokenMuxer{"echo", Defect::loses_a_byte}, BrokenMuxer{"echo", Defect::gives_no_credit_back},
        BrokenMuxer{"echo", Defect::keeps_ended_streams}, BrokenMuxer{"half_close", Defect::drops_queue_at_end},
        BrokenMuxer{"half_close", Defect::end_closes_both_ways}, BrokenMuxer{"reset", Defect::tells_no_reset},
        BrokenMuxer{"reset", Defect::tells_reset_to_its_caller},
        BrokenMuxer{"many_streams", Defect::keeps_ended_streams}, BrokenMuxer{"many_streams", Defect::loses_a_byte},
        BrokenMuxer{"shared_messages", Defect::keeps_shared}, BrokenMuxer{"shared_messages", Defect::ignores_offset},
        BrokenMuxer{"stop_reading", Defect::delivers_after_stop},
        BrokenMuxer{"streams_that_are_gone", Defect::takes_for_gone_streams},
        BrokenMuxer{"calls_inside_events", Defect::tells_no_reset},
        BrokenMuxer{"calls_inside_events", Defect::tells_reset_to_its_caller},
        BrokenMuxer{"back_pressure", Defect::takes_too_much}, BrokenMuxer{"back_pressure", Defect::never_writable},
        BrokenMuxer{"back_pressure", Defect::writable_too_early},
        BrokenMuxer{"slow_reader", Defect::gives_no_credit_back},
        BrokenMuxer{"receive_memory", Defect::no_memory_bound}, BrokenMuxer{"fairness", Defect::starves_streams},
        BrokenMuxer{"least_room", Defect::needs_more_room}, BrokenMuxer{"stream_limits", Defect::no_inbound_bound},
        BrokenMuxer{"stream_limits", Defect::no_outbound_bound}, BrokenMuxer{"abrupt_loss", Defect::aborts_in_silence},
        BrokenMuxer{"go_away", Defect::forgets_queue_when_going}, BrokenMuxer{"garbage", Defect::survives_garbage},
        BrokenMuxer{"keep_alive", Defect::answers_no_ping}, BrokenMuxer{"silent_peer", Defect::never_times_out}),
    [](const auto& one) { return one.param.name + "_" + std::to_string(one.index); });

TEST(MuxerSuite, says_that_it_has_no_such_case) {
  EXPECT_EQ(run_muxer_case("echoo", fake_muxer(Defect::none)), Failures{"the suite has no case echoo"});
}

}  // namespace
}  // namespace libp2p
