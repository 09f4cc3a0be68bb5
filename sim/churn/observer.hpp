// Observer: what a daemon has beside its node and what grows with what the node sees: the histories of peers and blocks
// and the metrics. It also counts bans, so that a run can be judged.
//
// Owner: the run; made before its node starts, destroyed before the node. Thread: the network thread. Bounds: those of
// the histories; a row for each of `kept`, which are the identities that come back for ever.
#pragma once

#include <map>
#include <set>

#include "opp2p/metrics/node_metrics.hpp"
#include "opp2p/rpc/api_parts.hpp"
#include "sim/churn/churn.hpp"

namespace opp2p::sim::churn {

class Observer {
 public:
  // All outlive it.
  Observer(libp2p::runtime::Runtime& runtime, Node& node, const std::set<libp2p::PeerId>& kept, ChurnTally& tally);
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  ApiPorts histories() const { return parts_->ports(); }
  // As a scrape gets them; the number of series.
  void scrape(libp2p::Now now);
  std::uint64_t series() const { return series_; }

 private:
  void on(const NodeEvent& event);
  void on_banned(const libp2p::PeerId& peer, const opstack::reputation::Ban& ban);

  const std::set<libp2p::PeerId>& kept_;
  ChurnTally& tally_;
  std::unique_ptr<ApiParts> parts_;
  NodeMetrics metrics_;
  std::uint64_t series_ = 0;
  std::map<libp2p::PeerId, libp2p::UnixTime> last_ban_;  // of those in kept_
  libp2p::Subscription events_;
};

}  // namespace opp2p::sim::churn
