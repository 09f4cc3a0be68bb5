// What a GossipsubService does by time, on one timer: the decay of the scores, the router's heartbeat, and with them
// the timeouts of the service. An outbound stream whose peer does not read (GossipsubConfig::write_timeout), an inbound
// frame that does not become whole (frame_timeout) and a validation that nobody answers (validation_timeout) are
// therefore found within a heartbeat after they are due.
//
// Owner: GossipsubService. Thread: the network thread. Bounds: one timer. Re-entrancy: it calls nobody but the parts of
// the service.
#pragma once

#include <memory>

#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/gossip_drain.hpp"
#include "libp2p/services/gossipsub/gossip_peers.hpp"
#include "libp2p/services/gossipsub/gossip_topics.hpp"
#include "libp2p/services/gossipsub/gossipsub_config.hpp"
#include "libp2p/services/gossipsub/gossipsub_counters.hpp"

namespace libp2p {

class GossipDeadlines {
 public:
  // Everything outlives this.
  GossipDeadlines(runtime::Runtime& runtime, const GossipsubConfig& config, gossipsub::Router& router,
                  gossipsub::PeerScores& scores, GossipPeers& peers, GossipTopics& topics, GossipDrain& drain,
                  GossipsubCounters& counters);
  GossipDeadlines(const GossipDeadlines&) = delete;
  GossipDeadlines& operator=(const GossipDeadlines&) = delete;

  void start() { arm(); }
  void stop() { timer_->disarm(); }

 private:
  void arm();
  void on_timer();
  void ignore_overdue_validations(MonoTime now);

  runtime::Runtime& runtime_;
  const GossipsubConfig& config_;
  gossipsub::Router& router_;
  gossipsub::PeerScores& scores_;
  GossipPeers& peers_;
  GossipTopics& topics_;
  GossipDrain& drain_;
  GossipsubCounters& counters_;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace libp2p
