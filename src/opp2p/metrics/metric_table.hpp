// The table of all metrics (metric_table.def): names, types, labels, buckets and helps. The registry makes its families
// from it, and `opp2p doc metrics` its reference. Constant; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opp2p {

enum class MetricType : std::uint8_t { counter, gauge, histogram };
std::string_view to_string(MetricType type);

enum class Metric : std::uint8_t {
#define OPP2P_METRIC(id, type, name, labels, buckets, help) id,
#include "opp2p/metrics/metric_table.def"
#undef OPP2P_METRIC
};

struct MetricRow {
  Metric id;
  MetricType type;
  std::string_view name;
  std::string_view label_list;  // separated by commas
  std::span<const double> buckets;
  std::string_view help;

  std::vector<std::string> labels() const;
};

// In the order of the enumeration.
std::span<const MetricRow> metric_table();
const MetricRow& row_of(Metric metric);

// The reference that `opp2p doc metrics` prints: a table in Markdown, or op-node's JSON. With the metrics of the
// process.
std::string metrics_markdown();
std::string metrics_json();

}  // namespace opp2p
