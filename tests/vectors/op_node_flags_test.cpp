// op-node's flags, and what its library makes of command lines and environments.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <regex>

#include "opp2p/config/node_flags.hpp"
#include "testing/vectors.hpp"

namespace op_node_flags_vectors {
namespace {

using namespace testing_vectors;
using namespace opp2p;
constexpr auto kFamily = "opstack/op-node-flags";

std::string_view name_of(FlagType type) {
  constexpr std::string_view kNames[] = {"text", "bool", "uint", "int", "float", "duration", "list", "checked"};
  return kNames[static_cast<std::size_t>(type)];
}

const NodeFlag* flag_of(const std::string& name) {
  for (const auto& flag : node_flags())
    if (flag.spec.names()[0] == name) return &flag;
  return nullptr;
}

// slog's names of op-node's levels.
std::string level_name(const std::string& text) {
  constexpr std::string_view kNames[] = {"DEBUG-4", "DEBUG", "INFO", "WARN", "ERROR", "ERROR+4"};
  return std::string(kNames[static_cast<std::size_t>(parse_log_level(text).value())]);
}

void expect_content(const std::string& name, const FlagContent& content, const json::value& expected) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&content)) {
    EXPECT_EQ(json::value_from(*list), expected);
    return;
  }
  const std::string text(expected.as_string());
  if (const auto* number = std::get_if<double>(&content)) {
    const double value = std::strtod(text.c_str(), nullptr);
    EXPECT_TRUE(*number == value || (std::isnan(*number) && std::isnan(value))) << *number << " and not " << text;
  } else if (const auto* time = std::get_if<libp2p::Nanos>(&content)) {
    EXPECT_EQ(duration_text(*time), text);
  } else if (const auto* truth = std::get_if<bool>(&content)) {
    EXPECT_EQ(*truth ? "true" : "false", text);
  } else if (const auto* whole = std::get_if<std::uint64_t>(&content)) {
    EXPECT_EQ(std::to_string(*whole), text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&content)) {
    EXPECT_EQ(std::to_string(*integer), text);
  } else {
    const auto& plain = std::get<std::string>(content);
    EXPECT_EQ(name == "log.level" ? level_name(plain) : plain, text);
  }
}

TEST(OpNodeFlags, have_no_unknown_key) { expect_known_root_keys(kFamily, {"flags", "lines"}); }

TEST(OpNodeFlags, are_all_known_by_every_name_and_variable_and_with_their_type) {
  for_each_case(kFamily, "flags", {"names", "variables", "type"}, [](const json::object& item, const std::string&) {
    const auto names = texts_or_none(item, "names");
    const auto* flag = flag_of(names.at(0));
    ASSERT_NE(flag, nullptr) << names[0] << " is a flag of op-node's and none here";
    EXPECT_EQ(flag->spec.names(), names);
    const auto variables = texts_or_none(item, "variables");
    // Deprecated flags have none there; a variable that does more here is no harm.
    EXPECT_TRUE(variables.empty() || flag->spec.environment == variables) << names[0];
    EXPECT_EQ(name_of(flag->spec.type), text(item, "type")) << names[0];
  });
}

TEST(OpNodeFlags, are_read_from_command_line_and_environment_as_its_library_reads_them) {
  const auto check = [](const json::object& item, const std::string&) {
    Environment environment;
    if (has(item, "environment"))
      for (const auto& one : item.at("environment").as_object())
        environment.emplace(one.key(), one.value().as_string());
    const auto arguments = texts_or_none(item, "arguments");
    const auto read = read_flags(node_flag_specs(), arguments, environment);
    SCOPED_TRACE(json::serialize(item));
    ASSERT_EQ(read.has_value(), boolean(item, "valid")) << (read ? "" : read.error().text());
    if (!read) {
      // Go's words, then ours; of a flag that is none, ours only.
      // Its two types of whole numbers from 0 on are one here.
      const auto reference =
          std::regex_replace(text(item, "reference_error"), std::regex(" as uint64 value"), " as uint value");
      constexpr std::string_view kUndefined = "flag provided but not defined: -";
      const auto expected =
          reference.starts_with(kUndefined) ? "unknown option --" + reference.substr(kUndefined.size()) : reference;
      EXPECT_TRUE(read.error().text().starts_with(expected)) << read.error().text();
      return;
    }
    EXPECT_EQ(read->rest, texts_or_none(item, "rest"));
    const auto& set = item.at("set").as_object();
    EXPECT_EQ(read->set.size(), set.size());
    for (const auto& one : set) {
      const auto* value = read->find(one.key());
      ASSERT_NE(value, nullptr) << one.key();
      expect_content(std::string(one.key()), value->content, one.value());
    }
  };
  for_each_case(kFamily, "lines", {"arguments", "environment", "valid", "reference_error", "set", "rest"}, check);
}

}  // namespace
}  // namespace op_node_flags_vectors
