// PeerMetrics: counts what happens to connections and peers: connections, dials, refusals, pings, scores that cross a
// threshold. Part of NodeMetrics, which hands it every event. How many there are now is NodeSampler's.
//
// Owner: NodeMetrics. Thread: the network thread. Bounds: the series that it makes at its beginning.
#pragma once

#include <array>

#include "opp2p/metrics/metric_registry.hpp"
#include "opp2p/node/node_event.hpp"

namespace opp2p {

class PeerMetrics final {
 public:
  // The registry outlives it.
  explicit PeerMetrics(MetricRegistry& registry);
  PeerMetrics(const PeerMetrics&) = delete;
  PeerMetrics& operator=(const PeerMetrics&) = delete;

  void on(const libp2p::ConnectionOpened& event, libp2p::Now now);
  void on(const libp2p::ConnectionClosed& event, libp2p::Now now);
  void on(const InboundRefused& event, libp2p::Now now);
  void on(const libp2p::DialStarted& event, libp2p::Now now);
  void on(const libp2p::StaticDialFailed& event, libp2p::Now now);
  void on(const PingEnded& event, libp2p::Now now);
  void on(const PeerScoreCrossed& event, libp2p::Now now);
  template <class Other>
  void on(const Other&, libp2p::Now) {}

  // Of the connections that have ended: what they carried.
  std::uint64_t bytes_in() const { return bytes_in_; }
  std::uint64_t bytes_out() const { return bytes_out_; }

 private:
  // op-node counts connections, under the name of peers.
  prometheus::Gauge& peer_count_;
  std::array<prometheus::Counter*, 2> opened_{};  // inbound first
  std::array<prometheus::Counter*, 2> closed_{};
  std::array<prometheus::Counter*, kRefusalKinds> refused_{};
  prometheus::Counter& dials_;
  prometheus::Counter& static_dials_failed_;
  prometheus::Histogram& ping_;
  prometheus::Counter& ping_failures_;
  std::array<prometheus::Counter*, kScoreStandings> crossings_{};
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace opp2p
