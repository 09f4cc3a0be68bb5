// A transport whose byte pipes are streams of other hosts' connections, like a relay's. Each host has an outer host
// with TCP. A dial of /memory/N opens a stream to the outer host of the N-th listener and returns its StreamSocket. The
// transport suite thereby tests connections inside streams. For connection_in_stream_test.cpp. Thread: one. Bounds:
// those of the outer hosts and of their streams.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libp2p/connection/stream_socket.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/testing/transport_bed.hpp"

namespace libp2p {

// Who listens at which number, and the numbers that nobody has had.
struct TunnelNet {
  std::map<std::uint64_t, Host*> listening;
  std::uint64_t next = 1;
};

class TunnelTransport final : public SocketTransport {
 public:
  TunnelTransport(runtime::Runtime& runtime, std::shared_ptr<TunnelNet> net) : runtime_(runtime), net_(std::move(net)) {
    SeededRng rng(77'000 + net_->next);
    outer_ = std::make_unique<Host>(runtime,
                                    HostConfig(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value()));
    outer_->listen(Multiaddr::from_text("/ip4/" + runtime.interface_ips().value().front() + "/tcp/0").value()).value();
    number_ = net_->next++;
  }

  std::string_view name() const override { return "tunnel"; }
  bool can_dial(const Multiaddr& address) const override { return number_in(address).has_value(); }
  bool can_listen(const Multiaddr& address) const override { return can_dial(address); }
  std::string why_not(const Multiaddr&) const override { return "only /memory is spoken here"; }

  std::unique_ptr<runtime::Operation> dial(const Multiaddr& address, Done<RawEnd> done) override {
    auto dial = std::make_unique<Dial>(runtime_, std::move(done));
    dial->scope.spawn(open(*this, *number_in(address), &dial->done));
    return dial;
  }
  Result<std::unique_ptr<Listening>> listen(const Multiaddr& address, std::function<void(RawEnd)> on_end) override {
    std::uint64_t number = *number_in(address);
    if (number == 0) number = net_->next++;
    if (net_->listening.contains(number))
      return fail(Errc::io, "listen on " + address.text() + " failed: the address is in use");
    net_->listening[number] = outer_.get();
    const auto call = std::make_shared<std::function<void(RawEnd)>>(std::move(on_end));
    outer_->set_stream_handler(protocol_of(number),
                               [number, call](Stream stream) { return accept(std::move(stream), number, call); });
    return std::unique_ptr<Listening>(std::make_unique<Tunnel>(*this, number, call));
  }

 private:
  struct Dial final : runtime::Operation {
    Dial(runtime::Runtime& runtime, Done<RawEnd> call) : done(std::move(call)), scope(runtime) {}
    Done<RawEnd> done;
    runtime::TaskScope scope;
  };
  struct Tunnel final : Listening {
    Tunnel(TunnelTransport& transport, std::uint64_t at, std::shared_ptr<std::function<void(RawEnd)>> to)
        : of(transport), number(at), call(std::move(to)) {}
    ~Tunnel() override {
      of.net_->listening.erase(number);
      of.outer_->remove_stream_handler(protocol_of(number));
      *call = nullptr;
    }
    Multiaddr address() const override { return address_of(number); }
    TunnelTransport& of;
    const std::uint64_t number;
    std::shared_ptr<std::function<void(RawEnd)>> call;
  };

  static std::optional<std::uint64_t> number_in(const Multiaddr& address) {
    if (!address.text().starts_with("/memory/") || address.text().find('/', 8) != std::string::npos)
      return std::nullopt;
    return std::stoull(address.text().substr(8));
  }
  static Multiaddr address_of(std::uint64_t number) {
    return Multiaddr::from_text("/memory/" + std::to_string(number)).value();
  }
  static std::string protocol_of(std::uint64_t number) { return "/tunnel/" + std::to_string(number); }

  static void give(Done<RawEnd>* done, Result<RawEnd> end) {
    const Done<RawEnd> call = std::move(*done);  // it may destroy the dial
    call(std::move(end));
  }
  static RawEnd raw_end(Stream stream, std::uint64_t local, std::uint64_t remote) {
    return {std::make_unique<StreamSocket>(std::move(stream)), address_of(local), address_of(remote)};
  }
  // The number of the dialer's end goes first.
  static runtime::Task<void> open(TunnelTransport& self, std::uint64_t number, Done<RawEnd>* done) {
    const auto found = self.net_->listening.find(number);
    if (found == self.net_->listening.end()) {
      give(done, Error(Errc::unreachable, "nobody listens at /memory/" + std::to_string(number)));
      co_return;
    }
    const Host& to = *found->second;
    const PeerId peer = to.id();
    auto connecting = self.outer_->connect(to.listen_addresses().front().with_peer_id(peer));
    const auto connected = co_await connecting;
    if (!connected) {
      give(done, connected.error());
      co_return;
    }
    // With two protocols the answer is waited for: a listener may have gone meanwhile.
    std::vector<std::string> protocols;
    protocols.push_back(protocol_of(number));
    protocols.push_back(protocol_of(number) + "/1");
    auto opening = self.outer_->open_stream(peer, std::move(protocols));
    auto opened = co_await opening;
    if (!opened) {
      give(done, opened.error());
      co_return;
    }
    Stream stream = std::move(*opened);
    Bytes first(8);
    store_be64(first.data(), self.number_);
    auto writing = stream.write(first);
    const auto written = co_await writing;
    if (!written) {
      give(done, written.error());
      co_return;
    }
    give(done, raw_end(std::move(stream), self.number_, number));
  }
  static runtime::Task<void> accept(Stream stream, std::uint64_t number,
                                    std::shared_ptr<std::function<void(RawEnd)>> call) {
    Bytes first(8);
    auto reading = stream.read_exactly(first);
    const auto read = co_await reading;
    if (read && *call) (*call)(raw_end(std::move(stream), number, load_be64(first.data())));
  }

  runtime::Runtime& runtime_;
  std::shared_ptr<TunnelNet> net_;
  std::unique_ptr<Host> outer_;
  std::uint64_t number_ = 0;  // of the dialer's ends
};

inline TransportPlan tunnel_plan() {
  TransportPlan plan;
  plan.name = "tunnel";
  const auto net = std::make_shared<TunnelNet>();
  plan.make = [net](runtime::Runtime& runtime) -> AnyTransport {
    return std::unique_ptr<SocketTransport>(std::make_unique<TunnelTransport>(runtime, net));
  };
  plan.any_address = [](const std::string&) { return Multiaddr::from_text("/memory/0").value(); };
  return plan;
}

}  // namespace libp2p
