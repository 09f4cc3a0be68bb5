// Connections between hosts of one process, over a MemoryNet: /memory/N, N up to 2^64-1. A host speaks it once
// transport(net) is in its HostConfig::transports, and listens at /memory/0 for a free number. A host owns it, through
// what makes connections of its sockets. Thread: the network thread. Bounds: memory_socket.hpp; who is let in is the
// owner's to say. Such an address has no IP: it has no address share, and no gater's rule of IPs is about it.
#pragma once

#include "libp2p/seams/transport.hpp"
#include "libp2p/transports/memory/memory_net.hpp"

namespace libp2p::memory {

class MemoryTransport final : public SocketTransport {
 public:
  MemoryTransport(runtime::Runtime& runtime, MemoryNet& net) : runtime_(runtime), net_(net) {}
  std::string_view name() const override { return "memory"; }
  bool can_dial(const Multiaddr& address) const override;
  bool can_listen(const Multiaddr& address) const override { return can_dial(address); }
  std::string why_not(const Multiaddr& address) const override;
  // Errc::unreachable where nobody listens.
  std::unique_ptr<runtime::Operation> dial(const Multiaddr& address, Done<RawEnd> done) override;
  Result<std::unique_ptr<Listening>> listen(const Multiaddr& address, std::function<void(RawEnd)> on_end) override;

 private:
  runtime::Runtime& runtime_;
  MemoryNet& net_;
};

// For HostConfig::transports. The net outlives the host.
TransportFactory transport(MemoryNet& net);

}  // namespace libp2p::memory
