// What the report of every simulated run has: how far the run came, that it can be told from others, and the bars that
// judge it. The reports of attacks, stories and churn add to it what they measure. Plain values; any thread.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace opp2p::sim {

struct Bar {
  std::string name;
  std::string limit;     // "at least 99.9%"
  std::string measured;  // "99.97%"
  bool met = false;
};

struct RunReport {
  std::string program;  // its version
  double ended = 0;     // seconds of virtual time that were simulated
  bool interrupted = false;
  double wall_seconds = 0;
  std::uint64_t events = 0;
  std::string trace_hash;
  std::vector<Bar> bars;  // none where nothing is judged

  // False also without bars.
  bool met() const;
};

// Everything but the bars.
void add_run(boost::json::object& out, const RunReport& report);
boost::json::array bars_json(const std::vector<Bar>& bars);
// A line for each: "met     least score: 0.00, at least 0".
std::string bars_text(const std::vector<Bar>& bars);

}  // namespace opp2p::sim
