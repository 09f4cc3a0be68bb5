#include "node/devnet/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opp2p::node::devnet {
namespace {

using testing::HasSubstr;

const char* const kStatus = R"({"head":{"number":7,"hash":"0x01"},"peers":4,"mesh":3,
  "blocks":{"accepted":6,"rejected":{"invalid block signature":2,"payload is too old":1},"ignored":{"seen":1}},
  "blocksSynced":5,"gap":{"start":7,"end":12,"missing":4},"latencyMs":{"p50":1.5,"p99":null,"samples":6}})";

NodeRow row() { return row_of("follower-1", boost::json::parse(kStatus).as_object()); }

TEST(Table, a_row_says_what_the_status_says) {
  const auto read = row();
  EXPECT_EQ(read.head, 7u);
  EXPECT_EQ(read.mesh, 3u);
  EXPECT_EQ(read.accepted, 6u);
  EXPECT_EQ(read.rejected.at("invalid block signature"), 2u);
  EXPECT_EQ(read.missing, 4u);
  EXPECT_EQ(read.filled, 5u);
  EXPECT_EQ(read.p50_ms, 1.5);
  EXPECT_FALSE(read.p99_ms);
}

TEST(Table, a_status_of_another_shape_gives_zeros_and_no_crash) {
  const auto read = row_of("x", boost::json::parse(R"({"head":1,"blocks":[],"latencyMs":{"p50":"fast"},"gap":null})").as_object());
  EXPECT_EQ(read.head, 0u);
  EXPECT_FALSE(read.p50_ms);
  EXPECT_FALSE(read.missing);
}

TEST(Table, the_table_sums_refusals_by_reason_over_all_nodes) {
  const auto text = render_table({row(), row()}, "title");
  EXPECT_THAT(text, HasSubstr("     4 invalid block signature\n"));
  EXPECT_THAT(text, HasSubstr("4 left, 5 got"));
  EXPECT_THAT(text, testing::StartsWith("title\n"));
}

TEST(Table, lines_are_cut_to_the_terminal_and_none_is_lost) {
  EXPECT_EQ(cut_lines("abcdef\n\nxy\n", 4), "abcd\n\nxy\n");
  EXPECT_EQ(cut_lines("abc", 80), "abc\n");
}

TEST(Table, a_plain_line_names_the_gap_and_the_latency) {
  EXPECT_EQ(render_line(row()), "follower-1 running head=7 peers=4 mesh=3 accepted=6 rejected=3 ignored=1 gap=4 p50=1.5ms p99=-ms");
}

}  // namespace
}  // namespace opp2p::node::devnet
