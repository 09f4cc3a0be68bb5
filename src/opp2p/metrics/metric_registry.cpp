#include "opp2p/metrics/metric_registry.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

#include "libp2p/base/assert.hpp"
#include "opp2p/metrics/process_metrics.hpp"

namespace opp2p {
namespace {

template <class Builder>
auto* make_family(Builder builder, const MetricRow& row, prometheus::Registry& registry) {
  return &builder.Name(std::string(row.name)).Help(std::string(row.help)).Register(registry);
}

prometheus::Labels labels_of(Metric metric, MetricRegistry::LabelValues values) {
  const auto names = row_of(metric).labels();
  OPP2P_ASSERT(names.size() == values.size(), "each label has a value", row_of(metric).name, values.size());
  prometheus::Labels out;
  auto value = values.begin();
  for (const auto& name : names) out.emplace(name, std::string(*value++));
  return out;
}

}  // namespace

void bring_to(prometheus::Counter& counter, double value) { counter.Increment(std::max(0.0, value - counter.Value())); }

MetricRegistry::MetricRegistry() {
  for (const auto& row : metric_table()) {
    switch (row.type) {
      case MetricType::counter: families_.emplace_back(make_family(prometheus::BuildCounter(), row, registry_)); break;
      case MetricType::gauge: families_.emplace_back(make_family(prometheus::BuildGauge(), row, registry_)); break;
      case MetricType::histogram:
        families_.emplace_back(make_family(prometheus::BuildHistogram(), row, registry_));
        break;
    }
  }
}

template <class Series>
prometheus::Family<Series>& MetricRegistry::family(Metric metric) {
  auto* const* const found = std::get_if<prometheus::Family<Series>*>(&families_[static_cast<std::size_t>(metric)]);
  OPP2P_ASSERT(found != nullptr, "a metric is used as what it is", row_of(metric).name);
  return **found;
}

prometheus::Counter& MetricRegistry::counter(Metric metric, LabelValues values) {
  return family<prometheus::Counter>(metric).Add(labels_of(metric, values));
}

prometheus::Gauge& MetricRegistry::gauge(Metric metric, LabelValues values) {
  return family<prometheus::Gauge>(metric).Add(labels_of(metric, values));
}

prometheus::Histogram& MetricRegistry::histogram(Metric metric, LabelValues values) {
  const auto& buckets = row_of(metric).buckets;
  return family<prometheus::Histogram>(metric).Add(
      labels_of(metric, values), prometheus::Histogram::BucketBoundaries(buckets.begin(), buckets.end()));
}

std::string MetricRegistry::text() const {
  auto families = registry_.Collect();
  auto process = collect_process_metrics();
  families.insert(families.end(), std::make_move_iterator(process.begin()), std::make_move_iterator(process.end()));
  std::sort(families.begin(), families.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto& family : families)
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace opp2p
