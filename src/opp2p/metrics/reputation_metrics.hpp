// ReputationMetrics: counts what the gaters answer, bans and their ends, faults that peers are blamed for, and failures
// of the peerstore on disk. Part of NodeMetrics, which hands it every event.
//
// As in op-node, one outbound connection counts as two dials or more and as one accept. op-node counts an unban also
// when an operator unblocks a peer that was not banned; this counts bans that have ended.
//
// Owner: NodeMetrics. Thread: the network thread. Bounds: a series for each hook and rule of the gaters, each rule and
// end of bans, and each kind of fault. Source: op-node surface, sections 3 and 11.
#pragma once

#include <map>
#include <utility>

#include "opp2p/metrics/metric_registry.hpp"
#include "opp2p/node/node_event.hpp"

namespace opp2p {

class ReputationMetrics final {
 public:
  // The registry outlives it.
  explicit ReputationMetrics(MetricRegistry& registry);
  ReputationMetrics(const ReputationMetrics&) = delete;
  ReputationMetrics& operator=(const ReputationMetrics&) = delete;

  void on(const GateAsked& asked, libp2p::Now now);
  void on(const opstack::reputation::GateRefused& refused, libp2p::Now now);
  void on(const opstack::reputation::PeerBanned& event, libp2p::Now now);
  void on(const opstack::reputation::PeerUnbanned& event, libp2p::Now now);
  void on(const opstack::reputation::IpBanned& event, libp2p::Now now);
  void on(const opstack::reputation::IpUnbanned& event, libp2p::Now now);
  void on(const opstack::reputation::PeerBlamed& event, libp2p::Now now);
  void on(const opstack::reputation::CommonFaultFound& event, libp2p::Now now);
  void on(const opstack::reputation::ReputationStoreFailed& event, libp2p::Now now);
  void on(const PeerstoreFailing& event, libp2p::Now now);
  template <class Other>
  void on(const Other&, libp2p::Now) {}

 private:
  struct Answers {
    prometheus::Counter& allowed;
    prometheus::Counter& denied;
    void count(bool was_allowed) { (was_allowed ? allowed : denied).Increment(); }
  };

  MetricRegistry& registry_;
  Answers dials_;
  Answers accepts_;
  std::map<std::pair<libp2p::GaterHook, opstack::reputation::GateRule>, prometheus::Counter*> refusals_;
  prometheus::Counter& peer_bans_;
  prometheus::Counter& peer_unbans_;
  prometheus::Counter& ip_unbans_;
  prometheus::Counter& peerstore_failures_;
};

}  // namespace opp2p
