// What a host does by itself: it trims connections when they are too many (ConnectionManager chooses), and drops from
// the peerstore what has expired, every five minutes; the addresses of connected peers do not expire.
//
// Owner: HostState. Thread: the network thread. Bounds: two timers. Re-entrancy: both run from the runtime's queue; a
// trimmed connection closes in order and tells of its end later.
#pragma once

#include <memory>

#include "libp2p/host/connection_manager.hpp"
#include "libp2p/host/host_counters.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/host/swarm.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

class HostJobs {
 public:
  // Everything outlives this.
  HostJobs(runtime::Runtime& runtime, const HostConfig& config, Swarm& swarm, ConnectionManager& manager,
           Peerstore& peerstore, const SwarmPolicy& policy, HostCounters& counters);
  HostJobs(const HostJobs&) = delete;
  HostJobs& operator=(const HostJobs&) = delete;

  // There is one connection more.
  void on_opened();

 private:
  void trim();
  void expire();

  runtime::Runtime& runtime_;
  const HostConfig& config_;
  Swarm& swarm_;
  ConnectionManager& manager_;
  Peerstore& peerstore_;
  const SwarmPolicy& policy_;
  HostCounters& counters_;
  std::unique_ptr<runtime::Timer> trim_timer_;
  std::unique_ptr<runtime::Timer> expiry_timer_;
};

}  // namespace libp2p
