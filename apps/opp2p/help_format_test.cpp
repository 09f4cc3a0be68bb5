#include "help_format.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

class HelpFormatTest : public testing::Test {
 protected:
  std::string shown(const CLI::Option* option) const {
    return format_.make_option_opts(option) + " | " + format_.make_option_desc(option);
  }

  HelpFormat format_;
  CLI::App app_;
  int number_ = 4;
  double ratio_ = 0.5;
  std::string text_;
  std::vector<std::string> texts_;
  bool flag_ = false;
};

TEST_F(HelpFormatTest, says_what_a_value_may_be_and_its_default_in_words) {
  EXPECT_EQ(
      shown(
          app_.add_option("--nodes", number_, "Number of followers")->check(CLI::Range(1, 50))->capture_default_str()),
      " N | Number of followers (1 to 50; default 4)");
  EXPECT_EQ(shown(app_.add_option("--bytes", number_, "Bytes")->check(CLI::NonNegativeNumber)->required()),
            " N | Bytes (at least 0; required)");
  EXPECT_EQ(shown(app_.add_option("--ratio", ratio_, "Ratio")->check(CLI::Range(0.0, 2.5))), " N | Ratio (0 to 2.5)");
  EXPECT_EQ(shown(app_.add_option("--type", text_, "Kind of key")->check(CLI::IsMember({"one", "two"}))),
            " TEXT | Kind of key (one, two)");
}

TEST_F(HelpFormatTest, adds_nothing_where_there_is_nothing_to_say) {
  EXPECT_EQ(shown(app_.add_flag("--json", flag_, "Print JSON")), " | Print JSON");
  EXPECT_EQ(shown(app_.add_option("--file", text_, "A file")), " TEXT | A file");
  EXPECT_EQ(shown(app_.add_option("--peers", texts_, "Peers")), " TEXT ... | Peers");
  EXPECT_EQ(shown(app_.add_option("--key", text_)->required()), " TEXT | (required)");
}

}  // namespace
}  // namespace opp2p
