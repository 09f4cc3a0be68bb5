// All connections of a host: listeners, the half-open, the open, and what is known per connected peer. Accepts within the limits,
// asks the gater, and reports openings and endings. Owned by the host; the dialer (network/dialer.hpp) makes outbound
// connections through it. Thread: the network thread. Bounds: network::Limits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "network/connection.hpp"
#include "network/gater.hpp"
#include "network/host.hpp"
#include "protocols/noise/handshake.hpp"

namespace libp2p::network {

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
};

// Waits for the outcome of one outbound handshake.
struct HandshakeWait {
  runtime::Parking parking;
  std::optional<Result<PeerId>> outcome;
};

class Swarm final : private ConnectionOwner {
 public:
  Swarm(runtime::Runtime& runtime, const HostConfig& config, PeerId self, Gater& gater, HostCounters& counters,
        SwarmEvents& events);
  ~Swarm() override;
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  Result<void> listen(const Multiaddr& address);
  void stop_listening() { listeners_.clear(); }
  std::vector<Multiaddr> listen_addresses() const;

  // Takes a connected socket through the handshake; `wait` is told the outcome, unless it was forgotten before.
  ConnectionId adopt_outbound(std::unique_ptr<runtime::Socket> socket, const Multiaddr& remote,
                              std::optional<PeerId> expected, HandshakeWait* wait);
  void forget_wait(ConnectionId id) { waits_.erase(id); }

  bool connected(const PeerId& peer) const { return peers_.contains(peer); }
  std::vector<PeerId> peers() const;
  std::vector<ConnectionInfo> connections() const;
  std::vector<ConnectionInfo> connections(const PeerId& peer) const;
  std::size_t open_count() const { return connections_.size() - pending_inbound_ - pending_outbound_; }
  // Every connection, also the half-open.
  std::size_t total_count() const { return connections_.size(); }
  // The connection on which to open a stream: the oldest that is not closing. Null when there is none.
  Connection* usable(const PeerId& peer);

  void close(ConnectionId id, const Error& why, MonoTime deadline);
  bool close_peer(const PeerId& peer, const Error& why, MonoTime deadline);
  void close_all(const Error& why, MonoTime deadline);

 private:
  struct Entry {
    std::unique_ptr<Connection> connection;
    bool open = false;
  };

  Result<void> on_connection_ready(Connection& connection) override;
  void on_inbound_stream(Connection& connection, std::shared_ptr<StreamState> stream) override;
  void on_connection_closed(Connection& connection, const Error& why) override;

  void accept(std::unique_ptr<runtime::Socket> socket);
  // Ends the oldest half-open inbound connection, of the address block if one is given; false when it is not old enough to go.
  bool make_room(const Bytes* block);
  Result<void> admit(const Multiaddr& remote);
  Result<void> allow(Connection& connection);
  Connection& make(std::unique_ptr<runtime::Socket> socket, Direction direction, const Multiaddr& remote,
                   std::optional<PeerId> expected);
  ConnectionInfo info(const Connection& connection) const;
  void tell_wait(ConnectionId id, Result<PeerId> outcome);
  void no_longer_pending(const Multiaddr& remote);
  std::size_t inbound_count() const { return pending_inbound_ + open_inbound_; }

  runtime::Runtime& runtime_;
  const HostConfig& config_;
  const PeerId self_;
  Gater& gater_;
  HostCounters& counters_;
  SwarmEvents& events_;
  std::optional<noise::Credentials> credentials_;
  IoBuffers buffers_;
  std::shared_ptr<bool> alive_;

  struct Listening {
    std::unique_ptr<runtime::Listener> listener;
    Multiaddr address;
  };
  std::vector<Listening> listeners_;
  std::map<ConnectionId, Entry> connections_;
  std::vector<std::unique_ptr<Connection>> ended_;  // freed from the runtime's queue
  std::map<PeerId, std::vector<ConnectionId>> peers_;
  std::map<ConnectionId, HandshakeWait*> waits_;
  ConnectionId next_id_ = 1;
  std::size_t pending_inbound_ = 0;
  std::map<Bytes, std::size_t> pending_by_address_;  // the same, by where they come from
  std::size_t pending_outbound_ = 0;
  std::size_t open_inbound_ = 0;
};

}  // namespace libp2p::network
