// All connections of a host: its transports, what they listen at, the half-open connections, the open ones, and which
// peers are connected. It is the ConnectionOwner of its transports: it asks InboundAdmission whom to let in, asks the
// gater and the limits again when a peer has proven who it is, and reports openings and endings. The dialer
// (libp2p/host/dialer.hpp) makes outbound connections through it.
//
// Owner: HostState. Thread: the network thread. Bounds: libp2p::Limits. Re-entrancy: SwarmEvents are called inside a
// connection's work; a connection that has ended is freed from the runtime's queue.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/memory_account.hpp"
#include "libp2p/connection/io_buffers.hpp"
#include "libp2p/host/gater.hpp"
#include "libp2p/host/host_config.hpp"
#include "libp2p/host/host_counters.hpp"
#include "libp2p/host/inbound_admission.hpp"
#include "libp2p/host/swarm_events.hpp"
#include "libp2p/host/swarm_policy.hpp"
#include "libp2p/host/swarm_table.hpp"
#include "libp2p/host/unread_memory.hpp"
#include "libp2p/seams/transport.hpp"
#include "libp2p/upgrade/connection_engine.hpp"

namespace libp2p {

class Swarm final : private ConnectionOwner {
 public:
  // How long a connection that is closed in order may take to send what is queued.
  static constexpr Nanos kCloseTime = Seconds(5);
  // The same of one that the gater no longer permits.
  static constexpr Nanos kGatedCloseTime = Millis(500);

  // Everything outlives this. Throws std::invalid_argument for securities or muxers that cannot be spoken.
  Swarm(runtime::Runtime& runtime, const HostConfig& config, PeerId self, Gater& gater, MemoryAccount& memory,
        HostCounters& counters, SwarmEvents& events, const SwarmPolicy& policy);
  ~Swarm() override;
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  Result<void> listen(const Multiaddr& address);
  void stop_listening() { listeners_.clear(); }
  std::vector<Multiaddr> listen_addresses() const;

  // The transport that dials an address (without a name, without /p2p); null when none does.
  Transport* dialler_of(const Multiaddr& address) const;
  // Why no transport takes an address, for people.
  std::string why_not(const Multiaddr& address) const;
  // As the transports see this.
  ConnectionOwner& owner() { return *this; }
  // Of an open connection.
  const PeerId& peer_of(ConnectionId id) const { return connections_.at(id).connection->peer(); }

  bool connected(const PeerId& peer) const { return peers_.contains(peer); }
  std::vector<PeerId> peers() const;
  std::vector<ConnectionInfo> connections() const;
  std::vector<ConnectionInfo> connections(const PeerId& peer) const;
  std::size_t open_count() const { return connections_.size() - admission_.half_open() - pending_outbound_; }
  // Every connection, also the half-open.
  std::size_t total_count() const { return connections_.size(); }
  // The address blocks of the peer's oldest connection; unknown() when there is none.
  AddressBlocks address_blocks(const PeerId& peer) const;
  // The connection on which to open a stream: the oldest that is not closing. Null when there is none.
  Connection* usable(const PeerId& peer);

  void close(ConnectionId id, const Error& why, MonoTime deadline, CloseCode code = CloseCode::normal);
  bool close_peer(const PeerId& peer, const Error& why, MonoTime deadline);
  void close_all(const Error& why, MonoTime deadline);
  // Closes what the gater no longer permits; gives how many connections that were. Half-open outbound ones are the
  // dialer's, which knows whom they are to reach.
  std::size_t close_not_permitted();
  void check() const;  // of the tables and of every connection (swarm_check.cpp)

 private:
  // --- ConnectionOwner ---
  Result<ConnectionId> admit(Direction direction, const Multiaddr& local, const Multiaddr& remote) override;
  void on_half_open(std::unique_ptr<Connection> connection) override;
  Result<void> on_ready(Connection& connection) override;
  void on_inbound_stream(Connection& connection, std::shared_ptr<StreamState> stream) override;
  void on_closed(Connection& connection, const Error& why) override;
  Nanos handshake_delay(Connection& connection) override;
  void take_memory(std::size_t bytes) override { unread_.take(bytes); }
  void give_memory(std::size_t bytes) override { unread_.give(bytes); }

  Result<void> allow(Connection& connection);
  void add_transport(AnyTransport transport);
  ConnectionConfig config_for(std::optional<PeerId> expected);
  ConnectionInfo info(const Connection& connection) const;

  runtime::Runtime& runtime_;
  const HostConfig& config_;
  const PeerId self_;
  Gater& gater_;
  HostCounters& counters_;
  SwarmEvents& events_;
  const SwarmPolicy& policy_;
  std::shared_ptr<const ConnectionKinds> kinds_;
  IoBuffers buffers_;
  LifeToken life_;  // for what is posted

  std::vector<std::unique_ptr<Transport>> transports_;
  std::vector<std::unique_ptr<Listening>> listeners_;
  InboundAdmission admission_;
  UnreadMemory unread_;  // before the connections, which give back to it when they go
  SwarmTable connections_;
  std::vector<std::unique_ptr<Connection>> ended_;  // freed from the runtime's queue
  std::map<PeerId, std::vector<ConnectionId>> peers_;
  ConnectionId next_id_ = 1;
  std::size_t pending_outbound_ = 0;
};

}  // namespace libp2p
