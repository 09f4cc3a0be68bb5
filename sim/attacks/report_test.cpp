#include "sim/attacks/report.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "sim/attacks/run.hpp"
#include "sim/attacks/units.hpp"

namespace opp2p::sim::attacks {
namespace {

namespace fs = std::filesystem;

constexpr double kBlockTime = 2;

// Of a run with an attack from 30 s to 60 s, in which everything went well.
Report good_report() {
  Report out;
  out.scenario = "eclipse-network";
  out.about = "a test";
  out.settings.attack_start = 30;
  out.settings.attack_end = 60;
  out.settings.block_time = kBlockTime;
  for (std::uint64_t i = 0; i < 40; ++i) {
    out.blocks.push_back({.number = i,
                          .published = static_cast<double>(i) * kBlockTime + 0.5,
                          .expected = 1000,
                          .delivered = 1000,
                          .in_time = 1000,
                          .p50 = 0.2,
                          .p99 = 0.4,
                          .worst = 0.6});
    gossip::Sample sample;
    sample.time = time_of(static_cast<double>(i) * kBlockTime);
    out.samples.push_back(sample);
  }
  for (auto& spread : out.spreads) {
    spread = {.blocks = 10,
              .expected = 10'000,
              .delivered = 10'000,
              .in_time = 9995,
              .p50 = 0.2,
              .p99 = 0.4,
              .worst = kNever};
  }
  out.recovery = recovery_of(out);
  return out;
}

const Bar& bar(const std::vector<Bar>& bars, std::string_view part) {
  for (const auto& one : bars) {
    if (one.name.find(part) != std::string::npos) return one;
  }
  static const Bar none;
  ADD_FAILURE() << "no bar is about " << part;
  return none;
}

TEST(BarsTest, a_good_run_meets_all_of_them) {
  const auto report = good_report();
  EXPECT_EQ(report.recovery, 0.5);
  const auto bars = judge(*find_scenario("eclipse-network"), report);
  EXPECT_EQ(bars.size(), 4U);
  for (const auto& one : bars) EXPECT_TRUE(one.met) << one.name << ": " << one.measured;
}

TEST(BarsTest, each_is_missed_by_what_it_is_about) {
  const auto& silent = *find_scenario("eclipse-network");
  const auto& loud = *find_scenario("invalid-blocks");
  auto report = good_report();
  report.spreads[1].in_time = 9989;
  EXPECT_FALSE(bar(judge(silent, report), "delivery").met);
  report = good_report();
  report.spreads[1].p99 = kBlockTime;
  EXPECT_FALSE(bar(judge(silent, report), "p99").met);
  report = good_report();
  report.samples[29].links_to_honest = 98;
  report.samples[29].links_to_hostile = 2;
  EXPECT_FALSE(bar(judge(silent, report), "honest meshes").met);
  report = good_report();
  EXPECT_FALSE(bar(judge(loud, report), "graylist").met) << "no fault was seen";
  report.graylisting = {.pairs = 10, .in_time = 10, .p50 = 1, .p99 = 2, .worst = 3};
  EXPECT_TRUE(bar(judge(loud, report), "graylist").met);
  report.graylisting.in_time = 9;
  EXPECT_FALSE(bar(judge(loud, report), "graylist").met);
  report = good_report();
  report.targets = Spread{.blocks = 1, .expected = 10, .delivered = 10, .in_time = 9};
  EXPECT_FALSE(bar(judge(silent, report), "under attack").met);
}

TEST(BarsTest, scores_are_judged_under_the_profile_that_has_them) {
  auto report = good_report();
  report.settings.profile = Profile::light;
  EXPECT_EQ(judge(*find_scenario("eclipse-network"), report).size(), 3U);
}

TEST(BarsTest, the_recovery_is_the_first_block_from_which_on_all_spread_well) {
  auto report = good_report();
  report.blocks[32].in_time = 998;  // published at 64.5 s
  EXPECT_EQ(recovery_of(report), 6.5);
  report.recovery = recovery_of(report);
  EXPECT_FALSE(bar(judge(*find_scenario("eclipse-network"), report), "recovery").met);
  report.blocks.back().p99 = kNever;
  EXPECT_EQ(recovery_of(report), std::nullopt);
}

TEST(BarsTest, there_are_none_when_no_block_was_published_during_the_attack) {
  auto report = good_report();
  report.spreads[1] = {};
  EXPECT_TRUE(judge(*find_scenario("eclipse-network"), report).empty());
  report.bars.clear();
  EXPECT_FALSE(report.met());
  EXPECT_NE(report_text(report).find("Too little was simulated for a verdict."), std::string::npos);
}

TEST(ReportTest, the_summary_names_what_was_run_and_the_verdict) {
  auto report = good_report();
  report.bars = judge(*find_scenario("eclipse-network"), report);
  auto text = report_text(report);
  EXPECT_NE(text.find("eclipse-network: a test\n1000 honest nodes, 1000 sybils, profile scored, seed 1"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("99.95%"), std::string::npos) << text;
  EXPECT_NE(text.find("never"), std::string::npos) << "the worst latency is of a block that did not come: " << text;
  EXPECT_NE(text.find("All bars are met.\n"), std::string::npos) << text;
  report.bars[0].met = false;
  report.interrupted = true;
  text = report_text(report);
  EXPECT_NE(text.find("NOT MET"), std::string::npos);
  EXPECT_NE(text.find("The run was stopped after 0 s.\nNot all bars are met.\n"), std::string::npos) << text;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    EXPECT_LE(end - at, 100U) << text.substr(at, end - at);
    at = end + 1;
  }
}

TEST(ReportTest, the_document_holds_every_setting_block_and_sample) {
  auto report = good_report();
  report.bars = judge(*find_scenario("eclipse-network"), report);
  const auto document = boost::json::parse(report_json(report)).as_object();
  EXPECT_EQ(document.at("blocks").as_array().size(), 40U);
  EXPECT_EQ(document.at("samples").as_array().size(), 40U);
  EXPECT_EQ(document.at("bars").as_array().size(), 4U);
  EXPECT_EQ(document.at("settings").as_object().size(), all_settings().size() + 3);
  EXPECT_EQ(document.at("settings").at("profile"), "scored");
  EXPECT_TRUE(document.at("spread").at("attack").at("worst").is_null()) << "JSON has no infinity";
  EXPECT_TRUE(document.at("met").as_bool());
}

TEST(ReportTest, the_rows_have_as_many_cells_as_columns) {
  const auto report = good_report();
  for (const auto& text : {blocks_csv(report), samples_csv(report)}) {
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    const auto columns = std::count(line.begin(), line.end(), ',');
    std::size_t rows = 0;
    for (; std::getline(lines, line); ++rows) EXPECT_EQ(std::count(line.begin(), line.end(), ','), columns) << line;
    EXPECT_EQ(rows, 40U);
  }
}

class ReportFilesTest : public testing::Test {
 protected:
  ReportFilesTest() : folder_(fs::temp_directory_path() / ("opp2p-report-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~ReportFilesTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(ReportFilesTest, are_written_into_a_new_folder_and_never_over_another_report) {
  const auto report = good_report();
  ASSERT_TRUE(claim_folder(folder_));
  ASSERT_TRUE(write_report(report, folder_));
  std::ifstream file(folder_ / "summary.txt");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), report_text(report));
  for (const auto* name : {"report.json", "blocks.csv", "samples.csv"}) EXPECT_TRUE(fs::exists(folder_ / name)) << name;
  const auto claimed = claim_folder(folder_);
  ASSERT_FALSE(claimed);
  EXPECT_NE(claimed.error().text().find("is there already; name another folder"), std::string::npos);
  EXPECT_FALSE(write_report(report, folder_));
}

TEST_F(ReportFilesTest, a_folder_that_cannot_be_made_is_named) {
  std::ofstream(folder_) << "a file";
  const auto claimed = claim_folder(folder_ / "below");
  ASSERT_FALSE(claimed);
  EXPECT_NE(claimed.error().text().find("--out: cannot write " + (folder_ / "below").string()), std::string::npos);
  EXPECT_FALSE(claim_folder(folder_));
}

}  // namespace
}  // namespace opp2p::sim::attacks
