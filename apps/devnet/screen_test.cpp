#include "apps/devnet/screen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opp2p::devnet {
namespace {

TEST(Screen, lines_are_drawn_over_from_the_first_column_whatever_a_key_left_there) {
  Screen screen;
  EXPECT_EQ(screen.draw({"a", "b"}, {}), "\r\x1b[Ja\nb\n");
  EXPECT_EQ(screen.draw({"c"}, {}), "\r\x1b[2A\x1b[Jc\n");
  EXPECT_EQ(screen.draw({"d"}, {}), "\r\x1b[1A\x1b[Jd\n");
}

TEST(Screen, what_stays_is_printed_in_place_of_the_area_which_then_comes_below) {
  Screen screen;
  screen.draw({"a", "b"}, {});
  EXPECT_EQ(screen.print_above("news\n"), "\r\x1b[2A\x1b[Jnews\n");
  EXPECT_EQ(screen.draw({"a"}, {}), "\r\x1b[Ja\n");
}

TEST(Screen, an_area_that_is_left_is_not_drawn_over) {
  Screen screen;
  screen.draw({"a"}, {});
  screen.leave();
  EXPECT_EQ(screen.print_above("end\n"), "\r\x1b[Jend\n");
}

TEST(Screen, never_more_lines_are_drawn_than_the_cursor_can_go_back_over) {
  Screen screen;
  EXPECT_EQ(screen.draw({"1", "2", "3", "4"}, {80, 3}), "\r\x1b[J1\n2\n");
  EXPECT_EQ(screen.draw({}, {80, 3}), "\r\x1b[2A\x1b[J");
}

TEST(Screen, a_line_is_cut_by_columns_and_not_by_bytes_and_its_colour_ends) {
  EXPECT_EQ(fit("abcdef", 4), "abcd");
  EXPECT_EQ(fit("abc", 80), "abc");
  EXPECT_EQ(fit("\u00e4\u20ac\u00fc", 2), "\u00e4\u20ac");
  EXPECT_EQ(fit(in_colour(Colour::red, "abcdef"), 3), "\x1b[31mabc\x1b[0m");
  EXPECT_EQ(fit(in_colour(Colour::red, "abc"), 3), "\x1b[31mabc\x1b[0m");
  EXPECT_EQ(fit(in_colour(Colour::red, "abc") + "def", 4), "\x1b[31mabc\x1b[0md");
  EXPECT_EQ(fit("a\x1b[", 4), "a\x1b[");
}

TEST(Screen, only_a_terminal_that_says_what_it_is_gets_escape_sequences) {
  EXPECT_TRUE(terminal_kind(true, "xterm", nullptr).in_place);
  EXPECT_TRUE(terminal_kind(true, "xterm", nullptr).colours);
  EXPECT_TRUE(terminal_kind(true, "xterm", "").colours);
  EXPECT_FALSE(terminal_kind(true, "xterm", "1").colours);
  EXPECT_TRUE(terminal_kind(true, "xterm", "1").in_place);
  for (const char* term : {"dumb", "", static_cast<const char*>(nullptr)}) {
    EXPECT_FALSE(terminal_kind(true, term, nullptr).in_place);
    EXPECT_FALSE(terminal_kind(true, term, nullptr).colours);
  }
  EXPECT_FALSE(terminal_kind(false, "xterm", nullptr).in_place);
}

}  // namespace
}  // namespace opp2p::devnet
