// The inside of a Host: its parts and what connects them. The parts are the swarm (connections), the dialer, the
// acceptors of streams, the connection manager, the peerstore, the gater, the exempt addresses, the observers and the
// jobs. This class hears what happens to connections and streams, and passes it to the parts that have to know.
//
// Owner: Host. Coroutines that may outlive the host hold a HostLink (host_calls.hpp). Thread: the network thread.
// Bounds: libp2p::Limits. Re-entrancy: SwarmEvents come inside a connection's work; users hear of them from the
// runtime's queue.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/memory_account.hpp"
#include "libp2p/host/address_exemptions.hpp"
#include "libp2p/host/connection_manager.hpp"
#include "libp2p/host/dialer.hpp"
#include "libp2p/host/gater.hpp"
#include "libp2p/host/host_config.hpp"
#include "libp2p/host/host_counters.hpp"
#include "libp2p/host/host_jobs.hpp"
#include "libp2p/host/host_observers.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/host/stream_acceptors.hpp"
#include "libp2p/host/swarm.hpp"

namespace libp2p {

class HostState final : private SwarmEvents, private SwarmPolicy {
 public:
  HostState(runtime::Runtime& rt, HostConfig host_config);
  ~HostState() override;
  HostState(const HostState&) = delete;
  HostState& operator=(const HostState&) = delete;

  Result<std::shared_ptr<StreamState>> start_stream(const PeerId& peer, std::vector<std::string> protocols);
  // See Host.
  std::size_t recheck_gater();

  runtime::Runtime& runtime;
  const HostConfig config;
  const PeerId self;
  const std::shared_ptr<Gater> gater;
  HostCounters counters;
  MemoryAccount memory;
  Peerstore peerstore;
  ConnectionManager manager;
  AddressExemptions exemptions;
  StreamAcceptors acceptors;
  HostObservers observers;
  LifeToken life;
  bool closing = false;
  runtime::Event emptied;  // signalled when the last connection has gone
  // In this order: the dialer and the jobs use the swarm, acceptors use all of them and go first.
  std::unique_ptr<Swarm> swarm;
  std::unique_ptr<Dialer> dialer;
  std::unique_ptr<HostJobs> jobs;
  std::unique_ptr<runtime::TaskScope> scope;  // of acceptors

 private:
  // --- SwarmEvents ---
  void on_opened(const ConnectionInfo& info, bool first_of_peer, const crypto::PublicKey& key) override;
  void on_closed(const ConnectionInfo& info, const Error& why, bool last_of_peer) override;
  void on_refused(const Multiaddr& remote, const Error& why) override;
  void on_empty() override { emptied.signal(); }
  void on_inbound_stream(std::shared_ptr<StreamState> stream) override;
  // --- SwarmPolicy ---
  bool accepts_protocol(std::string_view protocol) const override { return acceptors.contains(protocol); }
  std::vector<std::string> list_protocols() const override { return acceptors.protocols(); }
  AddressBlocks address_blocks(const Multiaddr& remote) const override { return exemptions.blocks_of(remote); }
  Standing standing(const PeerId& peer) const override;

  void on_dial(const DialJob& job);
  void on_stricter();

  Subscription stricter_;  // of the gater, which may outlive this
  bool recheck_posted_ = false;
};

}  // namespace libp2p
