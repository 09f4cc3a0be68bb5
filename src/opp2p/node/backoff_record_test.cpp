#include "opp2p/node/backoff_record.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

using libp2p::Seconds;
using libp2p::gossipsub::BackoffLeft;
using Backoffs = std::vector<BackoffLeft>;

libp2p::PeerId someone(std::uint8_t n) { return libp2p::PeerId::from_bytes(libp2p::Bytes{0x00, 0x01, n}).value(); }
libp2p::UnixTime second(std::int64_t seconds) { return libp2p::from_unix_seconds(seconds); }
const std::string kLeftTopic = "/optimism/10/3/blocks";

TEST(BackoffRecord, reads_back_what_is_left_of_each) {
  const Backoffs left = {{kLeftTopic, someone(1), Seconds(9)}, {"with a space", someone(2), Seconds(61)}};
  const std::string text = backoff_record(left, second(1000));
  EXPECT_EQ(read_backoff_record(text, second(1000)), left);
  EXPECT_EQ(read_backoff_record(text, second(1003)),
            (Backoffs{{kLeftTopic, someone(1), Seconds(6)}, {"with a space", someone(2), Seconds(58)}}));
  EXPECT_EQ(read_backoff_record(text, second(1009)), (Backoffs{{"with a space", someone(2), Seconds(52)}}));
  EXPECT_EQ(read_backoff_record(text, second(2000)), Backoffs());
  EXPECT_EQ(read_backoff_record(text, second(10)), left) << "a clock that was set back prolongs none";
  EXPECT_EQ(backoff_record({}, second(1000)), "");
}

TEST(BackoffRecord, keeps_those_that_end_first) {
  Backoffs many;
  for (std::size_t n = 0; n < 2 * kMostBackoffs; ++n)
    many.push_back({kLeftTopic, someone(1), Seconds(static_cast<std::int64_t>(2 * kMostBackoffs - n))});
  const auto kept = read_backoff_record(backoff_record(many, second(0)), second(0));
  ASSERT_EQ(kept.size(), kMostBackoffs);
  EXPECT_EQ(kept.back().left, Seconds(static_cast<std::int64_t>(kMostBackoffs)));
}

TEST(BackoffRecord, leaves_out_what_it_does_not_understand) {
  const std::string good = "9 " + someone(1).to_base58() + " " + kLeftTopic + "\n";
  EXPECT_EQ(read_backoff_record("1 5\n" + good, second(5)).size(), 1U);
  for (const std::string text : {"", "1", "1 ", "1 x\n", "2 5\n", "1 5", "\n"})
    EXPECT_EQ(read_backoff_record(text + good, second(5)).size(), 0U) << text;
  const std::string peer = someone(1).to_base58();
  for (const std::string& line : std::vector<std::string>{
           "", "9", "9 " + peer, "9 " + peer + " ", "0 " + peer + " t", "-1 " + peer + " t", "x " + peer + " t",
           "9 nobody t", "99999999999999999999 " + peer + " t", "7201 " + peer + " t", "9  " + peer + " t"})
    EXPECT_EQ(read_backoff_record("1 5\n" + line + "\n" + good, second(5)).size(), 1U) << line;
}

}  // namespace
}  // namespace opp2p
