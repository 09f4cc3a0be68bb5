#include "libp2p/transports/memory/memory_transport.hpp"

#include "libp2p/runtime/later.hpp"
#include "libp2p/transports/memory/memory_socket.hpp"

namespace libp2p::memory {
namespace {

constexpr std::string_view kWhyNot = "it must be /memory/NUMBER";

std::optional<std::uint64_t> number_of(const Multiaddr& address) {
  const auto parts = address.components();
  if (parts.size() != 1 || parts[0].protocol != multiformats::Protocol::memory || parts[0].value.size() != 8)
    return std::nullopt;
  return load_be64(parts[0].value.data());
}

Multiaddr address_of(std::uint64_t number) { return Multiaddr::from_text("/memory/" + std::to_string(number)).value(); }

class MemoryListening final : public Listening {
 public:
  MemoryListening(MemoryNet& net, std::uint64_t number, std::shared_ptr<Listener> listener)
      : net_(net), number_(number), listener_(std::move(listener)) {}
  ~MemoryListening() override {
    net_.remove(number_);
    listener_->on_socket = nullptr;  // also for those that are on their way
  }
  MemoryListening(const MemoryListening&) = delete;
  MemoryListening& operator=(const MemoryListening&) = delete;
  Multiaddr address() const override { return address_of(number_); }

 private:
  MemoryNet& net_;
  const std::uint64_t number_;
  const std::shared_ptr<Listener> listener_;
};

// Both ends come from the queue of their runtimes, the far one later.
void connect(MemoryNet& net, runtime::Runtime& runtime, std::uint64_t number, const Done<RawEnd>& done) {
  Multiaddr remote = address_of(number);
  const auto listener = net.at(number);
  if (!listener) return done(fail(Errc::unreachable, "connect to " + remote.text() + " failed: connection refused"));
  const std::uint64_t own = net.take_number();
  Multiaddr local = address_of(own);
  auto ends = make_pipe(runtime, remote.text(), listener->runtime, local.text());
  auto far = std::make_shared<std::unique_ptr<runtime::Socket>>(std::move(ends.second));
  listener->runtime.post([listener, own, far] {
    const auto call = listener->on_socket;  // which may end the listening
    if (call) call(std::move(*far), own);
  });
  done(RawEnd{std::move(ends.first), std::move(local), std::move(remote)});
}

}  // namespace

bool MemoryTransport::can_dial(const Multiaddr& address) const { return number_of(address).has_value(); }

std::string MemoryTransport::why_not(const Multiaddr& address) const {
  return can_dial(address) ? "" : std::string(kWhyNot);
}

std::unique_ptr<runtime::Operation> MemoryTransport::dial(const Multiaddr& address, Done<RawEnd> done) {
  runtime::require_function(done, "done of MemoryTransport::dial()");
  const auto number = number_of(address);
  return std::make_unique<runtime::LaterCall>(runtime_,
                                              [&net = net_, &runtime = runtime_, number, done = std::move(done)] {
                                                if (!number) return done(fail(Errc::unsupported, std::string(kWhyNot)));
                                                connect(net, runtime, *number, done);
                                              });
}

Result<std::unique_ptr<Listening>> MemoryTransport::listen(const Multiaddr& address,
                                                           std::function<void(RawEnd)> on_end) {
  runtime::require_function(on_end, "on_end of MemoryTransport::listen()");
  auto number = number_of(address);
  if (!number) return fail(Errc::unsupported, std::string(kWhyNot));
  if (*number == 0) number = net_.take_number();
  Multiaddr local = address_of(*number);
  auto listener = std::make_shared<Listener>(Listener{runtime_, nullptr});
  listener->on_socket = [local, on_end = std::move(on_end)](std::unique_ptr<runtime::Socket> socket,
                                                            std::uint64_t from) {
    on_end(RawEnd{std::move(socket), local, address_of(from)});
  };
  if (!net_.add(*number, listener)) {
    return fail(Errc::io, "listen on " + local.text() + " failed: the address is in use; choose another number");
  }
  return std::unique_ptr<Listening>(std::make_unique<MemoryListening>(net_, *number, std::move(listener)));
}

TransportFactory transport(MemoryNet& net) {
  return [&net](runtime::Runtime& runtime) { return std::make_unique<MemoryTransport>(runtime, net); };
}

}  // namespace libp2p::memory
