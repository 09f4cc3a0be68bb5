#include "apps/devnet/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opp2p::devnet {
namespace {

using testing::HasSubstr;

const char* const kStatus = R"({"head":{"number":7,"hash":"0x01"},"peers":4,"mesh":3,
  "blocks":{"accepted":6,"rejected":{"invalid_signature":2,"too_old":1},"ignored":{"seen":1}},
  "blocksSynced":5,"gap":{"start":7,"end":12,"missing":4},"latencyMs":{"p50":1.5,"p99":null,"samples":6}})";

NodeRow row() { return row_of("follower-1", boost::json::parse(kStatus).as_object()); }

DevnetStatus status_of(std::vector<NodeRow> rows) {
  DevnetStatus out;
  out.seconds = 34;
  out.head = 12;
  out.rows = std::move(rows);
  return out;
}

NodeRow in_step(std::string name) {
  NodeRow out;
  out.name = std::move(name);
  out.state = "running";
  out.head.number = 12;
  return out;
}

TEST(Table, the_news_comes_before_the_nodes_and_says_who_is_behind_and_what_it_fetches) {
  const auto lines = live_lines(status_of({in_step("sequencer"), row()}), {}, false);
  ASSERT_GE(lines.size(), 6u);
  EXPECT_THAT(lines[0], HasSubstr("block 12 after 34 s"));
  EXPECT_EQ(lines[1], "follower-1   5 behind; fetching: 4 left, 5 fetched");
  EXPECT_EQ(lines[2], "intruder     3 rejected, all nodes together");
  EXPECT_THAT(lines[3], testing::StartsWith("     2 invalid block signature"));
  EXPECT_THAT(lines[3], HasSubstr("     1 payload is too old"));
  EXPECT_THAT(lines[4], testing::StartsWith("node "));
}

TEST(Table, a_node_in_step_is_no_news_nor_one_whose_block_is_on_its_way) {
  auto close = in_step("follower-2");
  close.head.number = 11;
  EXPECT_TRUE(news_of(status_of({in_step("follower-1"), close})).empty());
}

TEST(Table, who_ended_is_silent_or_starts_is_news) {
  std::vector<NodeRow> rows;
  for (const char* state : {"ended 139", "silent", "starting"}) {
    rows.push_back(in_step(state));
    rows.back().state = state;
  }
  auto status = status_of(rows);
  status.intruder_runs = false;
  const auto news = news_of(status);
  ASSERT_EQ(news.size(), 4u);
  EXPECT_EQ(news[0].text, "intruder     has ended; its log says why");
  EXPECT_EQ(news[1].text, "ended 139    ended 139; its log says why");
  EXPECT_EQ(news[1].colour, Colour::red);
  EXPECT_EQ(news[2].text, "silent       does not answer");
  EXPECT_EQ(news[3].text, "starting     is starting");
}

TEST(Table, at_80_columns_nothing_is_cut) {
  auto large = row();
  large.name = "follower-50";
  large.head.number = 9'999'999;
  large.accepted = 9'999'999;
  large.peers = 50;
  large.filled = 999'999;
  large.p50_ms = 12345.6;
  large.p99_ms = 12345.6;
  auto first = in_step("sequencer");
  first.head.number = 9'900'000;
  auto status = status_of({first, large});
  status.head = 9'999'999;
  status.seconds = 999'999;
  for (const bool foreign : {false, true}) {
    status.foreign_peers = foreign;
    for (const auto& line : live_lines(status, {80, 24}, false)) EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(Table, more_nodes_than_rows_are_counted_and_the_news_of_all_is_told) {
  std::vector<NodeRow> rows;
  for (int i = 0; i < 52; ++i) rows.push_back(in_step("follower-" + std::to_string(i)));
  rows[50].state = "silent";
  const auto lines = live_lines(status_of(rows), {80, 24}, false);
  EXPECT_EQ(lines.size(), 23u);
  EXPECT_THAT(lines[1], HasSubstr("follower-50  does not answer"));
  EXPECT_EQ(lines.back(), "and 33 more nodes");
  for (auto& each : rows) each.state = "silent";
  const auto silent = live_lines(status_of(rows), {80, 24}, false);
  EXPECT_EQ(silent.size(), 23u);
  EXPECT_THAT(silent[8], HasSubstr("and 45 more"));
}

TEST(Table, colours_are_for_the_news_and_its_node) {
  const auto lines = live_lines(status_of({in_step("sequencer"), row()}), {}, true);
  EXPECT_THAT(lines[1], testing::StartsWith("\x1b[33mfollower-1 "));
  EXPECT_THAT(lines[2], testing::StartsWith("\x1b[35mintruder "));
  EXPECT_THAT(lines[lines.size() - 2], testing::StartsWith("sequencer "));
  EXPECT_THAT(lines.back(), testing::StartsWith("\x1b[33mfollower-1 "));
  for (const auto& line : live_lines(status_of({row()}), {}, false)) EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST(Table, plain_lines_tell_the_news_what_the_intruder_was_refused_and_each_node) {
  EXPECT_EQ(plain_lines(status_of({row()})),
            "--- 34 s, block 12\n"
            "follower-1   5 behind; fetching: 4 left, 5 fetched\n"
            "intruder     3 rejected, all nodes together: 2 invalid block signature, 1 payload is too old\n"
            "follower-1 running head=7 lag=5 peers=4 mesh=3 accepted=6 rejected=3 ignored=1 fetched=5 gap=4 "
            "reorgs=0 depth=none hole=none banned=0 p50=1.5ms p99=-\n");
}

NodeRow reorganised(std::int64_t ago) {
  auto out = in_step("follower-1");
  out.reorganisations = 1;
  out.last_reorganisation = Reorganisation{{9, "0x09"}, {10, "0x10"}, 6, 3};
  out.reorganised_ago = ago;
  return out;
}

TEST(Table, a_reorganisation_is_news_for_some_seconds_and_stays_as_a_mark) {
  const auto news = news_of(status_of({reorganised(2)}));
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].text, "follower-1   reorganised 2 s ago: 3 blocks replaced, from 9 to 10 on 6");
  EXPECT_TRUE(news_of(status_of({reorganised(60)})).empty());
  EXPECT_EQ(marks_of(reorganised(60)), "reorganised 1x, depth 3");
}

TEST(Table, a_head_that_has_just_moved_above_a_hole_is_news_with_what_is_missing) {
  auto node = reorganised(2);
  node.last_reorganisation->fork.reset();
  node.hole_count = 1;
  node.holes = {{6, 9, 4}};
  const auto news = news_of(status_of({node}));
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].text, "follower-1   moved its head above a hole 2 s ago: 6-9 missing");
  EXPECT_EQ(marks_of(node), "hole 6-9");
}

TEST(Table, a_hole_is_news_as_long_as_it_is_there) {
  auto node = in_step("follower-1");
  node.hole_count = 2;
  node.holes = {{6, 9, 4}, {2, 2, 1}};
  const auto news = news_of(status_of({node}));
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].text, "follower-1   4 blocks missing below its head: 6-9 and 1 more");
  EXPECT_EQ(marks_of(node), "hole 6-9 and 1 more");
}

TEST(Table, the_marks_are_a_column_of_a_wide_window_and_in_the_plain_lines) {
  auto node = reorganised(60);
  node.sequences = true;
  const auto status = status_of({node, in_step("follower-2")});
  const auto wide = live_lines(status, {120, 24}, false);
  EXPECT_THAT(wide[1], testing::EndsWith("p99 ms  marks"));
  EXPECT_THAT(wide[2], testing::EndsWith("  sequences; reorganised 1x, depth 3"));
  EXPECT_THAT(live_lines(status, {80, 24}, false)[1], testing::EndsWith("p99 ms"));
  EXPECT_THAT(plain_lines(status), HasSubstr("reorgs=1 depth=3 hole=none banned=0 p50=- p99=- sequences\n"));
}

TEST(Table, the_title_names_who_sequences) {
  auto first = in_step("sequencer");
  auto second = in_step("standby");
  second.sequences = true;
  EXPECT_THAT(live_lines(status_of({first, second}), {}, false)[0],
              testing::StartsWith("block 12 after 34 s, sequenced by standby "));
  first.sequences = true;
  EXPECT_THAT(live_lines(status_of({first, second}), {}, false)[0], HasSubstr("by sequencer and standby "));
}

TEST(Table, who_is_stopped_by_the_story_is_news_and_no_failure) {
  auto node = in_step("sequencer");
  node.state = "stopped";
  const auto news = news_of(status_of({node}));
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].text, "sequencer    is stopped");
  EXPECT_EQ(news[0].colour, Colour::yellow);
}

TEST(Table, of_a_peer_id_a_terminal_shows_the_ends) {
  EXPECT_EQ(with_short_peer_id("/ip4/127.0.0.1/tcp/1/p2p/16Uiu2HAmDJZeiyW6qvjxfiAF5hahnbojFZL34SkTkyJ18hDzs6ab"),
            "/ip4/127.0.0.1/tcp/1/p2p/16Uiu2..Dzs6ab");
  EXPECT_EQ(with_short_peer_id("16Uiu2HAmDJZeiyW6qvjxfiAF5hahnbojFZL34SkTkyJ18hDzs6ab"), "16Uiu2..Dzs6ab");
  EXPECT_EQ(with_short_peer_id("/ip4/127.0.0.1/tcp/1"), "/ip4/127.0.0.1/tcp/1");
}

}  // namespace
}  // namespace opp2p::devnet
