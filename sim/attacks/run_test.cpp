// The smoke of every attack: 50 honest nodes and 50 sybils for a minute or two of virtual time. Each attack is felt,
// the same seed gives the same run, and the network is whole again at the end. A build without optimisation, as the
// sanitizers have it, takes twenty times as long: it has 20 of each, and looks at invariants less often.
#include "sim/attacks/run.hpp"

#include <gtest/gtest.h>

#include "sim/attacks/sample_fields.hpp"

namespace opp2p::sim::attacks {
namespace {

#ifdef NDEBUG
constexpr std::uint64_t kNodes = 50;
constexpr std::uint64_t kCheckEvery = 50;
#else
constexpr std::uint64_t kNodes = 20;
constexpr std::uint64_t kCheckEvery = 500;
#endif
constexpr double kMinutes = 1;

// A replay begins to cost something when there are blocks that are forgotten.
double minutes_of(const Scenario& scenario) { return scenario.name == "replay" ? 2 : kMinutes; }

Settings smoke_of(const Scenario& scenario) {
  auto settings = defaults_of(scenario, kNodes, minutes_of(scenario));
  settings.block_size = 20'000;
  settings.check_every = kCheckEvery;
  return settings;
}

std::uint64_t faults_of(const Report& report, std::string_view kind) {
  for (const auto& fault : report.faults) {
    if (fault.kind == kind) return fault.of_hostile;
  }
  return 0;
}

class SmokeTest : public testing::TestWithParam<std::string_view> {};

TEST_P(SmokeTest, the_attack_is_carried_out_and_the_network_is_whole_afterwards) {
  const Scenario& scenario = *find_scenario(GetParam());
  const auto report = run(scenario, smoke_of(scenario), nullptr);
  EXPECT_FALSE(report.interrupted);
  EXPECT_EQ(report.ended, minutes_of(scenario) * 60);
  EXPECT_GE(report.blocks.size(), 20U);
  EXPECT_GT(report.hostile_rpcs, 0U);
  EXPECT_EQ(report.samples.back().hostile_up, 0U) << "they leave at the end of the attack";
  EXPECT_TRUE(report.recovery) << report_text(report);
  EXPECT_FALSE(report.bars.empty());
  for (const auto& fault : report.faults) EXPECT_EQ(fault.of_honest, 0U) << fault.kind;
  if (scenario.conduct == Conduct::breaks_rules) {
    EXPECT_FALSE(report.faults.empty()) << "no rule was broken";
    EXPECT_GT(report.graylisting.in_time + report.graylisting.left, 0U) << report_text(report);
  }
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> out;
  for (const auto& scenario : all_scenarios()) out.push_back(scenario.name);
  return out;
}

std::string test_name(const testing::TestParamInfo<std::string_view>& info) {
  std::string out(info.param);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, SmokeTest, testing::ValuesIn(names()), test_name);

Report short_run(std::string_view name, const std::vector<std::string>& assignments, std::uint64_t seed = 1) {
  const Scenario& scenario = *find_scenario(name);
  auto settings = smoke_of(scenario);
  settings.seed = seed;
  EXPECT_TRUE(apply_settings(settings, assignments));
  return run(scenario, settings, nullptr);
}

TEST(RunTest, the_same_seed_gives_the_same_report_and_so_do_rpcs_as_bytes) {
  const auto first = short_run("invalid-blocks", {});
  EXPECT_EQ(report_json(short_run("invalid-blocks", {})), report_json(first));
  EXPECT_EQ(short_run("invalid-blocks", {"encode=true"}).trace_hash, first.trace_hash);
  EXPECT_NE(short_run("invalid-blocks", {}, 2).trace_hash, first.trace_hash);
}

TEST(RunTest, without_sybils_all_blocks_arrive_and_nobody_breaks_a_rule) {
  const auto report = short_run("eclipse-network", {"sybils=0"});
  EXPECT_EQ(report.spread(Phase::attack).in_time, report.spread(Phase::attack).expected);
  EXPECT_TRUE(report.faults.empty());
  EXPECT_EQ(report.hostile_rpcs, 0U);
}

TEST(RunTest, each_kind_of_spam_is_seen_as_the_fault_that_it_is) {
  EXPECT_GT(faults_of(short_run("ihave-spam", {}), "broken_promise"), 0U);
  EXPECT_GT(faults_of(short_run("invalid-blocks", {}), "invalid_message"), 0U);
  EXPECT_GT(faults_of(short_run("graft-flood", {}), "graft_in_backoff"), 0U);
}

TEST(RunTest, sybils_that_fill_the_mesh_of_one_node_are_seen_in_its_mesh_alone) {
  const auto report = short_run("eclipse-one", {"announced=false", "profile=none"});
  double most = 0;
  for (const auto& sample : report.samples) most = std::max(most, hostile_mesh_share(sample));
  EXPECT_GT(most, 0.0);
  EXPECT_LT(most, 12.0 / (kNodes * 6)) << "a mesh has 12 places at most";
  ASSERT_TRUE(report.targets);
  EXPECT_EQ(report.targets->expected, report.spread(Phase::attack).blocks);
}

TEST(RunTest, who_looks_at_the_progress_can_end_the_run) {
  const Scenario& scenario = *find_scenario("dawn");
  unsigned calls = 0;
  const auto report = run(scenario, smoke_of(scenario), [&](const Progress& progress) {
    EXPECT_EQ(progress.until, kMinutes * 60);
    return ++calls < 25;
  });
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.ended, 25);
  EXPECT_NE(report_text(report).find("The run was stopped after 25 s."), std::string::npos);
}

}  // namespace
}  // namespace opp2p::sim::attacks
