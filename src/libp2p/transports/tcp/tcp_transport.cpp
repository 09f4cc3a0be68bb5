#include "libp2p/transports/tcp/tcp_transport.hpp"

#include "libp2p/runtime/later.hpp"
#include "libp2p/transports/tcp/tcp_address.hpp"

namespace libp2p::tcp {
namespace {

class TcpListening final : public Listening {
 public:
  TcpListening(std::unique_ptr<runtime::Listener> listener, Multiaddr address)
      : listener_(std::move(listener)), address_(std::move(address)) {}
  Multiaddr address() const override { return address_; }

 private:
  std::unique_ptr<runtime::Listener> listener_;
  Multiaddr address_;
};

// A socket whose end has no address is none that limits and gater could judge: it closes.
Result<RawEnd> raw_end(std::unique_ptr<runtime::Socket> socket, Multiaddr remote) {
  OPP2P_TRY(Multiaddr local, to_multiaddr(socket->local()));
  RawEnd end;
  end.socket = std::move(socket);
  end.local = std::move(local);
  end.remote = std::move(remote);
  return end;
}

Result<RawEnd> accepted(std::unique_ptr<runtime::Socket> socket) {
  OPP2P_TRY(Multiaddr remote, to_multiaddr(socket->remote()));
  return raw_end(std::move(socket), std::move(remote));
}

}  // namespace

bool TcpTransport::can_dial(const Multiaddr& address) const { return endpoint_of(address).has_value(); }

std::string TcpTransport::why_not(const Multiaddr& address) const {
  const auto endpoint = endpoint_of(address);
  return endpoint ? std::string() : endpoint.error().text();
}

std::unique_ptr<runtime::Operation> TcpTransport::dial(const Multiaddr& address, Done<RawEnd> done) {
  runtime::require_function(done, "done of TcpTransport::dial()");
  const auto to = endpoint_of(address);
  if (!to)
    return std::make_unique<runtime::LaterCall>(runtime_, [why = to.error(), done = std::move(done)] { done(why); });
  return runtime_.connect(*to, [address, done = std::move(done)](Result<std::unique_ptr<runtime::Socket>> socket) {
    if (!socket) return done(std::move(socket).error());
    done(raw_end(std::move(*socket), address));
  });
}

Result<std::unique_ptr<Listening>> TcpTransport::listen(const Multiaddr& address, std::function<void(RawEnd)> on_end) {
  runtime::require_function(on_end, "on_end of TcpTransport::listen()");
  OPP2P_TRY(const Endpoint at, endpoint_of(address));
  OPP2P_TRY(auto listener, runtime_.listen(at, [on_end = std::move(on_end)](std::unique_ptr<runtime::Socket> socket) {
    if (auto end = accepted(std::move(socket))) on_end(std::move(*end));
  }));
  OPP2P_TRY(Multiaddr bound, to_multiaddr(listener->local()));
  return std::unique_ptr<Listening>(std::make_unique<TcpListening>(std::move(listener), std::move(bound)));
}

TransportFactory transport() {
  return [](runtime::Runtime& runtime) { return std::make_unique<TcpTransport>(runtime); };
}

}  // namespace libp2p::tcp
