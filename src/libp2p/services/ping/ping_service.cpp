#include "libp2p/services/ping/ping_service.hpp"

#include <string>
#include <utility>
#include <vector>

#include "libp2p/base/token_bucket.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/services/stream_tools.hpp"

namespace libp2p {

using libp2p::Stream;
using runtime::Task;

namespace {

constexpr std::size_t kPingSize = 32;

}  // namespace

// The place of one outbound stream in `outbound_`.
class PingService::Busy {
 public:
  Busy(std::set<PeerId>& peers, PeerId peer) : peers_(peers), peer_(std::move(peer)) {
    granted_ = peers_.insert(peer_).second;
  }
  ~Busy() {
    if (granted_) peers_.erase(peer_);
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  bool granted() const { return granted_; }

 private:
  std::set<PeerId>& peers_;
  PeerId peer_;
  bool granted_ = false;
};

PingService::PingService(libp2p::Host& host, PingConfig config)
    : host_(host), config_(config), serving_(config.inbound_per_peer), scope_(host.runtime()) {
  serve_in_scope(host_, scope_, kPingProtocol, [this](Stream stream) { return serve(std::move(stream)); });
  if (config_.background) scope_.spawn(rounds());
}

PingService::~PingService() { host_.remove_stream_handler(kPingProtocol); }

Task<void> PingService::serve(Stream stream) {
  const ServingCount::Place place(serving_, stream.peer());
  if (!place.granted()) {
    stream.reset();
    co_return;
  }
  ByteArray<kPingSize> buffer{};
  while (true) {
    const MonoTime deadline = host_.runtime().now().mono + config_.idle_timeout;
    stream.set_read_deadline(deadline);
    stream.set_write_deadline(deadline);
    const Result<void> got = co_await stream.read_exactly(buffer);
    if (!got && got.error() == Errc::truncated) {
      // How a peer says that it is done; what there is of a broken ping is not answered.
      stream.close_write();
      co_return;
    }
    if (!got) break;
    const Result<void> sent = co_await stream.write(buffer);
    if (!sent) break;
  }
  stream.reset();
}

Task<Result<Nanos>> PingService::round_trip(Stream& stream) {
  runtime::Runtime& runtime = host_.runtime();
  const auto sent = runtime.rng().array<kPingSize>();
  ByteArray<kPingSize> echoed{};
  const MonoTime start = runtime.now().mono;
  stream.set_read_deadline(start + config_.timeout);
  stream.set_write_deadline(start + config_.timeout);
  const Result<void> wrote = co_await stream.write(sent);
  if (!wrote) co_return wrote.error().within("while sending a ping");
  const Result<void> got = co_await stream.read_exactly(echoed);
  if (!got) co_return got.error().within("while waiting for the answer to a ping");
  if (!equal(sent, echoed)) co_return fail(Errc::mismatch, "the answer to a ping is not what was sent");
  co_return runtime.now().mono - start;
}

Task<Result<void>> PingService::run(PeerId peer, std::size_t count, Nanos interval, std::unique_ptr<HeardOne> each) {
  const Busy place(outbound_, peer);
  if (!place.granted()) co_return fail(Errc::exhausted, "a ping to " + peer.to_base58() + " is already under way");
  Result<Stream> opened = co_await host_.open_stream(peer, kPingProtocol);
  if (!opened) co_return opened.error().within("while opening a ping stream to " + peer.to_base58());
  Stream stream = std::move(*opened);
  for (std::size_t i = 0; i < count; ++i) {
    const MonoTime start = host_.runtime().now().mono;
    const Result<Nanos> rtt = co_await round_trip(stream);
    if (!rtt) {
      stream.reset();
      co_return rtt.error();
    }
    host_.peerstore().record_latency(peer, *rtt);
    if (*each) (*each)(i, *rtt);
    if (i + 1 == count) break;
    const Result<void> slept = co_await runtime::sleep_until(host_.runtime(), start + interval);
    if (!slept) co_return slept.error();
  }
  stream.close_write();
  co_return Result<void>();
}

Task<Result<void>> PingService::ping_many(PeerId peer, std::size_t count, Nanos interval, HeardOne each) {
  return run(std::move(peer), count, interval, std::make_unique<HeardOne>(std::move(each)));
}

Task<Result<Nanos>> PingService::ping(PeerId peer) {
  Nanos measured(0);
  auto each = std::make_unique<HeardOne>([&measured](std::size_t, Nanos rtt) { measured = rtt; });
  const Result<void> done = co_await run(std::move(peer), 1, Nanos(0), std::move(each));
  if (!done) co_return done.error();
  co_return measured;
}

Task<void> PingService::ping_and_report(PeerId peer) {
  const Result<Nanos> rtt = co_await ping(peer);
  if (heard_) heard_(peer, rtt);
}

Task<void> PingService::rounds() {
  runtime::Runtime& runtime = host_.runtime();
  while (true) {
    const Result<void> waited = co_await runtime::sleep_for(runtime, config_.round_interval);
    if (!waited) co_return;
    const MonoTime round_end = runtime.now().mono + config_.round_interval;
    TokenBucket bucket(config_.round_rate, config_.round_burst, runtime.now().mono);
    const std::vector<PeerId> peers = host_.connected_peers();
    for (const PeerId& peer : peers) {
      const Nanos wait = bucket.reserve(1, runtime.now().mono);
      if (runtime.now().mono + wait >= round_end) break;
      if (wait > Nanos(0)) {
        const Result<void> slept = co_await runtime::sleep_for(runtime, wait);
        if (!slept) co_return;
      }
      if (host_.connected(peer)) scope_.spawn(ping_and_report(peer));
    }
  }
}

Task<void> PingService::close() {
  host_.remove_stream_handler(kPingProtocol);
  return scope_.close();
}

}  // namespace libp2p
