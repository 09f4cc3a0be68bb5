#include "libp2p/base/assert.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libp2p/base/time.hpp"

namespace libp2p {
namespace {

std::string told(std::string_view names, const std::vector<assertion::Value>& values) {
  return assertion::text_of("a.cpp", 7, "x > y", "x is above y", names, values);
}

TEST(AssertText, has_the_place_the_condition_what_must_hold_and_a_line_for_each_value) {
  EXPECT_EQ(told("", {}),
            "invariant violated: x is above y\n  a.cpp:7: x > y\n"
            "  This is a defect of the program; please report it with these lines.\n");
  const AssertionScene scene([](const void*) { return std::string("a world"); }, nullptr);
  EXPECT_EQ(told("x", {assertion::value_of(1)}),
            "invariant violated: x is above y\n  a.cpp:7: x > y\n  x = 1\n  in a world\n"
            "  This is a defect of the program; please report it with these lines.\n");
}

TEST(AssertText, the_names_of_values_end_at_a_comma_outside_of_brackets) {
  const std::vector<assertion::Value> values(5, assertion::value_of(1));
  const auto text = told("f(a, g(b, c)), Pair{a, {b, c}}, t[a, b[c, d]], (a, b), d", values);
  for (const auto* line : {"\n  f(a, g(b, c)) = 1\n", "\n  Pair{a, {b, c}} = 1\n", "\n  t[a, b[c, d]] = 1\n",
                           "\n  (a, b) = 1\n", "\n  d = 1\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

#ifndef OPP2P_NO_ASSERTIONS
int evaluated = 0;
int count_up() { return ++evaluated; }

TEST(Assert, says_nothing_while_the_condition_holds_and_evaluates_it_once) {
  evaluated = 0;
  OPP2P_ASSERT(count_up() == 1, "it is evaluated", count_up());
  EXPECT_EQ(evaluated, 1);
}

TEST(AssertDeathTest, names_the_condition_what_must_hold_and_the_values) {
  const int used = 7;
  const std::string name = "window";
  EXPECT_DEATH(OPP2P_ASSERT(used <= 5, "the window is never overdrawn", used, std::max(1, 2), name),
               "the window is never overdrawn[^\n]*\n.*assert_test.cpp:[0-9]+: used <= 5\n  used = 7\n"
               "  std::max\\(1, 2\\) = 2\n  name = \"window\"\n");
  EXPECT_DEATH(OPP2P_ASSERT(false, "never here"), "never here");
}

TEST(AssertDeathTest, values_of_many_kinds_have_a_text) {
  enum class Phase : std::uint8_t { open = 3 };
  const std::optional<int> none;
  EXPECT_DEATH(OPP2P_ASSERT(false, "x", Phase::open, none, Millis(2), std::string_view("a"), true),
               "Phase::open = 3\n  none = none\n  Millis\\(2\\) = 2\n.*= \"a\"\n  true = true");
}

TEST(AssertDeathTest, tells_the_innermost_scene) {
  const int seed = 42;
  const AssertionScene outer([](const void*) { return std::string("outer"); }, nullptr);
  {
    const AssertionScene inner(
        [](const void* context) { return "seed " + std::to_string(*static_cast<const int*>(context)); }, &seed);
    EXPECT_EQ(AssertionScene::text(), "seed 42");
    EXPECT_DEATH(OPP2P_ASSERT(false, "x"), "in seed 42");
  }
  EXPECT_EQ(AssertionScene::text(), "outer");
}
#endif

}  // namespace
}  // namespace libp2p
