// Streams and connections: echo, dials, idle, and the server of all three.
#include <unistd.h>

#include <cstdio>

#include "load.hpp"

namespace bench {

using libp2p::ByteView;
using libp2p::Host;
using libp2p::MutableBytes;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::Stream;
using libp2p::runtime::AsioRuntime;
using libp2p::runtime::Task;

namespace {

constexpr std::string_view kEcho = "/echo/1.0.0";
constexpr std::size_t kEchoSize = 32;
constexpr auto kStreamsLimit = libp2p::Seconds(120);

libp2p::crypto::KeyType key_type(const Arguments& arguments) {
  return arguments.text("key", "ed25519") == "secp256k1" ? libp2p::crypto::KeyType::secp256k1
                                                         : libp2p::crypto::KeyType::ed25519;
}

Task<void> echo_back(Stream stream) {
  std::uint8_t buffer[4096];
  for (;;) {
    const MutableBytes into(buffer);
    const auto n = co_await stream.read_some(into);
    if (!n) co_return;
    if (*n == 0) break;
    const ByteView back(buffer, *n);
    const auto sent = co_await stream.write(back);
    if (!sent) co_return;
  }
  stream.close_write();
}

Task<Result<void>> echo_once(Host& host, PeerId peer) {
  std::vector<std::string> protocols;
  protocols.emplace_back(kEcho);
  auto opened = co_await host.open_stream(std::move(peer), std::move(protocols));
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  std::uint8_t buffer[kEchoSize] = {1, 2, 3};
  const ByteView out(buffer);
  const auto sent = co_await stream.write(out);
  if (!sent) co_return sent.error();
  stream.close_write();
  const MutableBytes in(buffer);
  co_return co_await stream.read_exactly(in);
}

struct StreamTally {
  std::uint64_t left = 0;
  std::size_t running = 0;
  std::vector<double> times;
};

Task<void> echo_many(AsioRuntime& runtime, Host& host, PeerId peer, StreamTally& tally) {
  while (tally.left > 0) {
    --tally.left;
    const auto start = runtime.now().mono;
    const auto done = co_await echo_once(host, peer);
    if (!done) give_up("an echo failed: " + done.error().message());
    tally.times.push_back(seconds(runtime.now().mono - start));
  }
  --tally.running;
}

Task<void> dial_many(AsioRuntime& runtime, libp2p::Multiaddr address, libp2p::crypto::KeyType type,
                     StreamTally& tally) {
  while (tally.left > 0) {
    --tally.left;
    const Peer self(runtime, type);
    const auto start = runtime.now().mono;
    auto peer = co_await self.host->connect(address);
    if (!peer) give_up("a dial failed: " + peer.error().message());
    const auto done = co_await echo_once(*self.host, *peer);
    if (!done) give_up("an echo failed: " + done.error().message());
    tally.times.push_back(seconds(runtime.now().mono - start));
    // From the queue, because a host must not go inside a call of its own.
    const auto yielded = co_await libp2p::runtime::yield_now(runtime);
    if (!yielded) co_return;
  }
  --tally.running;
}

// Runs `in_flight` of `worker` until all have ended, and prints the times.
int run_all(AsioRuntime& runtime, const Arguments& arguments, StreamTally& tally,
            const std::function<Task<void>()>& worker, std::uint64_t in_flight) {
  tally.left = arguments.number("count", 2000);
  tally.running = in_flight;
  libp2p::runtime::TaskScope scope(runtime);
  const auto start = runtime.now().mono;
  for (std::uint64_t i = 0; i < in_flight; ++i) scope.spawn(worker());
  if (!runtime.run_until([&tally] { return tally.running == 0; }, kStreamsLimit))
    give_up("not finished in two minutes");
  const double took = seconds(runtime.now().mono - start);
  print({{"count", tally.times.size()},
         {"per_second", static_cast<double>(tally.times.size()) / took},
         {"p50_us", quantile(tally.times, 0.5) * 1e6},
         {"p99_us", quantile(tally.times, 0.99) * 1e6}});
  return 0;
}

// Returns when nobody holds the other end of the input any more.
void run_until_input_ends(AsioRuntime& runtime) {
  runtime.run_on_worker(
      [] {
        char byte = 0;
        while (::read(STDIN_FILENO, &byte, 1) > 0) {
        }
      },
      [&runtime] { runtime.stop(); });
  runtime.run();
}

}  // namespace

int serve(const Arguments& arguments) {
  AsioRuntime runtime(1);
  const Peer self(runtime, key_type(arguments));
  self.host->set_stream_handler(std::string(kEcho), [](Stream stream) { return echo_back(std::move(stream)); });
  if (const auto listening = self.host->listen(address_of("/ip4/127.0.0.1/tcp/0")); !listening)
    give_up(listening.error().message());
  print({{"addr", self.host->listen_addresses().front().with_peer_id(self.host->id()).text()}});
  run_until_input_ends(runtime);
  return 0;
}

int echo(const Arguments& arguments) {
  AsioRuntime runtime(1);
  const Peer self(runtime, key_type(arguments));
  const PeerId peer = connect(runtime, *self.host, address_of(arguments.at(0)));
  StreamTally tally;
  return run_all(
      runtime, arguments, tally, [&] { return echo_many(runtime, *self.host, peer, tally); },
      arguments.number("in-flight", 1));
}

int dials(const Arguments& arguments) {
  AsioRuntime runtime(1);
  const auto address = address_of(arguments.at(0));
  StreamTally tally;
  return run_all(
      runtime, arguments, tally, [&] { return dial_many(runtime, address, key_type(arguments), tally); },
      arguments.number("in-flight", 4));
}

int idle(const Arguments& arguments) {
  AsioRuntime runtime(1);
  const auto address = address_of(arguments.at(0));
  std::vector<Peer> peers;
  for (auto left = arguments.number("count", 1000); left > 0; --left) {
    peers.emplace_back(runtime, key_type(arguments));
    connect(runtime, *peers.back().host, address);
  }
  print({{"connected", peers.size()}});
  run_until_input_ends(runtime);
  return 0;
}

}  // namespace bench
