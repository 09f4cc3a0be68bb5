// How connections are made. A SocketTransport (TCP, WebSocket, memory, a relayed stream) gives byte pipes, and
// connection/ makes connections with security and a muxer from them. A Transport gives whole connections; it is QUIC,
// or a SocketTransport that was wrapped. Both dial and listen. Their addresses contain an IP address or what the
// transport uses instead, but no DNS name: the dialer resolves names. The peer id is passed beside the address.
//
// Owner: the host. Thread: the network thread. Bounds: the owner's, which is asked (admit) before a handshake.
//
// Re-entrancy: destroying an Operation cancels it, and its callback does not come. No callback comes inside the call
// that asked for it. A callback may destroy its operation. Transport::dial says from where its own callbacks come.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "libp2p/runtime/runtime.hpp"
#include "libp2p/seams/connection.hpp"

namespace libp2p {

template <class T>
using Done = std::function<void(Result<T>)>;

// A byte pipe to somebody whose identity is not known yet. Its socket may have a handshake of its own before it
// (WebSocket): it is handed over at once all the same, so that the owner's bounds and deadlines for half-open
// connections hold for that too.
struct RawEnd {
  std::unique_ptr<runtime::Socket> socket;
  Multiaddr local;
  Multiaddr remote;      // without /p2p
  bool limited = false;  // relayed: ConnectionFacts::limited
};

// Listens until it is destroyed.
class Listening {
 public:
  virtual ~Listening() = default;
  virtual Multiaddr address() const = 0;  // with the real port
};

class SocketTransport {
 public:
  virtual ~SocketTransport() = default;
  virtual std::string_view name() const = 0;  // "tcp"
  virtual bool can_dial(const Multiaddr& address) const = 0;
  virtual bool can_listen(const Multiaddr& address) const = 0;
  // For people: why an address is none that it takes, "only /tcp is spoken behind the host".
  virtual std::string why_not(const Multiaddr& address) const = 0;
  // One that it cannot dial is Errc::unsupported.
  virtual std::unique_ptr<runtime::Operation> dial(const Multiaddr& address, Done<RawEnd> done) = 0;
  // Errc::io with the address and the reason when it cannot be listened on.
  virtual Result<std::unique_ptr<Listening>> listen(const Multiaddr& address, std::function<void(RawEnd)> on_end) = 0;
};

// The swarm, as transports and connections see it.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // Limits and gater, before any handshake. An error refuses it, and has been counted and told. on_half_open follows at
  // once.
  virtual Result<ConnectionId> admit(Direction direction, const Multiaddr& local, const Multiaddr& remote) = 0;
  // Takes the connection that was admitted; the owner calls start().
  virtual void on_half_open(std::unique_ptr<Connection> connection) = 0;
  // The peer is authenticated. An error refuses it: the connection closes with that error. Called inside the engine.
  virtual Result<void> on_ready(Connection& connection) = 0;
  virtual void on_inbound_stream(Connection& connection, std::shared_ptr<StreamState> stream) = 0;
  // The last call about a connection; it must not be destroyed before this returns.
  virtual void on_closed(Connection& connection, const Error& why) = 0;

  // The first bytes of a connection are there: how long its handshake has to wait.
  virtual Nanos handshake_delay(Connection& /*connection*/) { return Nanos(0); }
  // Room for unread bytes. Taking it may reset streams of any connection, the caller's too.
  virtual void take_memory(std::size_t /*bytes*/) {}
  virtual void give_memory(std::size_t /*bytes*/) {}
};

// A dial under way. Destroying it gives it up; a connection that is half-open by then closes with Errc::cancelled.
class Dialling : public runtime::Operation {
 public:
  // `call` comes once, when the far end has answered and the owner is about to get the half-open connection: from there
  // on the bounds and the deadline of handshakes hold, and no longer the dialer's patience. It must not destroy the
  // dial.
  virtual void when_half_open(std::function<void()> call) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string_view name() const = 0;
  virtual bool can_dial(const Multiaddr& address) const = 0;
  virtual bool can_listen(const Multiaddr& address) const = 0;
  virtual std::string why_not(const Multiaddr& address) const = 0;  // as of a SocketTransport
  // Dials; the connection is admitted, half-open and ready with `owner` on the way. `done` has its id once it is ready.
  // Before it is half-open `done` comes from the runtime's queue; later it comes inside the connection's work, after
  // on_ready or on_closed, and must not destroy the connection.
  virtual std::unique_ptr<Dialling> dial(const Multiaddr& address, std::optional<PeerId> peer, ConnectionOwner& owner,
                                         Done<ConnectionId> done) = 0;
  virtual Result<std::unique_ptr<Listening>> listen(const Multiaddr& address, ConnectionOwner& owner) = 0;
};

// What a host is told to speak (HostConfig::transports): made once for each host, on its runtime.
using AnyTransport = std::variant<std::unique_ptr<SocketTransport>, std::unique_ptr<Transport>>;
using TransportFactory = std::function<AnyTransport(runtime::Runtime&)>;

}  // namespace libp2p
