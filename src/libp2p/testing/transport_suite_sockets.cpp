// The byte pipes below: only for a transport that gives such; one that makes whole connections itself has none to show.
#include <algorithm>
#include <utility>

#include "libp2p/testing/transport_suite_cases.hpp"

namespace libp2p::transport_cases {
namespace {

// One end of a pipe: writes what it was given as the socket takes it, and keeps what comes.
struct Pipe {
  void begin(std::unique_ptr<runtime::Socket> given) {
    socket = std::move(given);
    read();
  }
  void write(ByteView bytes) {
    append(to_write, bytes);
    push();
  }
  void push() {
    while (socket && !to_write.empty()) {
      const auto n = socket->write(to_write);
      if (!n) {
        if (n.error() == Errc::would_block) return socket->when_writable([this] { push(); });
        error = n.error();
        return;
      }
      written += *n;
      to_write.erase(to_write.begin(), to_write.begin() + static_cast<std::ptrdiff_t>(std::min(*n, to_write.size())));
    }
  }
  void read() {
    Bytes buffer(10'000);
    while (socket && reads && !ended && !error) {
      const auto n = socket->read(buffer);
      if (!n) {
        if (n.error() == Errc::would_block) return socket->when_readable([this] { read(); });
        error = n.error();
        return;
      }
      ended = *n == 0;
      append(got, ByteView(buffer).first(*n));
    }
  }

  std::unique_ptr<runtime::Socket> socket;
  Bytes to_write, got;
  std::size_t written = 0;
  bool reads = true, ended = false;
  std::optional<Error> error;
};

// Two nodes with the transport alone.
struct Pipes {
  explicit Pipes(Case& from) : test(from) {
    for (auto* transport : {&dialing, &listening}) {
      const std::size_t node = test.bed.add_node();
      auto made = test.bed.plan().make(test.bed.runtime(node));
      if (auto* sockets = std::get_if<std::unique_ptr<SocketTransport>>(&made)) *transport = std::move(*sockets);
      if (transport == &listening) ip = test.bed.ip4(node);
    }
  }
  bool whole() const { return dialing && listening; }

  bool listen() {
    auto result = listening->listen(test.bed.plan().any_address(ip), [this](RawEnd end) {
      test.findings.expect(!inside, "no callback inside the call that asked for it");
      far_local = end.local;
      far_remote = end.remote;
      far.begin(std::move(end.socket));
    });
    if (!test.findings.expect(result.has_value(), "to listen", result ? "" : result.error().message())) return false;
    listener = std::move(*result);
    test.findings.expect(dialing->can_dial(listener->address()),
                         "an address that is listened at to be one that can be dialled");
    return true;
  }
  // Nothing: it has not ended.
  std::optional<Result<void>> dial(const Multiaddr& address) {
    outcome.reset();
    inside = true;
    operation = dialing->dial(address, [this](Result<RawEnd> end) {
      test.findings.expect(!inside, "no callback inside the call that asked for it");
      if (!end) {
        outcome.emplace(end.error());
        return;
      }
      outcome.emplace(Result<void>());
      near_local = end->local;
      near_remote = end->remote;
      near.begin(std::move(end->socket));
    });
    inside = false;
    test.bed.run_until([this] { return outcome.has_value(); }, kLimit);
    return outcome;
  }
  bool connect() {
    if (!listen()) return false;
    const auto end = dial(listener->address());
    if (!test.findings.expect(end && *end, "a dial to succeed", end && !*end ? end->error().message() : ""))
      return false;
    return test.wait([this] { return far.socket != nullptr; }, "the listener to have the pipe");
  }

  Case& test;
  std::string ip;
  std::unique_ptr<SocketTransport> dialing, listening;
  std::unique_ptr<Listening> listener;
  Pipe near, far;
  Multiaddr near_local, near_remote, far_local, far_remote;
  std::unique_ptr<runtime::Operation> operation;
  std::optional<Result<void>> outcome;
  bool inside = false;
};

}  // namespace

void sockets_carry_bytes(Case& test) {
  Pipes pipes(test);
  if (!pipes.whole() || !pipes.connect()) return;
  const auto text = [](const Multiaddr& address) { return address.text(); };
  test.findings.expect_equal(text(pipes.listener->address()), text(pipes.near_remote), "the address that was dialled");
  test.findings.expect_equal(text(pipes.near_remote), text(pipes.far_local), "the listener's address at both ends");
  test.findings.expect_equal(text(pipes.near_local), text(pipes.far_remote), "the dialer's address at both ends");
  const Bytes there = suite_pattern(700'000, 1), back = suite_pattern(700'000, 2);
  pipes.near.write(there);
  pipes.far.write(back);
  test.wait([&] { return pipes.near.got.size() >= back.size() && pipes.far.got.size() >= there.size(); },
            "the bytes to come");
  test.findings.expect_bytes(there, pipes.far.got, "what the dialer wrote");
  test.findings.expect_bytes(back, pipes.near.got, "what the listener wrote");
}

void sockets_end_each_way(Case& test) {
  Pipes pipes(test);
  if (!pipes.whole() || !pipes.connect()) return;
  pipes.near.write(as_bytes("last words"));
  pipes.near.socket->shutdown_write();
  test.wait([&] { return pipes.far.ended; }, "the end to be read");
  test.findings.expect_bytes(as_bytes("last words"), pipes.far.got, "what was written before the end");
  pipes.far.write(as_bytes("answer"));
  test.wait([&] { return pipes.near.got.size() >= 6; }, "an answer behind the end of the other way");
  test.findings.expect(!pipes.near.ended && !pipes.near.error, "the other way to be open");
  pipes.far.socket.reset();
  test.wait([&] { return pipes.near.ended || pipes.near.error; }, "the destruction of the far end to be told");
}

void sockets_hold_back(Case& test) {
  Pipes pipes(test);
  if (!pipes.whole() || !pipes.connect()) return;
  pipes.far.reads = false;
  const Bytes chunk = suite_pattern(1 << 20, 3);
  std::size_t given = 0;
  for (int i = 0; i < 64 && pipes.near.to_write.empty(); ++i) {
    pipes.near.write(chunk);
    given += chunk.size();
    test.settle();
  }
  test.findings.expect(!pipes.near.to_write.empty(), "a pipe to take less than 64 MiB that nobody reads");
  pipes.far.reads = true;
  pipes.far.read();
  test.wait([&] { return pipes.far.got.size() >= given; }, "the writer to go on once somebody reads");
  test.findings.expect_equal(given, pipes.far.got.size(), "bytes that came through a full pipe");
  test.findings.expect_bytes(
      ByteView(chunk), ByteView(pipes.far.got).last(std::min(chunk.size(), pipes.far.got.size())), "the last of them");
}

void sockets_of_dials_given_up(Case& test) {
  Pipes pipes(test);
  if (!pipes.whole() || !pipes.listen()) return;
  for (int events = 0; events < 5; ++events) {
    const auto told = std::make_shared<bool>(false);
    auto operation = pipes.dialing->dial(pipes.listener->address(), [told](Result<RawEnd>) { *told = true; });
    int passed = 0;
    test.bed.run_until([&] { return *told || ++passed > events; }, Seconds(1));
    const bool was = *told;
    operation.reset();
    test.settle();
    test.findings.expect(*told == was, "no callback of a dial that was given up");
    // Where the listener got the pipe all the same, it ends.
    if (pipes.far.socket && !was)
      test.findings.expect(pipes.far.ended || pipes.far.error, "the pipe of a dial that was given up to end");
    pipes.far.socket.reset();
    pipes.far.ended = false;
    pipes.far.error.reset();
  }
}

void sockets_nobody_listens(Case& test) {
  Pipes pipes(test);
  if (!pipes.whole() || !pipes.listen()) return;
  const Multiaddr address = pipes.listener->address();
  test.findings.expect_error(Errc::io, pipes.listening->listen(address, [](RawEnd) {}), "listening at a taken address");
  pipes.listener.reset();
  test.settle();
  const auto end = pipes.dial(address);
  if (test.findings.expect(end.has_value(), "a dial to end where nobody listens"))
    test.findings.expect(!*end, "it to fail");
  const auto again = pipes.listening->listen(address, [](RawEnd) {});
  test.findings.expect(again.has_value(), "the address to be free again", again ? "" : again.error().message());
}

}  // namespace libp2p::transport_cases
