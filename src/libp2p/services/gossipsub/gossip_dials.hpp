// The dials of a GossipsubService: direct peers that are away, and behind them those that pruning peers name (peer
// exchange). Of the latter the signed record is verified before it is used. It is kept in the peerstore when it is the
// newest of its peer; its addresses count as much as if the naming peer had told them of itself.
//
// Owner: GossipsubService. Thread: the network thread. Bounds: GossipsubConfig::max_dials at a time, each as long as
// Host::connect lets it take; max_waiting_dials peers that were named wait, and those beyond are counted. A peer waits
// or is dialled once.
// Re-entrancy: it calls the host, never the application.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/gossipsub/gossip_events.hpp"
#include "libp2p/services/gossipsub/gossipsub_config.hpp"
#include "libp2p/services/gossipsub/gossipsub_counters.hpp"

namespace libp2p {

class GossipDials {
 public:
  // Everything outlives this.
  GossipDials(Host& host, const GossipsubConfig& config, GossipEvents& events, GossipsubCounters& counters);
  ~GossipDials();
  GossipDials(const GossipDials&) = delete;
  GossipDials& operator=(const GossipDials&) = delete;

  // Protects the direct peers and exempts their addresses, as those of static peers are.
  void start();
  // Takes that back. Nothing is dialled any more.
  void stop();
  runtime::Task<void> close() { return scope_.close(); }

  // Nothing when the peer is connected, or is ourselves, or when no address of it is known.
  void dial(const gossipsub::Connect& wanted);
  void check() const;

 private:
  bool learn(const gossipsub::Connect& named);
  void begin_next();
  runtime::Task<void> run(PeerId peer);

  Host& host_;
  const GossipsubConfig& config_;
  GossipEvents& events_;
  GossipsubCounters& counters_;
  std::map<PeerId, std::vector<Multiaddr>> direct_;
  std::deque<PeerId> waiting_;
  std::set<PeerId> named_;  // those that wait, and those that are dialled
  std::size_t running_ = 0;
  bool started_ = false;
  runtime::TaskScope scope_;  // last: its coroutines use the members above
};

}  // namespace libp2p
