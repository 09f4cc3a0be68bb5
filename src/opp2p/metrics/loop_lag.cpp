#include "opp2p/metrics/loop_lag.hpp"

#include <algorithm>

#include "libp2p/base/seconds.hpp"

namespace opp2p {

LoopLag::LoopLag(libp2p::runtime::Runtime& runtime, MetricRegistry& registry)
    : runtime_(runtime),
      lag_(registry.histogram(Metric::loop_lag)),
      timer_(runtime.make_timer([this] { on_timer(); })) {}

void LoopLag::start() { arm(); }

void LoopLag::stop() {
  timer_->disarm();
  due_.store(kNever, std::memory_order_relaxed);
}

libp2p::Nanos LoopLag::overdue(libp2p::MonoTime now) const {
  const auto due = due_.load(std::memory_order_relaxed);
  if (due == kNever) return {};
  return std::max(libp2p::Nanos{}, now.time_since_epoch() - libp2p::Nanos(due));
}

void LoopLag::arm() {
  const auto due = runtime_.now().mono + kPeriod;
  due_.store(due.time_since_epoch().count(), std::memory_order_relaxed);
  timer_->arm(due);
}

void LoopLag::on_timer() {
  lag_.Observe(libp2p::seconds_of(overdue(runtime_.now().mono)));
  arm();
}

}  // namespace opp2p
