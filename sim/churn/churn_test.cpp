// A smoke of the day of churn, and what its judge finds. `./test soak` runs the day.
#include "sim/churn/churn.hpp"

#include <gtest/gtest.h>

#include "sim/churn/levels.hpp"
#include "sim/churn/trend.hpp"

namespace opp2p::sim::churn {
namespace {

#ifdef NDEBUG
constexpr double kMinutes = 48;
#else
constexpr double kMinutes = 24;  // a build without optimisation takes twenty times as long
#endif

ChurnSettings smoke_settings() {
  ChurnSettings out;
  out.nodes = 8;
  out.minutes = kMinutes;
  out.round = 12;
  out.warm_up = 12;
  out.honest = 8;
  out.forgers = 2;
  out.check_every = 500;
  return out;
}

const Bar& bar_of(const ChurnReport& report, std::string_view beginning) {
  for (const auto& bar : report.bars)
    if (bar.name.starts_with(beginning)) return bar;
  ADD_FAILURE() << "no bar begins with " << beginning;
  static const Bar none;
  return none;
}

bool is_met(const ChurnReport& report, std::string_view beginning) { return bar_of(report, beginning).met; }

TEST(SimulatedChurn, leaves_what_the_size_of_the_network_says_and_nothing_at_the_end) {
  const ChurnReport report = run(smoke_settings(), nullptr);
  SCOPED_TRACE(report_text(report));
  EXPECT_EQ(report.checkpoints.size(), static_cast<std::size_t>(kMinutes / 12));
  EXPECT_TRUE(bar_of(report, std::to_string(expected_levels(8, 1).size()) + " counters").met);
  EXPECT_TRUE(is_met(report, "objects alive"));
  EXPECT_TRUE(is_met(report, "heap that is left"));
  EXPECT_TRUE(is_met(report, "honest peers that a rule banned"));
  EXPECT_GT(report.tally.visits.came, 50U);
  EXPECT_GT(report.tally.visits.vanished, 0U);
  EXPECT_GT(report.tally.bans, 5U);
  EXPECT_GT(report.tally.strangers, 0U);
  EXPECT_GT(report.tally.restarts, 0U);
  EXPECT_GT(report.tally.power_losses, 0U);
}

TEST(SimulatedChurn, runs_the_same_way_again_from_the_same_seed) {
  ChurnSettings settings = smoke_settings();
  settings.minutes = 12;
  const ChurnReport first = run(settings, nullptr);
  const ChurnReport second = run(settings, nullptr);
  EXPECT_EQ(second.trace_hash, first.trace_hash);
  EXPECT_EQ(second.checkpoints[0].levels, first.checkpoints[0].levels);
  settings.seed = 2;
  EXPECT_NE(run(settings, nullptr).trace_hash, first.trace_hash);
}

TEST(SimulatedChurn, ends_bans_that_expire) {
  ChurnSettings settings = smoke_settings();
  settings.minutes = 36;
  settings.ban_minutes = 5;
  settings.honest = 0;
  settings.check_every = 0;
  const ChurnReport report = run(settings, nullptr);
  SCOPED_TRACE(report_text(report));
  EXPECT_GT(report.tally.banned_again, 0U);
  EXPECT_GE(report.tally.shortest_ban, 5);
  EXPECT_GT(report.tally.expired, 0U);
  EXPECT_GT(report.tally.kept_out, 0U);
}

TEST(SimulatedChurn, stops_when_it_is_told_to) {
  const ChurnReport report = run(smoke_settings(), [](double at, double) { return at < 2; });
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.ended, 120);
  EXPECT_FALSE(report.met());
}

// --- the judge ---

// A day that is in order: a heap that goes up and down, and tables that are full.
ChurnReport a_good_day() {
  ChurnReport out;
  out.links = 50;
  const auto expected = expected_levels(out.settings.nodes, out.links);
  for (const auto& [name, level] : expected) out.names.push_back(name);
  out.names.push_back("cached scores");
  for (std::uint64_t hour = 1; hour <= 24; ++hour) {
    Checkpoint one;
    one.minute = static_cast<double>(hour * 60);
    one.heap = (40 << 20) + (hour % 3) * 100'000;
    for (const auto& [name, level] : expected) one.levels.push_back(level);
    one.levels.push_back(1000 + hour % 2);
    out.checkpoints.push_back(one);
  }
  out.tally.visits.came = 10'000;
  out.tally.restarts = 500;
  out.tally.banned_again = 60;
  out.tally.shortest_ban = 61;
  out.tally.kept_out = 100;
  return out;
}

std::vector<std::string> not_met(ChurnReport report) {
  std::vector<std::string> out;
  for (const auto& bar : judge(report))
    if (!bar.met) out.push_back(bar.name);
  return out;
}

using Names = std::vector<std::string>;

TEST(ChurnJudge, finds_nothing_in_a_day_that_is_in_order) { EXPECT_EQ(not_met(a_good_day()), Names()); }

TEST(ChurnJudge, finds_a_leak_of_80_kilobytes_in_an_hour) {
  auto report = a_good_day();
  report.checkpoints.resize(23);
  for (auto& one : report.checkpoints) one.heap += static_cast<std::uint64_t>(one.minute / 60 * 80 * 1024);
  EXPECT_EQ(not_met(report), Names{"growth of the heap in an hour"});
  EXPECT_NEAR(heap_growth(report), 80 * 1024, 5000);
}

// Whether the first measurement is before or after a collection makes no difference.
TEST(ChurnJudge, takes_records_that_wait_for_their_collection_for_no_growth) {
  auto report = a_good_day();
  for (auto& one : report.checkpoints) one.heap += static_cast<std::uint64_t>(one.minute / 60) % 2 * 1'000'000;
  for (int i = 0; i < 2; ++i, report.checkpoints.pop_back()) EXPECT_EQ(not_met(report), Names());
}

TEST(ChurnJudge, does_not_take_the_warm_up_for_a_leak) {
  auto report = a_good_day();
  for (std::size_t i = 0; i < 4; ++i) report.checkpoints[i].heap -= (4 - i) << 22;
  EXPECT_EQ(not_met(report), Names());
}

TEST(ChurnJudge, finds_a_heap_that_was_large_once) {
  auto report = a_good_day();
  report.checkpoints[14].heap += 4 << 20;
  EXPECT_EQ(not_met(report), Names{"the largest heap after the warm-up"});
}

TEST(ChurnJudge, finds_one_connection_too_many_for_an_hour) {
  auto report = a_good_day();
  const auto expected = expected_levels(report.settings.nodes, report.links);
  const auto at = std::distance(expected.begin(), expected.find("live connections"));
  ++report.checkpoints[7].levels[static_cast<std::size_t>(at)];
  ASSERT_EQ(not_met(report).size(), 1U);
  for (const auto& bar : judge(report))
    if (!bar.met) EXPECT_EQ(bar.measured, "live connections 101 instead of 100 at minute 480");
}

TEST(ChurnJudge, finds_a_table_that_grows) {
  auto report = a_good_day();
  for (auto& one : report.checkpoints) one.levels.back() += static_cast<std::uint64_t>(one.minute / 6);
  ASSERT_EQ(not_met(report).size(), 1U);
  EXPECT_EQ(not_met(report)[0], "growth of 1 tables after the warm-up");
}

TEST(ChurnJudge, finds_what_is_alive_at_the_end) {
  auto report = a_good_day();
  report.alive_at_end["tasks"] = 1;
  report.heap_after = 2 << 20;
  EXPECT_EQ(not_met(report), (Names{"objects alive at the end", "heap that is left at the end"}));
}

TEST(ChurnJudge, wants_something_to_have_happened) {
  auto report = a_good_day();
  report.tally = {};
  EXPECT_EQ(not_met(report).size(), 4U);
  report = a_good_day();
  report.tally.honest_banned = 1;
  EXPECT_EQ(not_met(report), Names{"honest peers that a rule banned"});
  report = a_good_day();
  report.tally.shortest_ban = 59;
  EXPECT_EQ(not_met(report), Names{"time between two bans of one identity"});
  report = a_good_day();
  report.checkpoints.resize(8);
  EXPECT_EQ(not_met(report), Names{"measurements after the warm-up"});
}

// --- trends and settings ---

TEST(ChurnTrend, is_the_slope_of_a_line) {
  const Point line[] = {{1, 10}, {2, 12}, {3, 14}, {4, 16}};
  EXPECT_DOUBLE_EQ(slope(line), 2);
  const Point noise[] = {{0, 5}, {1, 7}, {2, 5}, {3, 7}, {4, 5}};
  EXPECT_DOUBLE_EQ(slope(noise), 0);
  EXPECT_EQ(slope(std::span(line).first(1)), 0);
  const Point upright[] = {{1, 1}, {1, 5}};
  EXPECT_EQ(slope(upright), 0);
}

TEST(ChurnSettings, take_what_they_name_and_say_what_may_be_written) {
  ChurnSettings settings;
  const std::string good[] = {"profile=light", "honest=3", "forgers=0", "leak=64", "round=10", "ban-minutes=2"};
  ASSERT_TRUE(apply_settings(settings, good));
  EXPECT_EQ(settings.profile, "light");
  EXPECT_EQ(settings.honest, 3U);
  EXPECT_EQ(settings.forgers, 0U);
  EXPECT_EQ(settings.leak, 64U);
  EXPECT_EQ(settings.round, 10);
  EXPECT_EQ(settings.ban_minutes, 2);
  EXPECT_TRUE(validate(settings));
  for (const std::string wrong : {"sybils=3", "round=1", "round=nan", "honest", "leak=-1", ""}) {
    const std::string one[] = {wrong};
    EXPECT_FALSE(apply_settings(settings, one)) << wrong;
  }
  settings.profile = "heavy";
  EXPECT_FALSE(validate(settings));
  settings = {};
  settings.nodes = 2;
  EXPECT_FALSE(validate(settings));
  settings = {};
  settings.minutes = 30;
  EXPECT_FALSE(validate(settings));
}

}  // namespace
}  // namespace opp2p::sim::churn
