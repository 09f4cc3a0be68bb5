// The numbers of NodeReadings that go into a metric as they are: which field, which metric, which label. A new counter
// of a part is one row here. Constant; any thread.
#pragma once

#include <span>
#include <string_view>

#include "opp2p/metrics/metric_table.hpp"
#include "opp2p/node/node_readings.hpp"

namespace opp2p {

struct NodeMirror {
  Metric metric;
  std::string_view label;  // the value of the metric's only label; empty for a metric without one
  double (*read)(const NodeReadings&);
};

std::span<const NodeMirror> node_mirrors();

}  // namespace opp2p
