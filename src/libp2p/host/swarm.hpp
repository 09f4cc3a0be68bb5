// All connections of a host: its transports, what they listen at, the half-open connections, the open ones, and what is
// known per connected peer. As the ConnectionOwner of its transports it admits within the limits, asks the gater, and
// reports openings and endings. Owned by the host; the dialer (libp2p/host/dialer.hpp) makes outbound connections
// through it. Thread: the network thread. Bounds: libp2p::Limits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/token_bucket.hpp"
#include "libp2p/connection/io_buffers.hpp"
#include "libp2p/connection/stream_state.hpp"
#include "libp2p/host/connection_rates.hpp"
#include "libp2p/host/gater.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/seams/transport.hpp"
#include "libp2p/upgrade/connection_engine.hpp"

namespace libp2p {

// What a peer's place is worth, the least first.
enum class Standing : std::uint8_t { unproven, proven, protected_peer };

// Calls come inside the swarm's work; the host passes them on from the runtime's queue.
class SwarmEvents {
 public:
  virtual ~SwarmEvents() = default;
  virtual void on_opened(const ConnectionInfo& info, bool first_of_peer, const crypto::PublicKey& key) = 0;
  virtual void on_closed(const ConnectionInfo& info, const Error& why, bool last_of_peer) = 0;
  virtual void on_refused(const Multiaddr& remote, const Error& why) = 0;
  virtual void on_empty() = 0;  // no connection is left, not even a half-open one
  virtual void on_inbound_stream(std::shared_ptr<StreamState> stream) = 0;
  virtual bool accepts_protocol(std::string_view protocol) const = 0;
  virtual std::vector<std::string> list_protocols() const = 0;
  virtual AddressBlocks address_blocks(const Multiaddr& remote) const = 0;
  virtual Standing standing(const PeerId& peer) const = 0;
};

Error limit_error(std::string_view what, std::size_t value, std::string_view name);

class Swarm final : private ConnectionOwner {
 public:
  Swarm(runtime::Runtime& runtime, const HostConfig& config, PeerId self, Gater& gater, MemoryAccount& memory,
        HostCounters& counters, SwarmEvents& events);
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
  std::size_t open_count() const { return connections_.size() - half_open_.used() - pending_outbound_; }
  // Every connection, also the half-open.
  std::size_t total_count() const { return connections_.size(); }
  // The address blocks of the peer's oldest connection; empty when there is none.
  AddressBlocks address_blocks(const PeerId& peer) const;
  // The connection on which to open a stream: the oldest that is not closing. Null when there is none.
  Connection* usable(const PeerId& peer);

  void close(ConnectionId id, const Error& why, MonoTime deadline, CloseCode code = CloseCode::normal);
  bool close_peer(const PeerId& peer, const Error& why, MonoTime deadline);
  void close_all(const Error& why, MonoTime deadline);
  void check() const;  // of the tables and of every connection (swarm_check.cpp)

 private:
  struct Entry {
    std::unique_ptr<Connection> connection;
    AddressBlocks blocks;
    bool open = false;
    std::optional<MonoTime> handshake_due;  // a handshake that waits for Limits::handshakes
  };

  Result<ConnectionId> admit(Direction direction, const Multiaddr& local, const Multiaddr& remote) override;
  void on_half_open(std::unique_ptr<Connection> connection) override;
  Result<void> on_ready(Connection& connection) override;
  void on_inbound_stream(Connection& connection, std::shared_ptr<StreamState> stream) override;
  void on_closed(Connection& connection, const Error& why) override;
  Nanos handshake_delay(Connection& connection) override;
  void take_memory(std::size_t bytes) override;
  void give_memory(std::size_t bytes) override;

  // --- who is let in (swarm_inbound.cpp) ---
  Result<void> let_in(const Multiaddr& remote, const AddressBlocks& blocks);
  Result<void> check_rates(const AddressBlocks& blocks);
  Result<void> check_address(const AddressBlocks& blocks);
  // Ends the half-open inbound connection that has made no progress for longest, of the address block that holds most,
  // or of `only`. False when none has to go for a newcomer from `blocks`.
  bool evict_half_open(const AddressBlocks& blocks, const Bytes* only);
  // The open inbound connection that has to go for a newcomer whose address block holds `own` with it; null when none
  // has.
  Connection* evictable(std::size_t own, Standing newcomer);
  Result<void> take_open_place(const Entry& entry);
  // --- unread bytes of streams (swarm_memory.cpp) ---
  bool may_grow(std::size_t bytes);
  // Resets one stream of the connection that holds most, of the address block that holds most. False when none can go.
  bool reset_largest_holder(Nanos stalled);
  Result<void> allow(Connection& connection);
  void add_transport(AnyTransport transport);
  ConnectionConfig config_for(std::optional<PeerId> expected);
  ConnectionInfo info(const Connection& connection) const;

  runtime::Runtime& runtime_;
  const HostConfig& config_;
  const PeerId self_;
  Gater& gater_;
  MemoryAccount& memory_;
  HostCounters& counters_;
  SwarmEvents& events_;
  std::shared_ptr<const ConnectionKinds> kinds_;
  IoBuffers buffers_;
  std::shared_ptr<bool> alive_;

  std::vector<std::unique_ptr<Transport>> transports_;
  std::vector<std::unique_ptr<Listening>> listeners_;
  std::map<ConnectionId, Entry> connections_;
  std::vector<std::unique_ptr<Connection>> ended_;  // freed from the runtime's queue
  std::map<PeerId, std::vector<ConnectionId>> peers_;
  ConnectionId next_id_ = 1;
  SharePool<ConnectionId> half_open_;  // inbound, each counted as one
  SharePool<ConnectionId> inbound_;    // the same and those that are open
  ConnectionRates rates_;
  TokenBucket handshakes_;
  std::size_t pending_outbound_ = 0;
  std::size_t unread_ = 0;  // bytes of memory_ that connections have taken
  bool relief_posted_ = false;
  std::size_t relief_bytes_ = 0;  // by how much windows wanted to grow
};

}  // namespace libp2p
