// BlockMetrics: counts what becomes of blocks: verdicts by reason, own publications, what the store keeps, the head,
// and what the unsafe chain does. Part of NodeMetrics, which hands it every event.
//
// Owner: NodeMetrics. Thread: the network thread. Bounds: a series for each verdict and reason, each kind of event of
// the chain, and each of two references.
#pragma once

#include <array>
#include <map>
#include <string_view>

#include "opp2p/metrics/metric_registry.hpp"
#include "opp2p/node/node_event.hpp"

namespace opp2p {

class BlockMetrics final {
 public:
  // `own`: the node, whose id own blocks come from. All outlive it.
  BlockMetrics(MetricRegistry& registry, const libp2p::PeerId& own);
  BlockMetrics(const BlockMetrics&) = delete;
  BlockMetrics& operator=(const BlockMetrics&) = delete;

  void on(const NodeStarting& starting, libp2p::Now now);
  void on(const BlockJudged& judged, libp2p::Now now);
  void on(const BlockPublished& published, libp2p::Now now);
  void on(const PublishFailed& failed, libp2p::Now now);
  void on(const opstack::sync::BlockStored& stored, libp2p::Now now);
  void on(const StoreRefused& refused, libp2p::Now now);
  void on(const opstack::sync::HeadMoved& head, libp2p::Now now);
  void on(const opstack::sync::ChainTrace& trace, libp2p::Now now);
  template <class Other>
  void on(const Other&, libp2p::Now) {}

 private:
  // op-node's gauges of one reference block, refs_*{layer="l2"}.
  class Reference {
   public:
    Reference(MetricRegistry& registry, std::string_view type);
    void set(std::uint64_t number, std::uint64_t timestamp, const libp2p::crypto::Hash256& hash, libp2p::UnixTime now);

   private:
    prometheus::Gauge& number_;
    prometheus::Gauge& time_;
    prometheus::Gauge& hash_;
    prometheus::Gauge& latency_;
    libp2p::crypto::Hash256 last_{};  // a block that is told again has no new latency
  };
  void count_publishing_error(libp2p::UnixTime now);

  MetricRegistry& registry_;
  const libp2p::PeerId& own_;
  // By verdict and reason; made when the pair comes for the first time.
  std::array<std::array<prometheus::Counter*, opstack::rules::kReasonCount>, 3> verdicts_{};
  prometheus::Histogram& validation_;
  prometheus::Histogram& arrival_delay_;
  prometheus::Counter& unsafe_payloads_;
  prometheus::Gauge& last_unsafe_payload_;
  Reference received_;
  Reference head_;
  prometheus::Counter& gossiped_;
  prometheus::Counter& stored_only_;
  prometheus::Counter& failed_;
  prometheus::Counter& dropped_;
  prometheus::Histogram& publish_delay_;
  prometheus::Histogram& own_block_store_;
  prometheus::Counter& publishing_errors_;
  prometheus::Gauge& last_publishing_error_;
  prometheus::Counter& stored_from_gossip_;
  prometheus::Counter& stored_from_request_;
  prometheus::Counter& stored_own_;
  prometheus::Counter& store_retried_;
  prometheus::Counter& store_lost_;
  prometheus::Counter& reorganisations_;
  std::map<opstack::sync::ChainTraceKind, prometheus::Counter*> chain_events_;
};

}  // namespace opp2p
