#include "opp2p/log/log.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "libp2p/crypto/secp256k1.hpp"

namespace opp2p {
namespace {

std::string format_line(LogFormat format, libp2p::UnixTime wall, LogLevel level, Component component,
                        std::string_view message, std::initializer_list<Field> fields) {
  return to_line(format, LogRecord(wall, level, component, message, fields));
}

const libp2p::UnixTime kWhen = libp2p::from_unix_seconds(1700000000) + libp2p::Millis(7);

TEST(Log, text_lines_are_logfmt_and_quote_what_needs_it) {
  EXPECT_EQ(format_line(LogFormat::text, kWhen, LogLevel::info, Component::gossip, "block accepted",
                        {{"number", 7u}, {"peer", "16Uiu2"}, {"reason", "two words"}, {"ok", true}}),
            "t=2023-11-14T22:13:20.007Z lvl=info component=gossip msg=\"block accepted\" number=7 peer=16Uiu2 "
            "reason=\"two words\" ok=true");
}

TEST(Log, a_field_without_a_value_is_left_out) {
  const std::optional<std::uint64_t> number = 0, no_number;
  const std::optional<libp2p::crypto::secp256k1::Address> nobody;
  // A field refers to its value, which has to live as long as the list.
  const libp2p::PeerId no_peer;
  const libp2p::Multiaddr no_address;
  const libp2p::ByteView no_bytes;
  const std::initializer_list<Field> fields = {
      {"number", number}, {"no_number", no_number}, {"signer", nobody},  {"text", ""},
      {"peer", no_peer},  {"addr", no_address},     {"bytes", no_bytes}, {"ok", false}};
  EXPECT_TRUE(format_line(LogFormat::text, kWhen, LogLevel::info, Component::host, "m", fields)
                  .ends_with("msg=\"m\" number=0 ok=false"));
  EXPECT_TRUE(format_line(LogFormat::json, kWhen, LogLevel::info, Component::host, "m", fields)
                  .ends_with(R"("msg":"m","number":0,"ok":false})"));
}

TEST(Log, durations_are_written_as_go_writes_them) {
  const auto text = [](libp2p::Nanos value) {
    const auto line = format_line(LogFormat::text, kWhen, LogLevel::info, Component::host, "m", {{"took", value}});
    return line.substr(line.rfind('=') + 1);
  };
  EXPECT_EQ(text(libp2p::Micros(12)), "12us");
  EXPECT_EQ(text(libp2p::Micros(1500)), "1.5ms");
  EXPECT_EQ(text(libp2p::Millis(59'990)), "59.9s");
  EXPECT_EQ(text(libp2p::Seconds(90)), "1m30s");
  EXPECT_EQ(text(libp2p::Seconds(3 * 3600 + 5)), "3h0m5s");
  EXPECT_EQ(text(libp2p::Nanos(-1'500'000'000)), "-1.5s");
}

TEST(Log, what_peers_say_cannot_forge_a_line_or_move_a_terminals_cursor) {
  const std::string hostile[] = {"a\nt=now lvl=crit",
                                 "a\r\n",
                                 "\x1b[2J",
                                 "\x7f",
                                 std::string(1, '\0'),
                                 "\xc2\x9b"
                                 "2J",
                                 "\xc2\x85",
                                 "\xe2\x80\xa8",
                                 "\xe2\x80\xae"
                                 "gnp",
                                 "\x9b"
                                 "2J",
                                 "\xff",
                                 "\xc0\x8a",
                                 "\xed\xa0\x80",
                                 "\xf4\x90\x80\x80",
                                 "\xe2\x80"};
  for (const auto format : {LogFormat::text, LogFormat::json}) {
    for (const auto& text : hostile) {
      const auto line = format_line(format, kWhen, LogLevel::warn, Component::host, text, {{"agent", text}});
      for (const char c : line) {
        EXPECT_GE(c, ' ') << line;
        EXPECT_NE(c, '\x7f') << line;
      }
      if (format == LogFormat::json) {
        EXPECT_EQ(boost::json::parse(line).as_object().at("agent"), boost::json::parse(line).as_object().at("msg"))
            << line;
      }
    }
    const auto fine = format_line(format, kWhen, LogLevel::warn, Component::host, "x",
                                  {{"agent", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"}});
    EXPECT_NE(fine.find("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), std::string::npos) << fine;
  }
}

TEST(Log, a_long_value_is_cut_between_characters_and_says_so) {
  const std::string kept(kMaxFieldBytes - 1, 'x');
  const auto line = format_line(LogFormat::text, kWhen, LogLevel::info, Component::host, "m",
                                {{"agent", kept + "\xc3\xa9" + std::string(100'000, 'y')}});
  EXPECT_TRUE(line.ends_with("agent=\"" + kept + "... (100002 more bytes)\"")) << line;
  EXPECT_TRUE(format_line(LogFormat::text, kWhen, LogLevel::info, Component::host, "m", {{"agent", kept + "z"}})
                  .ends_with("=" + kept + "z"));
}

TEST(Log, values_of_the_network_are_written_as_their_texts) {
  const auto peer = libp2p::PeerId::from_text("16Uiu2HAmLwDCf3xXrYgSHBEVGcEUZMYKpFZv6u2WPDvcvqbVVTb7").value();
  const auto address = libp2p::Multiaddr::from_text("/ip4/10.0.0.1/tcp/9222").value();
  const std::array<std::uint8_t, 3> hash = {1, 2, 255};
  EXPECT_TRUE(
      format_line(
          LogFormat::text, kWhen, LogLevel::info, Component::host, "m",
          {{"peer", peer}, {"addr", address}, {"hash", hash}, {"why", libp2p::fail(libp2p::Errc::reset, "gone")}})
          .ends_with(
              "peer=16Uiu2HAmLwDCf3xXrYgSHBEVGcEUZMYKpFZv6u2WPDvcvqbVVTb7 addr=/ip4/10.0.0.1/tcp/9222 hash=0x0102ff "
              "why=\"reset: gone\""));
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
}  // namespace opp2p
