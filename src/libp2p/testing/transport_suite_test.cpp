// The transport suite can fail: each way in which broken_transport_test.hpp breaks TCP is reported by the case that is
// named for it, and the same without a defect passes all.
#include "libp2p/testing/transport_suite.hpp"

#include <gmock/gmock.h>

#include "libp2p/testing/broken_transport_test.hpp"

namespace libp2p {
namespace {

TransportSuiteOptions quick_transport_suite() {
  TransportSuiteOptions options;
  options.streams = 100;
  options.at_once = 20;
  return options;
}

// The wrapping alone breaks nothing: what the cases report below is the defect.
class TransportSuiteCase : public ::testing::TestWithParam<std::string> {};

TEST_P(TransportSuiteCase, passes_a_transport_that_is_whole) {
  EXPECT_EQ(run_transport_case(GetParam(), sim_beds(broken_tcp_plan(TransportDefect::none)), quick_transport_suite()),
            Failures());
}

INSTANTIATE_TEST_SUITE_P(Whole, TransportSuiteCase, ::testing::ValuesIn(transport_suite_cases()),
                         [](const auto& one) { return one.param; });

struct BrokenTransport {
  std::string name;
  TransportDefect defect;
};

void PrintTo(const BrokenTransport& one, std::ostream* out) { *out << one.name; }

class TransportSuite : public ::testing::TestWithParam<BrokenTransport> {};

TEST_P(TransportSuite, reports_a_transport_that_is_broken_there) {
  const auto failures =
      run_transport_case(GetParam().name, sim_beds(broken_tcp_plan(GetParam().defect)), quick_transport_suite());
  ASSERT_FALSE(failures.empty());
  EXPECT_THAT(failures.front(), ::testing::StartsWith("broken " + GetParam().name + ": expected "));
}

INSTANTIATE_TEST_SUITE_P(
    Broken, TransportSuite,
    ::testing::Values(BrokenTransport{"echo", TransportDefect::loses_a_byte},
                      BrokenTransport{"half_close", TransportDefect::loses_a_byte},
                      BrokenTransport{"reset", TransportDefect::stalls},
                      BrokenTransport{"many_streams", TransportDefect::stalls},
                      BrokenTransport{"back_pressure", TransportDefect::stalls},
                      BrokenTransport{"slow_reader", TransportDefect::stalls},
                      BrokenTransport{"fairness", TransportDefect::stalls},
                      BrokenTransport{"last_words", TransportDefect::tears_at_shutdown},
                      BrokenTransport{"abrupt_loss", TransportDefect::swallows_resets},
                      BrokenTransport{"facts", TransportDefect::names_another_remote},
                      BrokenTransport{"wrong_peer", TransportDefect::dials_somebody_else},
                      BrokenTransport{"cancelled_dials", TransportDefect::refuses_after_a_cancelled_dial},
                      BrokenTransport{"crossing_dials", TransportDefect::dials_or_listens},
                      BrokenTransport{"taken_address", TransportDefect::listens_twice},
                      BrokenTransport{"nobody_listens", TransportDefect::dials_somebody_else},
                      BrokenTransport{"listener_that_goes", TransportDefect::falls_silent},
                      BrokenTransport{"foreign_address", TransportDefect::takes_every_address},
                      BrokenTransport{"sockets_carry_bytes", TransportDefect::loses_a_byte},
                      BrokenTransport{"sockets_carry_bytes", TransportDefect::stalls},
                      BrokenTransport{"sockets_end_each_way", TransportDefect::swallows_resets},
                      BrokenTransport{"sockets_hold_back", TransportDefect::loses_a_byte},
                      BrokenTransport{"sockets_hold_back", TransportDefect::stalls},
                      BrokenTransport{"sockets_of_dials_given_up", TransportDefect::calls_back_after_all},
                      BrokenTransport{"sockets_nobody_listens", TransportDefect::listens_twice}),
    [](const auto& one) { return one.param.name + "_" + std::to_string(one.index); });

TEST(TransportSuite, says_that_it_has_no_such_case) {
  EXPECT_EQ(run_transport_case("ech", sim_beds(tcp_plan())), Failures{"the suite has no case ech"});
}

}  // namespace
}  // namespace libp2p
