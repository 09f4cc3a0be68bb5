#include "opp2p/metrics/rpc_metrics.hpp"

#include <string>

#include "libp2p/base/seconds.hpp"

namespace opp2p {

void RpcMetrics::on_call(const RpcMethod* method, int code, libp2p::Nanos took) {
  const std::string_view name = method == nullptr ? std::string_view("unknown") : method->name;
  auto*& count = counts_[{method, code}];
  if (count == nullptr) {
    const std::string result = code == 0 ? "ok" : std::to_string(code);
    count = &registry_.counter(Metric::rpc_requests, {name, result});
  }
  count->Increment();
  auto*& duration = durations_[method];
  if (duration == nullptr) duration = &registry_.histogram(Metric::rpc_duration, {name});
  duration->Observe(libp2p::seconds_of(took));
}

}  // namespace opp2p
