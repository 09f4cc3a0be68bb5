// SyncMetrics: counts requests for blocks in both roles: those that the node serves, and those that its reverse sync
// makes, with their durations; also the faults of answers. Part of NodeMetrics, which hands it every event.
//
// The roles have op-node's labels. Its client role ended with v1.19.0. Its server role has the code that was sent; ours
// as a client has the code that came, or "failed" where none did or the answer was of no use.
//
// Owner: NodeMetrics. Thread: the network thread. Bounds: the series that it makes at its beginning; `kMostTimed`
// requests whose beginning it remembers; when there are more, all are forgotten and not timed.
#pragma once

#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "opp2p/metrics/metric_registry.hpp"
#include "opp2p/node/node_event.hpp"

namespace opp2p {

class SyncMetrics final {
 public:
  static constexpr std::size_t kMostTimed = 1024;

  // The registry outlives it.
  explicit SyncMetrics(MetricRegistry& registry);
  SyncMetrics(const SyncMetrics&) = delete;
  SyncMetrics& operator=(const SyncMetrics&) = delete;

  void on(const opstack::sync::ServedRequest& request, libp2p::Now now);
  void on(const opstack::sync::SyncTrace& trace, libp2p::Now now);
  void on(const opstack::sync::SyncFault& fault, libp2p::Now now);
  void on(const opstack::sync::PeerReport& report, libp2p::Now now);
  void on(const opstack::sync::GapSourcesChanged& sources, libp2p::Now now);
  template <class Other>
  void on(const Other&, libp2p::Now) {}

 private:
  struct Requests {
    prometheus::Counter* count;
    prometheus::Histogram* duration;
  };
  static constexpr std::size_t kCodes = 4;  // 0 to 3; what else comes is "failed"
  using Codes = std::array<Requests, kCodes + 1>;
  static Codes make_codes(MetricRegistry& registry, std::string_view role);
  void on_answer(const opstack::sync::SyncTrace& trace, libp2p::MonoTime now);

  const Codes server_;
  const Codes client_;
  prometheus::Gauge& server_number_;
  prometheus::Gauge& client_number_;
  prometheus::Gauge& can_ask_;
  std::map<opstack::sync::SyncTraceKind, prometheus::Counter*> events_;
  struct AnswerSeries {
    prometheus::Counter* count;
    std::size_t code;
  };
  std::map<std::string_view, AnswerSeries> answers_;  // by AnswerKind's text
  AnswerSeries no_answer_;
  std::array<prometheus::Counter*, opstack::sync::kSyncFaultKinds> faults_{};
  std::array<prometheus::Counter*, 3> reports_{};
  std::map<std::pair<libp2p::PeerId, std::uint64_t>, libp2p::MonoTime> begun_;
};

}  // namespace opp2p
