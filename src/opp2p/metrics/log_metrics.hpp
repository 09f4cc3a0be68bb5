// LogMetrics: the lines of the log that wait for its thread, and those that were not written, by cause. It reads them
// when it is asked (at a scrape), so the log does not know of metrics.
//
// Owner: NodeMetrics. Thread: that of the metrics server. Bounds: a series for each cause.
#pragma once

#include "opp2p/log/log.hpp"
#include "opp2p/metrics/metric_registry.hpp"

namespace opp2p {

class LogMetrics final {
 public:
  // Both outlive it.
  LogMetrics(MetricRegistry& registry, const Log& log);
  LogMetrics(const LogMetrics&) = delete;
  LogMetrics& operator=(const LogMetrics&) = delete;

  void read();

 private:
  const Log& log_;
  prometheus::Gauge& waiting_;
  prometheus::Counter& no_room_;
  prometheus::Counter& displaced_;
  prometheus::Counter& unwritten_;
};

}  // namespace opp2p
