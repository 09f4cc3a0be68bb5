// Yamux: bytes of one stream through two sessions.
#include <benchmark/benchmark.h>

#include "libp2p/protocols/yamux/session.hpp"

namespace {

using namespace libp2p;
using yamux::StreamId;

class Sink final : public yamux::SessionEvents {
 public:
  void on_inbound_stream(StreamId id) override { inbound = id; }
  void on_data(StreamId id, ByteView data) override {
    bytes += data.size();
    session->consume(id, data.size());
  }
  void on_end(StreamId) override {}
  void on_reset(StreamId, const Error&) override {}
  void on_writable(StreamId) override {}
  void on_closed(StreamId) override {}
  yamux::Session* session = nullptr;
  StreamId inbound = 0;
  std::size_t bytes = 0;
};

// Two sessions and what goes between them.
struct Pair {
  Pair() { near_events.session = &near, far_events.session = &far; }
  void move(yamux::Session& from, yamux::Session& to) {
    while (const std::size_t n = from.poll_output(wire, now)) (void)to.on_bytes(ByteView(wire).first(n), now);
  }

  const Now now{};
  Sink near_events;
  Sink far_events;
  yamux::Session near{yamux::Side::client, {}, near_events, now};
  yamux::Session far{yamux::Side::server, {}, far_events, now};
  Bytes wire = Bytes(64 << 10);
};

void yamux_one_stream(benchmark::State& state) {
  Pair pair;
  const auto id = pair.near.open(pair.now).value();
  const Bytes chunk(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (std::size_t sent = 0; sent < chunk.size();) {
      sent += pair.near.send(id, ByteView(chunk).subspan(sent));
      pair.move(pair.near, pair.far);
      pair.move(pair.far, pair.near);
    }
  }
  if (pair.far_events.bytes < chunk.size()) state.SkipWithError("nothing arrived");
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(yamux_one_stream)->Arg(1 << 10)->Arg(256 << 10);

void yamux_open_and_close(benchmark::State& state) {
  Pair pair;
  for (auto _ : state) {
    const auto id = pair.near.open(pair.now).value();
    pair.near.close_write(id);
    pair.move(pair.near, pair.far);
    pair.far.acknowledge(pair.far_events.inbound);
    pair.far.close_write(pair.far_events.inbound);
    pair.move(pair.far, pair.near);
  }
  if (pair.near.stream_count() != 0) state.SkipWithError("streams are left");
}
BENCHMARK(yamux_open_and_close);

}  // namespace
