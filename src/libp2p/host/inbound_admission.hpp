// Which inbound connections are let in, and which are evicted for a newcomer when all places are taken. In this order a
// newcomer passes the gater, the rates of its address blocks, the places of its address blocks, the places of all
// inbound connections, and the places of half-open ones. Its handshake waits while handshakes come faster than
// Limits::handshakes. When it is ready it takes the place of an open connection.
//
// Owner: Swarm. Thread: the network thread. Bounds: Limits; a row in each pool for each inbound connection.
// Re-entrancy: evicting closes a connection, which tells of its end later.
#pragma once

#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/token_bucket.hpp"
#include "libp2p/host/connection_rates.hpp"
#include "libp2p/host/gater.hpp"
#include "libp2p/host/host_config.hpp"
#include "libp2p/host/host_counters.hpp"
#include "libp2p/host/swarm_policy.hpp"
#include "libp2p/host/swarm_table.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

class InboundAdmission {
 public:
  // Everything outlives this, except for the table, which is used during calls alone.
  InboundAdmission(runtime::Runtime& runtime, const HostConfig& config, Gater& gater, const SwarmPolicy& policy,
                   const SwarmTable& table, HostCounters& counters);
  InboundAdmission(const InboundAdmission&) = delete;
  InboundAdmission& operator=(const InboundAdmission&) = delete;

  // Whether a newcomer may begin a handshake. May evict a half-open connection for it.
  Result<void> let_in(const Multiaddr& remote);
  // The newcomer has a place among the half-open connections from here on.
  void on_half_open(SwarmEntry& entry);
  // How long its handshake has to wait.
  Nanos handshake_delay(SwarmEntry& entry);
  // It takes a place among the open connections. May evict another one for it.
  Result<void> open(const SwarmEntry& entry);
  // Its places are free. Does nothing for an outbound connection.
  void on_closed(const SwarmEntry& entry);

  // Inbound connections that are not ready.
  std::size_t half_open() const { return half_open_.used(); }
  void check() const;  // swarm_check.cpp

 private:
  Result<void> check_rates(const AddressBlocks& blocks);
  Result<void> check_address(const AddressBlocks& blocks);
  // Ends the half-open connection that has made no progress for longest, of the address block that holds most, or of
  // `only`. False when none has to go for a newcomer from `blocks`.
  bool evict_half_open(const AddressBlocks& blocks, const Bytes* only);
  // The open connection that has to go for a newcomer whose address block holds `own` with it; null when none has.
  Connection* evictable(std::size_t own, Standing newcomer) const;
  Result<void> refuse_for_places();
  std::size_t open_count() const { return inbound_.used() - half_open_.used(); }

  runtime::Runtime& runtime_;
  const HostConfig& config_;
  Gater& gater_;
  const SwarmPolicy& policy_;
  const SwarmTable& table_;
  HostCounters& counters_;
  SharePool<ConnectionId> half_open_;  // each connection counted as one
  SharePool<ConnectionId> inbound_;    // the same and those that are open
  ConnectionRates rates_;
  TokenBucket handshakes_;
};

}  // namespace libp2p
