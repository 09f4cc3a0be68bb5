#include "node/log.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace opp2p::node {
namespace {

const libp2p::UnixTime kWhen = libp2p::from_unix_seconds(1700000000) + libp2p::Millis(7);

TEST(Log, text_lines_are_logfmt_and_quote_what_needs_it) {
  EXPECT_EQ(format_line(LogFormat::text, kWhen, LogLevel::info, Component::gossip, "block accepted",
                        {{"number", 7u}, {"peer", "16Uiu2"}, {"reason", "two words"}, {"ok", true}, {"empty", ""}}),
            "t=2023-11-14T22:13:20.007Z lvl=info component=gossip msg=\"block accepted\" number=7 peer=16Uiu2 "
            "reason=\"two words\" ok=true empty=\"\"");
}

TEST(Log, a_line_break_cannot_forge_a_second_line) {
  const auto line = format_line(LogFormat::text, kWhen, LogLevel::warn, Component::host, "peer", {{"agent", "a\nlvl=crit"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(Log, json_lines_parse_and_keep_types) {
  const auto line = format_line(LogFormat::json, kWhen, LogLevel::error, Component::store, "disk \"full\"\x01",
                                {{"bytes", std::int64_t{-5}}, {"share", 0.5}, {"path", "a\\b"}, {"nan", 0.0 / 0.0}});
  const auto value = boost::json::parse(line).as_object();
  EXPECT_EQ(value.at("msg").as_string(), "disk \"full\"\x01");
  EXPECT_EQ(value.at("bytes").as_int64(), -5);
  EXPECT_EQ(value.at("share").as_double(), 0.5);
  EXPECT_EQ(value.at("path").as_string(), "a\\b");
  EXPECT_TRUE(value.at("nan").is_string());
}

TEST(Log, levels_are_set_for_all_and_for_one_in_any_order) {
  Log log(LogFormat::text, LogLevel::info);
  ASSERT_TRUE(log.set_levels("gossip=debug,warn"));
  EXPECT_TRUE(log.enabled(Component::gossip, LogLevel::debug));
  EXPECT_FALSE(log.enabled(Component::sync, LogLevel::info));
  EXPECT_TRUE(log.enabled(Component::sync, LogLevel::warn));
}

TEST(Log, an_unknown_level_or_component_changes_nothing_and_says_what_is_known) {
  Log log(LogFormat::text, LogLevel::info);
  const auto level = log.set_levels("loud");
  ASSERT_FALSE(level);
  EXPECT_NE(level.error().text().find("'loud'"), std::string::npos);
  EXPECT_FALSE(log.set_levels("gossip=debug,mesh=trace"));
  EXPECT_FALSE(log.enabled(Component::gossip, LogLevel::debug));
}

}  // namespace
}  // namespace opp2p::node
