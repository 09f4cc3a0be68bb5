// RpcMetrics: counts the calls of the JSON-RPC by method and result. A call of a method that does not exist counts
// under "unknown": a client chooses its name. Part of NodeMetrics.
//
// Owner: NodeMetrics. Thread: the RPC's. Bounds: a series for each method, and for each method with each code that it
// has answered; both are tables of this program.
#pragma once

#include <map>
#include <utility>

#include "opp2p/metrics/metric_registry.hpp"
#include "opp2p/rpc/json_rpc.hpp"

namespace opp2p {

class RpcMetrics final {
 public:
  // The registry outlives it.
  explicit RpcMetrics(MetricRegistry& registry) : registry_(registry) {}
  RpcMetrics(const RpcMetrics&) = delete;
  RpcMetrics& operator=(const RpcMetrics&) = delete;

  // RpcObserver.
  void on_call(const RpcMethod* method, int code, libp2p::Nanos took);

 private:
  MetricRegistry& registry_;
  std::map<std::pair<const RpcMethod*, int>, prometheus::Counter*> counts_;
  std::map<const RpcMethod*, prometheus::Histogram*> durations_;
};

}  // namespace opp2p
