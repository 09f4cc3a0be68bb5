// For the tests of hosts: hosts in a simulation, and the small protocols that they speak. The fixture asserts at the
// end of a test that no connection, stream or coroutine is left.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/connection/socket_connection.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p {

inline crypto::PrivateKey test_key(std::uint64_t seed) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value();
}

// Sends back what comes until the end.
inline runtime::Task<void> echo(Stream stream) {
  Bytes buffer(64 * 1024);
  for (;;) {
    auto reading = stream.read_some(buffer);
    const auto n = co_await reading;
    if (!n || *n == 0) break;
    auto writing = stream.write(ByteView(buffer).first(*n));
    const auto done = co_await writing;
    if (!done) break;
  }
  stream.close_write();
}

struct Outcome {
  std::optional<Result<PeerId>> peer;
  std::optional<Result<void>> done;
  Bytes bytes;
  std::string text() const {
    if (done && !*done) return done->error().message();
    if (peer && !*peer) return peer->error().message();
    return (peer || done) ? "ok" : "pending";
  }
};

inline runtime::Task<void> connect(Host& host, Multiaddr address, Outcome* out) {
  auto connecting = host.connect(std::move(address));
  auto peer = co_await connecting;
  out->peer.emplace(std::move(peer));
}

inline runtime::Task<void> connect_peer(Host& host, PeerId id, Outcome* out) {
  auto connecting = host.connect(std::move(id));
  auto peer = co_await connecting;
  out->peer.emplace(std::move(peer));
}

inline runtime::Task<void> close_host(Host& host, Nanos limit) {
  auto closing = host.close(limit);
  co_await closing;
}

// Opens a stream, sends `message`, ends its side and keeps what comes back.
inline runtime::Task<void> exchange(Host& host, PeerId peer, std::string protocol, Bytes message, Outcome* out) {
  std::vector<std::string> protocols;
  protocols.push_back(std::move(protocol));
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  if (!opened) {
    out->done.emplace(opened.error());
    co_return;
  }
  Stream stream = std::move(*opened);
  auto writing = stream.write(message);
  auto written = co_await writing;
  if (!written) {
    out->done.emplace(std::move(written));
    co_return;
  }
  stream.close_write();
  auto reading = stream.read_to_end(1 << 30);
  auto answer = co_await reading;
  if (!answer) {
    out->done.emplace(answer.error());
    co_return;
  }
  out->bytes = std::move(*answer);
  out->done.emplace(Result<void>{});
}

inline runtime::Task<void> never_reads(Stream stream, runtime::Runtime& rt) {
  EXPECT_TRUE(stream.alive());
  co_await runtime::sleep_for(rt, std::chrono::hours(1));
}

inline runtime::Task<void> write_forever(Host& host, PeerId peer, std::size_t* written) {
  std::vector<std::string> protocols{"/sink/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  Stream stream = std::move(*opened);
  const Bytes chunk(100'000);
  for (;;) {
    auto writing = stream.write(chunk);
    const auto done = co_await writing;
    if (!done) co_return;
    *written += chunk.size();
  }
}

// Writes down what a host tells.
struct Diary final {
  std::vector<std::string> lines;
  Subscription subscription;

  Diary() = default;
  explicit Diary(Host& host) { listen_to(host); }
  Diary(const Diary&) = delete;
  Diary& operator=(const Diary&) = delete;
  void listen_to(Host& host) {
    subscription =
        host.subscribe([this](const HostEvent& event) { std::visit([this](const auto& kind) { on(kind); }, event); });
  }
  std::size_t count(std::string_view start) const {
    std::size_t n = 0;
    for (const auto& line : lines) n += line.starts_with(start) ? 1 : 0;
    return n;
  }

  void on(const ConnectionOpened& event) {
    lines.push_back("opened " + std::string(to_string(event.connection.direction)));
  }
  void on(const ConnectionClosed& event) { lines.push_back("closed " + event.why.message()); }
  void on(const ConnectionRefused& event) { lines.push_back("refused " + event.why.message()); }
  void on(const PeerConnected&) { lines.push_back("peer connected"); }
  void on(const PeerDisconnected&) { lines.push_back("peer disconnected"); }
  template <class Other>
  void on(const Other&) {}
};

// Asserts that everything that was made has gone.
struct NothingLeft {
  ~NothingLeft() {
    EXPECT_EQ(SocketConnection::live(), 0);
    EXPECT_EQ(live<StreamState>(), 0);
    EXPECT_EQ(live<runtime::detail::Root>(), 0);
  }
};

class HostTest : public ::testing::Test {
 protected:
  std::unique_ptr<Host> make_host(HostConfig config) {
    nodes.push_back(world.add_node());
    auto host = std::make_unique<Host>(nodes.back().runtime(), std::move(config));
    EXPECT_TRUE(host->listen(Multiaddr::from_text("/ip4/" + nodes.back().ip4() + "/tcp/9000").value()));
    EXPECT_TRUE(host->listen(Multiaddr::from_text("/ip6/" + nodes.back().ip6() + "/tcp/9000").value()));
    host->set_stream_handler("/echo/1", echo);
    return host;
  }
  std::unique_ptr<Host> make_host() { return make_host(HostConfig(test_key(nodes.size() + 1))); }

  static Multiaddr address_of(const Host& host, std::size_t index = 0) {
    return host.listen_addresses().at(index).with_peer_id(host.id());
  }
  bool run(Host& host, runtime::Task<void> task, Nanos limit = Seconds(60)) {
    const bool ended = runtime::run_task(world, host.runtime(), std::move(task), limit);
    host.check();
    return ended;
  }
  Result<PeerId> dial(Host& from, const Multiaddr& to) {
    Outcome out;
    Multiaddr address = to;
    if (!run(from, connect(from, std::move(address), &out), std::chrono::minutes(5)))
      return fail(Errc::io, "the dial never ended");
    return *out.peer;
  }
  Outcome ask(Host& from, const Host& to, Bytes message, const std::string& protocol = "/echo/1") {
    Outcome out;
    run(from, exchange(from, to.id(), protocol, std::move(message), &out), std::chrono::minutes(5));
    return out;
  }

  NothingLeft nothing_left;  // first: looks last
  runtime::SimWorld world{11};
  std::vector<runtime::SimNode> nodes;
};

}  // namespace libp2p
