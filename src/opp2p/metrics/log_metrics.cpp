#include "opp2p/metrics/log_metrics.hpp"

#include <algorithm>

namespace opp2p {
namespace {

void bring_to(prometheus::Counter& counter, std::uint64_t value) {
  counter.Increment(std::max(0.0, static_cast<double>(value) - counter.Value()));
}

}  // namespace

LogMetrics::LogMetrics(MetricRegistry& registry, const Log& log)
    : log_(log),
      waiting_(registry.gauge(Metric::queue_items, {"log"})),
      no_room_(registry.counter(Metric::log_dropped, {"no_room"})),
      displaced_(registry.counter(Metric::log_dropped, {"displaced"})),
      unwritten_(registry.counter(Metric::log_dropped, {"unwritten"})) {}

void LogMetrics::read() {
  const auto drops = log_.drops();
  bring_to(no_room_, drops.no_room);
  bring_to(displaced_, drops.displaced);
  bring_to(unwritten_, drops.unwritten);
  if (const auto* waiting = log_.waiting(); waiting != nullptr)
    waiting_.Set(static_cast<double>(waiting->load(std::memory_order_relaxed)));
}

}  // namespace opp2p
