// The secure channel suite can fail: each way in which the toy of fake_channel_test.hpp may be broken is reported by
// the case that is named for it, and the whole one passes all.
#include "libp2p/testing/secure_channel_suite.hpp"

#include <gmock/gmock.h>

#include "libp2p/testing/fake_channel_test.hpp"

namespace libp2p {
namespace {

SecureChannelSuiteOptions of_the_toy() {
  SecureChannelSuiteOptions options;
  options.says_end = true;
  return options;
}

class SecureChannelSuiteCase : public ::testing::TestWithParam<std::string> {};

TEST_P(SecureChannelSuiteCase, passes_a_channel_that_is_whole) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SecureChannelSuiteOptions options = of_the_toy();
    options.seed = seed;
    EXPECT_EQ(run_secure_channel_case(GetParam(), fake_security(ChannelDefect::none), options), Failures());
  }
}

INSTANTIATE_TEST_SUITE_P(Whole, SecureChannelSuiteCase, ::testing::ValuesIn(secure_channel_suite_cases()),
                         [](const auto& one) { return one.param; });

struct BrokenChannel {
  std::string name;
  ChannelDefect defect;
};

void PrintTo(const BrokenChannel& one, std::ostream* out) { *out << one.name; }

class SecureChannelSuite : public ::testing::TestWithParam<BrokenChannel> {};

TEST_P(SecureChannelSuite, reports_a_channel_that_is_broken_there) {
  const auto failures = run_secure_channel_case(GetParam().name, fake_security(GetParam().defect), of_the_toy());
  ASSERT_FALSE(failures.empty());
  EXPECT_THAT(failures.front(), ::testing::StartsWith("/fake-security " + GetParam().name + ": expected "));
}

INSTANTIATE_TEST_SUITE_P(
    Broken, SecureChannelSuite,
    ::testing::Values(BrokenChannel{"handshake", ChannelDefect::wrong_key},
                      BrokenChannel{"every_split", ChannelDefect::takes_a_part},
                      BrokenChannel{"data_behind_the_handshake", ChannelDefect::takes_what_follows},
                      BrokenChannel{"wrong_peer", ChannelDefect::accepts_any_peer},
                      BrokenChannel{"early_muxers", ChannelDefect::each_prefers_its_own},
                      BrokenChannel{"changed_handshake", ChannelDefect::believes_any_hello},
                      BrokenChannel{"garbage_for_a_handshake", ChannelDefect::waits_for_endless_hellos},
                      BrokenChannel{"sizes", ChannelDefect::takes_any_size},
                      BrokenChannel{"sizes", ChannelDefect::writes_too_much},
                      BrokenChannel{"sizes", ChannelDefect::loses_the_last_byte},
                      BrokenChannel{"hidden", ChannelDefect::hides_nothing},
                      BrokenChannel{"changed_message", ChannelDefect::believes_any_message},
                      BrokenChannel{"order", ChannelDefect::forgets_the_order},
                      BrokenChannel{"connections_of_one_kind", ChannelDefect::one_key_for_all},
                      BrokenChannel{"output_at_any_time", ChannelDefect::hands_tickets_on},
                      BrokenChannel{"output_at_any_time", ChannelDefect::promises_output},
                      BrokenChannel{"the_end", ChannelDefect::tells_no_end},
                      BrokenChannel{"garbage_for_messages", ChannelDefect::waits_for_endless_messages}),
    [](const auto& one) { return one.param.name + "_" + std::to_string(one.index); });

TEST(SecureChannelSuite, says_that_it_has_no_such_case) {
  EXPECT_EQ(run_secure_channel_case("handshak", fake_security(ChannelDefect::none)),
            Failures{"the suite has no case handshak"});
}

}  // namespace
}  // namespace libp2p
