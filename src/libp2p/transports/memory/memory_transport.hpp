// Connections between hosts of one process over a MemoryNet. Addresses are /memory/N with N up to 2^64-1; listening on
// /memory/0 takes a free number. A host uses it when HostConfig::transports contains transport(net). Owner: the host,
// through libp2p/connection/upgraded_transport.hpp. Thread: the network thread. Bounds: those of memory_socket.hpp; the
// owner decides which connections to admit. A memory address has no IP, so no share per address and no IP rule of a
// gater applies to it.
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
