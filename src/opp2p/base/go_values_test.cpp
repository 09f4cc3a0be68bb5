// What each value is; the real library's answers to many more texts are vectors (tests/vectors/op_node_flags_test.cpp).
#include "opp2p/base/go_values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::Micros;
using libp2p::Millis;
using libp2p::Nanos;
using libp2p::Seconds;

TEST(GoValues, switches_are_the_words_of_parse_bool_and_no_others) {
  for (const auto* text : {"1", "t", "T", "TRUE", "true", "True"}) EXPECT_TRUE(parse_bool(text).value()) << text;
  for (const auto* text : {"0", "f", "F", "FALSE", "false", "False"}) EXPECT_FALSE(parse_bool(text).value()) << text;
  for (const auto* text : {"", "yes", "on", "2", "tRUE"}) EXPECT_FALSE(parse_bool(text)) << text;
}

TEST(GoValues, durations_have_a_sign_and_microseconds_under_three_names) {
  EXPECT_EQ(*parse_duration("+60s"), Seconds(60));
  EXPECT_EQ(*parse_duration("-1s"), -Seconds(1));
  for (const auto* text : {"30us", "30\u00b5s", "30\u03bcs"}) EXPECT_EQ(*parse_duration(text), Micros(30)) << text;
  EXPECT_EQ(*parse_duration("1m30s"), Seconds(90));
  EXPECT_EQ(*parse_duration("1.5h"), Seconds(5400));
  EXPECT_EQ(*parse_duration("-9223372036854775808ns"), Nanos::min());
  EXPECT_EQ(parse_duration("30").error().text(), "time: missing unit in duration \"30\"");
  EXPECT_EQ(parse_duration("1x").error().text(), "time: unknown unit \"x\" in duration \"1x\"");
  EXPECT_EQ(parse_duration("99999999999h").error().text(), "time: invalid duration \"99999999999h\"");
}

TEST(GoValues, durations_print_as_they_read) {
  for (const auto* text : {"0s", "1ns", "1.5\u00b5s", "100ms", "1m0s", "1h0m0.5s", "-2562047h47m16.854775808s"})
    EXPECT_EQ(duration_text(parse_duration(text).value()), text);
}

TEST(GoValues, numbers_may_have_a_base_and_underscores) {
  EXPECT_EQ(*parse_unsigned("0x2406"), 9222u);
  EXPECT_EQ(*parse_unsigned("9_222"), 9222u);
  EXPECT_EQ(*parse_unsigned("017"), 15u);
  EXPECT_EQ(*parse_signed("-0x10"), -16);
  EXPECT_EQ(*parse_signed("-0x_10"), -16);
  EXPECT_EQ(*parse_signed("+0x_10"), 16);
  EXPECT_FALSE(parse_signed("-_10"));
  EXPECT_EQ(*parse_signed("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_signed("9223372036854775808").error().code(), Errc::too_large);
  EXPECT_EQ(parse_unsigned("-1").error().text(), "strconv.ParseUint: parsing \"-1\": invalid syntax");
  EXPECT_EQ(*parse_real("0x1p-2"), 0.25);
  EXPECT_EQ(*parse_real("1e-400"), 0);
  EXPECT_EQ(parse_real("1e400").error().code(), Errc::too_large);
}

TEST(GoValues, quotes_show_what_cannot_be_printed) {
  EXPECT_EQ(go_quote("a\"\\\n\x01\x7f\xff\u00b5"), "\"a\\\"\\\\\\n\\x01\\x7f\\xff\u00b5\"");
}

}  // namespace
}  // namespace opp2p
