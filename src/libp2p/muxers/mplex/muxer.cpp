#include "libp2p/muxers/mplex/muxer.hpp"

#include <utility>

#include "libp2p/protocols/mplex/session.hpp"

namespace libp2p::mplex {
namespace {

class MplexMuxer final : public Muxer, private SessionEvents {
 public:
  MplexMuxer(const Limits& limits, MuxerEvents& events) : events_(events), session_(limits, *this) {}

  Result<void> on_bytes(ByteView in, Now /*now*/) override { return session_.on_bytes(in); }
  Result<void> on_timeout(Now /*now*/) override { return {}; }
  std::optional<MonoTime> next_deadline() const override { return std::nullopt; }
  std::size_t poll_output(MutableBytes out, Now /*now*/) override { return session_.poll_output(out); }

  Result<libp2p::StreamId> open(Now /*now*/) override { return session_.open(); }
  void acknowledge(libp2p::StreamId /*id*/) override {}
  bool has(libp2p::StreamId id) const override { return session_.has(id); }
  std::size_t stream_count() const override { return session_.stream_count(); }
  std::size_t send(libp2p::StreamId id, ByteView data) override { return session_.send(id, data); }
  bool send(libp2p::StreamId id, SharedBytes data, std::size_t offset) override {
    return session_.send(id, std::move(data), offset);
  }
  std::size_t send_queue_bytes(libp2p::StreamId id) const override { return session_.send_queue_bytes(id); }
  void close_write(libp2p::StreamId id) override { session_.close_write(id); }
  void stop_reading(libp2p::StreamId id) override { session_.stop_reading(id); }
  void reset(libp2p::StreamId id, std::uint64_t /*code*/) override { session_.reset(id); }
  void consume(libp2p::StreamId id, std::size_t n) override { session_.consume(id, n); }
  void go_away(CloseCode /*code*/) override { session_.go_away(); }
  void abort(const Error& reason) override { session_.abort(reason); }
  bool wants_output() const override { return session_.wants_output(); }
  std::optional<Nanos> round_trip() const override { return std::nullopt; }
  bool failed() const override { return session_.failed(); }
  void check() const override { session_.check(); }

 private:
  void on_inbound_stream(StreamId id) override { events_.on_inbound_stream(id); }
  void on_data(StreamId id, ByteView data) override { events_.on_data(id, data); }
  void on_end(StreamId id) override { events_.on_end(id); }
  void on_reset(StreamId id, const Error& error) override { events_.on_reset(id, error); }
  void on_writable(StreamId id) override { events_.on_writable(id); }
  void on_closed(StreamId id) override { events_.on_closed(id); }

  MuxerEvents& events_;
  Session session_;
};

}  // namespace

MuxerKind muxer(const Limits& limits) {
  return {kProtocolId, [limits](Role /*role*/, const StreamLimits& streams, MuxerEvents& events, Now /*now*/) {
            Limits own = limits;
            own.max_inbound_streams = streams.max_inbound_streams;
            own.max_outbound_streams = streams.max_outbound_streams;
            own.max_send_queue = streams.max_send_queue;
            own.send_low_water = streams.send_low_water;
            own.max_receive_memory = streams.max_receive_memory;
            return std::make_unique<MplexMuxer>(own, events);
          }};
}

MuxerKind muxer() { return muxer(Limits{}); }

}  // namespace libp2p::mplex
