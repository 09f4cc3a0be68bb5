#include "opp2p/metrics/log_metrics.hpp"

namespace opp2p {

LogMetrics::LogMetrics(MetricRegistry& registry, const Log& log)
    : log_(log),
      waiting_(registry.gauge(Metric::queue_items, {"log"})),
      no_room_(registry.counter(Metric::log_dropped, {"no_room"})),
      displaced_(registry.counter(Metric::log_dropped, {"displaced"})),
      unwritten_(registry.counter(Metric::log_dropped, {"unwritten"})) {}

void LogMetrics::read() {
  const auto drops = log_.drops();
  bring_to(no_room_, static_cast<double>(drops.no_room));
  bring_to(displaced_, static_cast<double>(drops.displaced));
  bring_to(unwritten_, static_cast<double>(drops.unwritten));
  if (const auto* waiting = log_.waiting(); waiting != nullptr)
    waiting_.Set(static_cast<double>(waiting->load(std::memory_order_relaxed)));
}

}  // namespace opp2p
