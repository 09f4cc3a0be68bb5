// The metrics of the process that every Prometheus client exports and dashboards expect (process_*): processor time,
// memory, descriptors, start time. Read from /proc at each scrape. What cannot be read is left out, as in Prometheus's
// own clients. Functions without state; any thread. Bounds: a few small files of /proc.
#pragma once

#include <prometheus/metric_family.h>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "opp2p/metrics/metric_table.hpp"

namespace opp2p {

struct ProcessMetricRow {
  std::string_view name;
  MetricType type;
  std::string_view help;
};
std::span<const ProcessMetricRow> process_metric_rows();

// In the order of the rows, without those that cannot be read.
std::vector<prometheus::MetricFamily> collect_process_metrics();

// Of /proc/self/stat. Nothing when it is no such line.
struct ProcessStat {
  double cpu_seconds = 0;
  double start_ticks = 0;  // after the system's start
  double virtual_bytes = 0;
  double resident_bytes = 0;
};
std::optional<ProcessStat> parse_process_stat(std::string_view line, double ticks_per_second, double page_size);

}  // namespace opp2p
