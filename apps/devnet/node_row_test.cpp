#include "apps/devnet/node_row.hpp"

#include <gtest/gtest.h>

namespace opp2p::devnet {
namespace {

NodeRow read_row(const char* status) { return row_of("follower-1", boost::json::parse(status).as_object()); }

const char* const kFullStatus = R"({"head":{"number":17,"hash":"0x01"},"peers":4,"mesh":3,
  "blocks":{"accepted":6,"rejected":{"invalid_signature":2,"too_old":1},"ignored":{"seen":1}},
  "blocksSynced":5,"gap":{"start":17,"end":22,"missing":4},"latencyMs":{"p50":1.5,"p99":null,"samples":6},
  "reorganisations":2,"lastReorganisation":{"from":{"number":9,"hash":"0x09"},"to":{"number":10,"hash":"0x10"},
  "fork":6,"depth":3,"reason":"reorganised","time":1},"connectedFrom":8,
  "holes":[{"first":6,"last":7,"missing":2,"parentHash":"0x07"}],"holeCount":1,"settled":null})";

TEST(NodeRow, a_row_says_what_the_status_says) {
  const auto row = read_row(kFullStatus);
  EXPECT_EQ(row.state, "running");
  EXPECT_EQ(row.head, (BlockId{17, "0x01"}));
  EXPECT_EQ(row.mesh, 3u);
  EXPECT_EQ(row.accepted, 6u);
  EXPECT_EQ(row.rejected.at("invalid_signature"), 2u);
  ASSERT_TRUE(row.gap);
  EXPECT_EQ(row.gap->end, 22u);
  EXPECT_EQ(row.gap->missing, 4u);
  EXPECT_EQ(row.filled, 5u);
  EXPECT_EQ(row.reorganisations, 2u);
  ASSERT_TRUE(row.last_reorganisation);
  EXPECT_EQ(row.last_reorganisation->from, (BlockId{9, "0x09"}));
  EXPECT_EQ(row.last_reorganisation->fork, 6u);
  EXPECT_EQ(row.last_reorganisation->depth, 3u);
  EXPECT_EQ(row.connected_from, 8u);
  ASSERT_EQ(row.holes.size(), 1u);
  EXPECT_EQ(row.holes[0].last, 7u);
  EXPECT_EQ(row.hole_count, 1u);
  EXPECT_EQ(row.p50_ms, 1.5);
  EXPECT_FALSE(row.p99_ms);
}

TEST(NodeRow, a_status_of_another_shape_gives_zeros_and_no_crash) {
  const auto row = read_row(
      R"({"head":1,"blocks":[],"latencyMs":{"p50":"fast"},"gap":null,"holes":[1,{}],"lastReorganisation":[]})");
  EXPECT_EQ(row.head.number, 0u);
  EXPECT_FALSE(row.p50_ms);
  EXPECT_FALSE(row.gap);
  EXPECT_EQ(row.holes.size(), 1u);
  EXPECT_FALSE(row.last_reorganisation);
}

TEST(NodeRow, a_head_that_moved_above_a_hole_has_no_fork_point) {
  const auto row = read_row(R"({"lastReorganisation":{"from":{},"to":{},"fork":null,"depth":0}})");
  ASSERT_TRUE(row.last_reorganisation);
  EXPECT_FALSE(row.last_reorganisation->fork);
  EXPECT_TRUE(to_json(*row.last_reorganisation).at("fork").is_null());
}

TEST(NodeRow, the_json_of_a_row_has_the_reorganisation_the_gap_and_the_holes) {
  auto row = read_row(kFullStatus);
  row.sequences = true;
  const auto out = to_json(row);
  EXPECT_TRUE(out.at("sequences").as_bool());
  EXPECT_EQ(out.at("head").to_number<int>(), 17);
  EXPECT_EQ(out.at("missing").to_number<int>(), 4);
  EXPECT_EQ(out.at("lastReorganisation").at("depth").to_number<int>(), 3);
  EXPECT_EQ(out.at("holes").at(0).at("first").to_number<int>(), 6);
  EXPECT_EQ(out.at("connectedFrom").to_number<int>(), 8);
  EXPECT_TRUE(to_json(NodeRow{}).at("missing").is_null());
}

TEST(NodeRow, a_range_is_one_number_two_or_the_place_between_two) {
  EXPECT_EQ(range_text(6, 13), "6-13");
  EXPECT_EQ(range_text(6, 6), "6");
  EXPECT_EQ(range_text(6, 5), "5|6");
}

}  // namespace
}  // namespace opp2p::devnet
