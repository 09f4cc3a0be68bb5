// The transport suite can fail: each way in which broken_transport_test.hpp breaks TCP is reported by the case that is
// named for it, and the same without a defect passes all.
#include "libp2p/testing/transport_suite.hpp"

#include <gmock/gmock.h>

#include "libp2p/testing/broken_transport_test.hpp"

namespace libp2p {
namespace {

TransportSuiteOptions quick() {
  TransportSuiteOptions options;
  options.streams = 100;
  options.at_once = 20;
  return options;
}

// The wrapping alone breaks nothing: what the cases report below is the defect.
class TransportSuiteCase : public ::testing::TestWithParam<std::string> {};

TEST_P(TransportSuiteCase, passes_a_transport_that_is_whole) {
  EXPECT_EQ(run_transport_case(GetParam(), sim_beds(broken_tcp_plan(TransportDefect::none)), quick()), Failures());
}

INSTANTIATE_TEST_SUITE_P(Whole, TransportSuiteCase, ::testing::ValuesIn(transport_suite_cases()),
                         [](const auto& one) { return one.param; });

struct Broken {
  std::string name;
  TransportDefect defect;
};

void PrintTo(const Broken& one, std::ostream* out) { *out << one.name; }

class TransportSuite : public ::testing::TestWithParam<Broken> {};

TEST_P(TransportSuite, reports_a_transport_that_is_broken_there) {
  const auto failures = run_transport_case(GetParam().name, sim_beds(broken_tcp_plan(GetParam().defect)), quick());
  ASSERT_FALSE(failures.empty());
  EXPECT_THAT(failures.front(), ::testing::StartsWith("broken " + GetParam().name + ": expected "));
}

INSTANTIATE_TEST_SUITE_P(
    Broken, TransportSuite,
    ::testing::Values(Broken{"echo", TransportDefect::loses_a_byte},
                      Broken{"half_close", TransportDefect::loses_a_byte}, Broken{"reset", TransportDefect::stalls},
                      Broken{"many_streams", TransportDefect::stalls}, Broken{"back_pressure", TransportDefect::stalls},
                      Broken{"slow_reader", TransportDefect::stalls}, Broken{"fairness", TransportDefect::stalls},
                      Broken{"last_words", TransportDefect::tears_at_shutdown},
                      Broken{"abrupt_loss", TransportDefect::swallows_resets},
                      Broken{"facts", TransportDefect::names_another_remote},
                      Broken{"wrong_peer", TransportDefect::dials_somebody_else},
                      Broken{"cancelled_dials", TransportDefect::refuses_after_a_cancelled_dial},
                      Broken{"crossing_dials", TransportDefect::dials_or_listens},
                      Broken{"taken_address", TransportDefect::listens_twice},
                      Broken{"nobody_listens", TransportDefect::dials_somebody_else},
                      Broken{"listener_that_goes", TransportDefect::falls_silent},
                      Broken{"foreign_address", TransportDefect::takes_every_address},
                      Broken{"sockets_carry_bytes", TransportDefect::loses_a_byte},
                      Broken{"sockets_carry_bytes", TransportDefect::stalls},
                      Broken{"sockets_end_each_way", TransportDefect::swallows_resets},
                      Broken{"sockets_hold_back", TransportDefect::loses_a_byte},
                      Broken{"sockets_hold_back", TransportDefect::stalls},
                      Broken{"sockets_of_dials_given_up", TransportDefect::calls_back_after_all},
                      Broken{"sockets_nobody_listens", TransportDefect::listens_twice}),
    [](const auto& one) { return one.param.name + "_" + std::to_string(one.index); });

TEST(TransportSuite, says_that_it_has_no_such_case) {
  EXPECT_EQ(run_transport_case("ech", sim_beds(tcp_plan())), Failures{"the suite has no case ech"});
}

}  // namespace
}  // namespace libp2p
