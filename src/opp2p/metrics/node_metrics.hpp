// NodeMetrics: the metrics of a node as one part: the sink of its events, the sampler of its parts, the lag of its
// thread, and the server that Prometheus scrapes. It is made before the node starts.
//
// Owner: the daemon, after the node and its runtime, which outlive it. Thread: the network thread; text() on any.
// Bounds: those of its parts. Source: op-node surface, sections 11 and 15.
#pragma once

#include <optional>
#include <string>

#include "opp2p/log/log.hpp"
#include "opp2p/metrics/block_metrics.hpp"
#include "opp2p/metrics/log_metrics.hpp"
#include "opp2p/metrics/loop_lag.hpp"
#include "opp2p/metrics/metric_registry.hpp"
#include "opp2p/metrics/metrics_server.hpp"
#include "opp2p/metrics/node_sampler.hpp"
#include "opp2p/metrics/peer_metrics.hpp"
#include "opp2p/metrics/reputation_metrics.hpp"
#include "opp2p/metrics/rpc_metrics.hpp"
#include "opp2p/metrics/sync_metrics.hpp"
#include "opp2p/node/node.hpp"

namespace opp2p {

class NodeMetrics final : public NodeSink {
 public:
  NodeMetrics(libp2p::runtime::Runtime& runtime, Node& node, const std::string& version);
  NodeMetrics(const NodeMetrics&) = delete;
  NodeMetrics& operator=(const NodeMetrics&) = delete;

  // Serves at the configured address, and says so in the log. Errc::io names the option.
  libp2p::Result<void> listen(const NodeConfig& config, Log& log);
  // Of a server that listens.
  std::uint16_t port() const { return server_.port(); }

  void on(const NodeEvent& event, libp2p::Now now) override;

  // Counts the calls of the JSON-RPC too. Before its first request; this outlives its thread.
  void observe(JsonRpc& rpc);
  // Tells of the log's queue too, if it has one. Before listen(); the log outlives this.
  void observe(const Log& log);
  // What a scrape gets.
  std::string text(libp2p::Now now);

 private:
  void set_configured(const NodeConfig& config, const std::string& version);

  MetricRegistry registry_;
  const HeadClock& head_clock_;
  prometheus::Gauge& up_;
  prometheus::Gauge& head_age_;
  prometheus::Gauge& sample_age_;
  prometheus::Gauge& loop_stall_;
  BlockMetrics blocks_;
  PeerMetrics peers_;
  SyncMetrics sync_;
  ReputationMetrics reputation_;
  RpcMetrics rpc_;
  std::optional<LogMetrics> log_;
  NodeSampler sampler_;
  LoopLag lag_;
  MetricsServer server_;
  libp2p::Subscription subscription_;
};

}  // namespace opp2p
