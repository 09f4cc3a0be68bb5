// MetricRegistry: the metrics of one node with their series, in a registry of prometheus-cpp's core library. Who counts
// something asks once for its series and then changes that, which takes a few nanoseconds and no lock of others; a
// histogram takes a lock of its own. text() makes what Prometheus scrapes.
//
// Owner: NodeMetrics; series live as long as it. Thread: any; series are changed on one thread while another makes the
// text. Bounds: the families of metric_table.def; a series for each combination of label values that somebody asked
// for, and all label values come from tables of this program.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "opp2p/metrics/metric_table.hpp"

namespace opp2p {

// For what is counted elsewhere: the counter goes up to that value, and never down.
void bring_to(prometheus::Counter& counter, double value);

class MetricRegistry {
 public:
  using LabelValues = std::initializer_list<std::string_view>;

  MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;

  // The series with these label values, in the order of the metric's labels; made when it is asked for the first time.
  prometheus::Counter& counter(Metric metric, LabelValues values = {});
  prometheus::Gauge& gauge(Metric metric, LabelValues values = {});
  prometheus::Histogram& histogram(Metric metric, LabelValues values = {});

  // All metrics in Prometheus's text format, by name, with those of the process.
  std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  template <class Series>
  prometheus::Family<Series>& family(Metric metric);

  using AnyFamily = std::variant<prometheus::Family<prometheus::Counter>*, prometheus::Family<prometheus::Gauge>*,
                                 prometheus::Family<prometheus::Histogram>*>;
  prometheus::Registry registry_;
  std::vector<AnyFamily> families_;  // by Metric
};

}  // namespace opp2p
