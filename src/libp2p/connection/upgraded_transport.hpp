// Makes a Transport of any SocketTransport: each of its byte pipes becomes a SocketConnection, with security and a
// muxer on top. The owner of connections is asked before any handshake, has the connection from then on, and hears how
// it ends. A host owns it; it outlives its dials and listenings, and the owner's connections do not refer to it.
// Thread: the network thread. Bounds: the owner's. Specification: connections, "Upgrading".
#pragma once

#include "libp2p/connection/io_buffers.hpp"
#include "libp2p/seams/transport.hpp"
#include "libp2p/upgrade/connection_engine.hpp"

namespace libp2p {

// What connections over a byte pipe are made with. Everything that it refers to outlives the connections.
struct UpgradeSetup {
  runtime::Runtime& runtime;
  IoBuffers& buffers;
  // The configuration of one connection, where `expected` is whom a dialer wants to reach.
  std::function<ConnectionConfig(std::optional<PeerId> expected)> config;
};

class UpgradedTransport final : public Transport {
 public:
  UpgradedTransport(std::unique_ptr<SocketTransport> sockets, UpgradeSetup setup);
  ~UpgradedTransport() override;
  UpgradedTransport(const UpgradedTransport&) = delete;
  UpgradedTransport& operator=(const UpgradedTransport&) = delete;

  std::string_view name() const override { return sockets_->name(); }
  bool can_dial(const Multiaddr& address) const override { return sockets_->can_dial(address); }
  bool can_listen(const Multiaddr& address) const override { return sockets_->can_listen(address); }
  std::string why_not(const Multiaddr& address) const override { return sockets_->why_not(address); }
  std::unique_ptr<Dialling> dial(const Multiaddr& address, std::optional<PeerId> peer, ConnectionOwner& owner,
                                 Done<ConnectionId> done) override;
  Result<std::unique_ptr<Listening>> listen(const Multiaddr& address, ConnectionOwner& owner) override;

 private:
  class Dial;
  const std::unique_ptr<SocketTransport> sockets_;
  const UpgradeSetup setup_;
};

}  // namespace libp2p
