#include "apps/devnet/record.hpp"

#include <gtest/gtest.h>

namespace opp2p::devnet {
namespace {

using libp2p::Seconds;

NodeRow row_at(std::uint64_t head) {
  NodeRow out;
  out.name = "follower-1";
  out.state = "running";
  out.head.number = head;
  return out;
}

std::vector<std::string> ids(const std::vector<Event>& events) {
  std::vector<std::string> out;
  for (const auto& event : events) out.push_back(event.id);
  return out;
}

using Ids = std::vector<std::string>;

TEST(Record, a_row_that_goes_on_as_before_is_no_event) {
  NodeRecord node;
  EXPECT_TRUE(take_row(node, row_at(1), Seconds(1)).empty());
  EXPECT_TRUE(take_row(node, row_at(2), Seconds(2)).empty());
  EXPECT_EQ(node.row.head.number, 2u);
}

TEST(Record, a_reorganisation_is_told_once_with_its_fork_point_and_its_depth) {
  NodeRecord node;
  take_row(node, row_at(9), Seconds(1));
  auto row = row_at(10);
  row.reorganisations = 1;
  row.last_reorganisation = Reorganisation{{9, "0x9"}, {10, "0xa"}, 6, 3};
  const auto events = take_row(node, row, Seconds(2));
  ASSERT_EQ(ids(events), Ids{"reorganised"});
  EXPECT_EQ(events[0].text, "reorganised from block 9 to 10: fork point 6, depth 3");
  EXPECT_EQ(events[0].data.at("depth").to_number<int>(), 3);
  EXPECT_TRUE(take_row(node, row, Seconds(7)).empty());
  EXPECT_EQ(node.row.reorganised_ago, 5);
  EXPECT_EQ(node.reorganisations.size(), 1u);
}

TEST(Record, reorganisations_that_passed_between_two_looks_are_counted) {
  NodeRecord node;
  auto row = row_at(10);
  row.reorganisations = 3;
  row.last_reorganisation = Reorganisation{{9, "0x9"}, {10, "0xa"}, 6, 3};
  take_row(node, row, Seconds(2));
  EXPECT_EQ(node.reorganisations.size(), 1u);
  EXPECT_EQ(node.unseen_reorganisations, 2u);
}

TEST(Record, a_gap_is_told_when_it_is_seen_and_when_it_is_filled) {
  NodeRecord node;
  auto row = row_at(4);
  row.gap = GapRow{4, 10, 5};
  const auto seen = take_row(node, row, Seconds(1));
  ASSERT_EQ(ids(seen), Ids{"gap"});
  EXPECT_EQ(seen[0].text, "misses 5 blocks of 5-9");
  row.gap = GapRow{4, 8, 3};
  row.filled = 2;
  EXPECT_TRUE(take_row(node, row, Seconds(2)).empty());
  row.gap.reset();
  row.filled = 5;
  const auto filled = take_row(node, row, Seconds(3));
  ASSERT_EQ(ids(filled), Ids{"gap_filled"});
  EXPECT_EQ(filled[0].text, "has filled the gap: it fetched 5 blocks");
  EXPECT_EQ(node.gaps.size(), 1u);
  EXPECT_EQ(node.gaps_filled, 1u);
  EXPECT_EQ(node.gap_at, Seconds(1));
}

TEST(Record, a_gap_that_becomes_a_hole_is_not_filled) {
  NodeRecord node;
  auto row = row_at(4);
  row.gap = GapRow{4, 10, 5};
  take_row(node, row, Seconds(1));
  auto above = row_at(12);
  above.reorganisations = 1;
  above.last_reorganisation = Reorganisation{{4, "0x4"}, {12, "0xc"}, std::nullopt, 0};
  above.connected_from = 10;
  above.holes = {{5, 9, 5}};
  above.hole_count = 1;
  const auto events = take_row(node, above, Seconds(11));
  ASSERT_EQ(ids(events), (Ids{"above_hole", "hole"}));
  EXPECT_EQ(events[0].text, "moved its head from block 4 to 12, above a hole");
  EXPECT_EQ(events[1].text, "has a hole on record, 5-9; connected from block 10 on");
  EXPECT_EQ(node.gaps_filled, 0u);
  EXPECT_EQ(node.hole_at, Seconds(11));
  above.holes.clear();
  above.hole_count = 0;
  EXPECT_EQ(ids(take_row(node, above, Seconds(20))), Ids{"hole_filled"});
}

TEST(Record, the_end_of_a_node_is_told_once_and_a_silent_one_keeps_what_was_known) {
  NodeRecord node;
  auto row = row_at(4);
  row.reorganisations = 1;
  row.last_reorganisation = Reorganisation{{3, "0x3"}, {4, "0x4"}, 2, 1};
  take_row(node, row, Seconds(1));
  auto silent = row;
  silent.state = "silent";
  EXPECT_TRUE(take_row(node, silent, Seconds(2)).empty());
  auto ended = row;
  ended.state = "ended 137";
  EXPECT_EQ(ids(take_row(node, ended, Seconds(3))), Ids{"ended"});
  EXPECT_TRUE(take_row(node, ended, Seconds(4)).empty());
}

TEST(Record, a_node_is_in_step_when_at_most_one_block_is_on_its_way) {
  Record record;
  record.head.number = 5;
  record.nodes.emplace_back();
  take_row(record.nodes[0], row_at(4), Seconds(1));
  EXPECT_TRUE(record.is_in_step("follower-1"));
  EXPECT_FALSE(record.is_in_step("nobody"));
  auto behind = row_at(3);
  take_row(record.nodes[0], behind, Seconds(1));
  EXPECT_FALSE(record.is_in_step("follower-1"));
  auto gap = row_at(5);
  gap.gap = GapRow{5, 7, 1};
  take_row(record.nodes[0], gap, Seconds(1));
  EXPECT_FALSE(record.is_in_step("follower-1"));
}

}  // namespace
}  // namespace opp2p::devnet
