#include "sim/report/run_report.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace opp2p::sim {
namespace {

TEST(RunReport, is_met_when_there_are_bars_and_all_are) {
  RunReport report;
  EXPECT_FALSE(report.met()) << "nothing was judged";
  report.bars = {{"bans", "none", "0", true}};
  EXPECT_TRUE(report.met());
  report.bars.push_back({"least score", "at least 0", "-1.00", false});
  EXPECT_FALSE(report.met());
}

TEST(RunReport, is_written_in_one_form) {
  RunReport report;
  report.program = "opp2p 1";
  report.ended = 60;
  report.events = 7;
  report.trace_hash = "00ff";
  report.bars = {{"bans", "none", "0", true}, {"least score", "at least 0", "-1.00", false}};
  boost::json::object out;
  add_run(out, report);
  EXPECT_EQ(
      boost::json::serialize(out),
      R"({"program":"opp2p 1","ended":6E1,"interrupted":false,"wall_seconds":0E0,"events":7,"trace_hash":"00ff"})");
  EXPECT_EQ(boost::json::serialize(bars_json(report.bars)),
            R"([{"name":"bans","limit":"none","measured":"0","met":true},)"
            R"({"name":"least score","limit":"at least 0","measured":"-1.00","met":false}])");
  EXPECT_EQ(bars_text(report.bars), "met     bans: 0, none\nNOT MET least score: -1.00, at least 0\n");
}

}  // namespace
}  // namespace opp2p::sim
