// The muxer suite can fail: each way in which the small muxer of fake_muxer_test.hpp may be broken is reported by the
// case that is named for it, and the whole one passes all.
#include "libp2p/testing/muxer_suite.hpp"

#include <gmock/gmock.h>

#include "libp2p/testing/fake_muxer_test.hpp"

namespace libp2p {
namespace {

MuxerSuiteOptions quick() {
  MuxerSuiteOptions options;
  options.streams = 300;
  options.at_once = 50;
  return options;
}

class MuxerSuiteCase : public ::testing::TestWithParam<std::string> {};

TEST_P(MuxerSuiteCase, passes_a_muxer_that_is_whole) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    MuxerSuiteOptions options = quick();
    options.seed = seed;
    EXPECT_EQ(run_muxer_case(GetParam(), fake_muxer(Defect::none), options), Failures());
  }
}

INSTANTIATE_TEST_SUITE_P(Whole, MuxerSuiteCase, ::testing::ValuesIn(muxer_suite_cases()),
                         [](const auto& one) { return one.param; });

struct Broken {
  std::string name;
  Defect defect;
};

void PrintTo(const Broken& one, std::ostream* out) { *out << one.name; }

class MuxerSuite : public ::testing::TestWithParam<Broken> {};

TEST_P(MuxerSuite, reports_a_muxer_that_is_broken_there) {
  const auto failures = run_muxer_case(GetParam().name, fake_muxer(GetParam().defect), quick());
  ASSERT_FALSE(failures.empty());
  EXPECT_THAT(failures.front(), ::testing::StartsWith("/fake/1.0.0 " + GetParam().name + ": expected "));
}

INSTANTIATE_TEST_SUITE_P(
    Broken, MuxerSuite,
    ::testing::Values(
        Broken{"echo", Defect::loses_a_byte}, Broken{"echo", Defect::gives_no_credit_back},
        Broken{"echo", Defect::keeps_ended_streams}, Broken{"half_close", Defect::drops_queue_at_end},
        Broken{"half_close", Defect::end_closes_both_ways}, Broken{"reset", Defect::tells_no_reset},
        Broken{"reset", Defect::tells_reset_to_its_caller}, Broken{"many_streams", Defect::keeps_ended_streams},
        Broken{"many_streams", Defect::loses_a_byte}, Broken{"shared_messages", Defect::keeps_shared},
        Broken{"shared_messages", Defect::ignores_offset}, Broken{"stop_reading", Defect::delivers_after_stop},
        Broken{"streams_that_are_gone", Defect::takes_for_gone_streams},
        Broken{"calls_inside_events", Defect::tells_no_reset},
        Broken{"calls_inside_events", Defect::tells_reset_to_its_caller},
        Broken{"back_pressure", Defect::takes_too_much}, Broken{"back_pressure", Defect::never_writable},
        Broken{"back_pressure", Defect::writable_too_early}, Broken{"slow_reader", Defect::gives_no_credit_back},
        Broken{"receive_memory", Defect::no_memory_bound}, Broken{"fairness", Defect::starves_streams},
        Broken{"least_room", Defect::needs_more_room}, Broken{"stream_limits", Defect::no_inbound_bound},
        Broken{"stream_limits", Defect::no_outbound_bound}, Broken{"abrupt_loss", Defect::aborts_in_silence},
        Broken{"go_away", Defect::forgets_queue_when_going}, Broken{"garbage", Defect::survives_garbage},
        Broken{"keep_alive", Defect::answers_no_ping}, Broken{"silent_peer", Defect::never_times_out}),
    [](const auto& one) { return one.param.name + "_" + std::to_string(one.index); });

TEST(MuxerSuite, says_that_it_has_no_such_case) {
  EXPECT_EQ(run_muxer_case("echoo", fake_muxer(Defect::none)), Failures{"the suite has no case echoo"});
}

}  // namespace
}  // namespace libp2p
