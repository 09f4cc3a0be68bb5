#include "opp2p/metrics/metric_table.hpp"

#include <boost/json.hpp>

#include "libp2p/base/assert.hpp"
#include "opp2p/metrics/process_metrics.hpp"

namespace opp2p {
namespace {

constexpr std::span<const double> kNoBuckets;
// op-node's, of peer_scores.
constexpr double kScores[] = {-100, -40, -20, -10, -5, -2, -1, -0.5, -0.05, 0, 0.05, 0.5, 1, 2, 5, 10, 20, 40};
constexpr std::span<const double> kScoreBuckets = kScores;
// Those of Prometheus's client for Go, which op-node's requests have.
constexpr double kDefaults[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
constexpr std::span<const double> kDefaultBuckets = kDefaults;
// A block's timestamp has whole seconds, and a block older than a minute is not accepted.
constexpr double kDelays[] = {.05, .1, .25, .5, .75, 1, 1.5, 2, 3, 5, 10, 20, 40, 60};
constexpr std::span<const double> kDelayBuckets = kDelays;
constexpr double kWorks[] = {.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1};
constexpr std::span<const double> kWorkBuckets = kWorks;
constexpr double kLags[] = {.0001, .0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 5};
constexpr std::span<const double> kLagBuckets = kLags;

constexpr MetricRow kTable[] = {
#define OPP2P_METRIC(id, type, name, labels, buckets, help) {Metric::id, MetricType::type, name, labels, buckets, help},
#include "opp2p/metrics/metric_table.def"
#undef OPP2P_METRIC
};

struct Line {
  std::string_view name;
  std::string_view help;
  std::vector<std::string> labels;
  MetricType type;
};

std::vector<Line> all_lines() {
  std::vector<Line> out;
  for (const auto& row : kTable) out.push_back({row.name, row.help, row.labels(), row.type});
  for (const auto& row : process_metric_rows()) out.push_back({row.name, row.help, {}, row.type});
  return out;
}

}  // namespace

std::string_view to_string(MetricType type) {
  switch (type) {
    case MetricType::counter: return "counter";
    case MetricType::gauge: return "gauge";
    case MetricType::histogram: break;
  }
  return "histogram";
}

std::vector<std::string> MetricRow::labels() const {
  std::vector<std::string> out;
  for (std::string_view left = label_list; !left.empty();) {
    const auto comma = std::min(left.find(','), left.size());
    out.emplace_back(left.substr(0, comma));
    left.remove_prefix(std::min(comma + 1, left.size()));
  }
  return out;
}

std::span<const MetricRow> metric_table() { return kTable; }

const MetricRow& row_of(Metric metric) {
  const auto& row = kTable[static_cast<std::size_t>(metric)];
  OPP2P_ASSERT(row.id == metric, "the rows stand in the order of the enumeration", row.name);
  return row;
}

std::string metrics_markdown() {
  std::string out = "| Metric | Description | Labels | Type |\n|---|---|---|---|\n";
  for (const auto& line : all_lines()) {
    out.append("| `").append(line.name).append("` | ").append(line.help).append(" |");
    for (std::size_t i = 0; i < line.labels.size(); ++i) out.append(i == 0 ? " " : ", ").append(line.labels[i]);
    out.append(" | ").append(to_string(line.type)).append(" |\n");
  }
  return out;
}

std::string metrics_json() {
  boost::json::array out;
  for (const auto& line : all_lines()) {
    boost::json::object metric{{"type", to_string(line.type)}, {"name", line.name}, {"help", line.help}};
    if (line.labels.empty())
      metric["labels"] = nullptr;  // as op-node
    else
      metric["labels"] = boost::json::array(line.labels.begin(), line.labels.end());
    out.push_back(std::move(metric));
  }
  return boost::json::serialize(out) + "\n";
}

}  // namespace opp2p
