// TCP as a transport: the runtime's sockets, with addresses /ip4|ip6/A/tcp/P. Owner: the host, through
// libp2p/connection/upgraded_transport.hpp, which makes connections from the sockets. Thread: the network thread.
// Bounds: the owner's. Specification: connections.
#pragma once

#include "libp2p/seams/transport.hpp"

namespace libp2p::tcp {

class TcpTransport final : public SocketTransport {
 public:
  explicit TcpTransport(runtime::Runtime& runtime) : runtime_(runtime) {}
  std::string_view name() const override { return "tcp"; }
  bool can_dial(const Multiaddr& address) const override;
  bool can_listen(const Multiaddr& address) const override { return can_dial(address); }
  std::string why_not(const Multiaddr& address) const override;
  std::unique_ptr<runtime::Operation> dial(const Multiaddr& address, Done<RawEnd> done) override;
  Result<std::unique_ptr<Listening>> listen(const Multiaddr& address, std::function<void(RawEnd)> on_end) override;

 private:
  runtime::Runtime& runtime_;
};

// For HostConfig::transports, which has it from the start.
TransportFactory transport();

}  // namespace libp2p::tcp
