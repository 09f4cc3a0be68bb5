#include "sim/report/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace opp2p::sim {

bool RunReport::met() const {
  return !bars.empty() && std::all_of(bars.begin(), bars.end(), [](const Bar& bar) { return bar.met; });
}

void add_run(boost::json::object& out, const RunReport& report) {
  out["program"] = report.program;
  out["ended"] = report.ended;
  out["interrupted"] = report.interrupted;
  out["wall_seconds"] = report.wall_seconds;
  out["events"] = report.events;
  out["trace_hash"] = report.trace_hash;
}

boost::json::array bars_json(const std::vector<Bar>& bars) {
  boost::json::array out;
  for (const Bar& bar : bars)
    out.push_back({{"name", bar.name}, {"limit", bar.limit}, {"measured", bar.measured}, {"met", bar.met}});
  return out;
}

std::string bars_text(const std::vector<Bar>& bars) {
  std::string out;
  for (const Bar& bar : bars)
    out += fmt::format("{:<8}{}: {}, {}\n", bar.met ? "met" : "NOT MET", bar.name, bar.measured, bar.limit);
  return out;
}

}  // namespace opp2p::sim
