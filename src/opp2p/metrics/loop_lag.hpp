// LoopLag: measures how late timers of the network thread fire, which is how long whatever is ready has to wait there.
// It arms a timer every kPeriod. A thread that stands still shows in overdue() at once, from any thread.
//
// Owner: NodeMetrics. Thread: the network thread; overdue() on any. Bounds: one timer.
#pragma once

#include <atomic>
#include <memory>

#include "libp2p/runtime/runtime.hpp"
#include "opp2p/metrics/metric_registry.hpp"

namespace opp2p {

class LoopLag final {
 public:
  static constexpr libp2p::Nanos kPeriod = libp2p::Millis(250);

  // Both outlive it.
  LoopLag(libp2p::runtime::Runtime& runtime, MetricRegistry& registry);
  LoopLag(const LoopLag&) = delete;
  LoopLag& operator=(const LoopLag&) = delete;

  void start();
  void stop();
  // How long the timer should have fired; zero in time, and while it does not run.
  libp2p::Nanos overdue(libp2p::MonoTime now) const;

 private:
  void arm();
  void on_timer();

  libp2p::runtime::Runtime& runtime_;
  prometheus::Histogram& lag_;
  std::atomic<std::int64_t> due_{kNever};
  static constexpr std::int64_t kNever = INT64_MAX;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
};

}  // namespace opp2p
