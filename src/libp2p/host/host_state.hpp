// The inside of Host, shared by its sources: what it owns, and the coroutines that may outlive it (they hold it
// weakly). Owned by the host. Thread: the network thread. Bounds: libp2p::Limits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/host/connection_manager.hpp"
#include "libp2p/host/dialer.hpp"
#include "libp2p/host/gater.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/host/swarm.hpp"

namespace libp2p {

// How long a connection that is closed in order may take to send what is queued.
inline constexpr Nanos kCloseTime = Seconds(5);

class Host::State final : public SwarmEvents {
 public:
  State(runtime::Runtime& rt, HostConfig host_config);
  ~State() override;

  // --- SwarmEvents ---
  void on_opened(const ConnectionInfo& info, bool first_of_peer, const crypto::PublicKey& key) override;
  void on_closed(const ConnectionInfo& info, const Error& why, bool last_of_peer) override;
  void on_refused(const Multiaddr& remote, const Error& why) override;
  void on_empty() override { emptied->signal(); }
  void on_inbound_stream(std::shared_ptr<StreamState> stream) override;
  bool accepts_protocol(std::string_view protocol) const override { return acceptors.contains(protocol); }
  std::vector<std::string> list_protocols() const override;
  AddressBlocks address_blocks(const Multiaddr& remote) const override;
  Standing standing(const PeerId& peer) const override;

  static runtime::Task<Result<PeerId>> connect_to(std::weak_ptr<State> weak, Multiaddr address);
  static runtime::Task<Result<PeerId>> connect_peer(std::weak_ptr<State> weak, PeerId peer);
  static runtime::Task<Result<Stream>> open(std::weak_ptr<State> weak, PeerId peer, std::vector<std::string> protocols);
  static runtime::Task<void> close(std::weak_ptr<State> weak, Nanos limit);

  // What `opening` gives, or Errc::timed_out at the deadline, which is also the stream's.
  static runtime::Task<Result<Stream>> open_by(runtime::Runtime& runtime, runtime::Task<Result<Stream>> opening,
                                               MonoTime deadline, std::string what);

  // Tells the listeners from the queue what has happened, and what that has brought about.
  void tell(HostEvent event, std::optional<HostEvent> next = std::nullopt);
  // Tells, once for all changes of one turn, that what is spoken here has changed.
  void on_protocols_changed();
  void trim();
  void collect();
  Result<std::shared_ptr<StreamState>> start_stream(const PeerId& peer, std::vector<std::string> protocols);

  runtime::Runtime& runtime;
  HostConfig config;
  PeerId self;
  std::shared_ptr<Gater> gater;
  MemoryAccount memory;
  Peerstore peerstore;
  ConnectionManager manager;
  std::map<PeerId, std::vector<Cidr>> exempt_peers;  // and the addresses that their names led to last
  HostCounters counters;
  std::map<std::string, StreamAcceptor, std::less<>> acceptors;
  EventSource<HostEvent> events;
  std::weak_ptr<State> self_weak;
  bool closing = false;
  bool change_posted = false;  // on_protocols_changed() is on its way
  std::unique_ptr<runtime::Timer> trim_timer;
  std::unique_ptr<runtime::Timer> collect_timer;
  std::unique_ptr<runtime::Event> emptied;  // signalled when the last connection has gone
  // In this order: the dialer uses the swarm, acceptors use both and go first.
  std::unique_ptr<Swarm> swarm;
  std::unique_ptr<Dialer> dialer;
  std::unique_ptr<runtime::TaskScope> scope;
};

}  // namespace libp2p
