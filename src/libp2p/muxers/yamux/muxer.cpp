#include "libp2p/muxers/yamux/muxer.hpp"

#include <utility>

#include "libp2p/protocols/yamux/session.hpp"

namespace libp2p::yamux {
namespace {

static_assert(kLeastMuxerRoom > kHeaderSize, "one frame with a byte in it fits");

Limits limits_of(const Options& options, const StreamLimits& streams) {
  Limits limits;
  static_cast<Options&>(limits) = options;
  limits.max_receive_memory = streams.max_receive_memory;
  limits.max_inbound_streams = streams.max_inbound_streams;
  limits.max_outbound_streams = streams.max_outbound_streams;
  limits.max_send_queue = streams.max_send_queue;
  limits.send_low_water = streams.send_low_water;
  return limits;
}

class YamuxMuxer final : public Muxer, private SessionEvents {
 public:
  YamuxMuxer(Side side, const Limits& limits, MuxerEvents& events, Now now)
      : events_(events), session_(side, limits, as_session_events(), now) {}

  Result<StreamId> open(Now now) override { return session_.open(now); }
  void acknowledge(StreamId id) override { session_.acknowledge(id); }
  bool has(StreamId id) const override { return session_.has(id); }
  std::size_t stream_count() const override { return session_.stream_count(); }
  std::size_t send(StreamId id, ByteView data) override { return session_.send(id, data); }
  bool send(StreamId id, SharedBytes data, std::size_t offset) override {
    return session_.send(id, std::move(data), offset);
  }
  std::size_t send_queue_bytes(StreamId id) const override { return session_.send_queue_bytes(id); }
  void close_write(StreamId id) override { session_.close_write(id); }
  void stop_reading(StreamId id) override { session_.stop_reading(id); }
  void reset(StreamId id, std::uint64_t code) override { session_.reset(id, code); }
  void consume(StreamId id, std::size_t n) override { session_.consume(id, n); }
  // The numbers are the same: libp2p's codes of connections.
  void go_away(CloseCode code) override { session_.go_away(static_cast<GoAwayCode>(code)); }
  void abort(const Error& reason) override { session_.abort(reason); }
  bool wants_output() const override { return session_.wants_output(); }
  std::optional<Nanos> round_trip() const override { return session_.round_trip(); }
  bool failed() const override { return session_.failed(); }
  void check() const override { session_.check(); }

  Result<void> on_bytes(ByteView in, Now now) override { return session_.on_bytes(in, now); }
  Result<void> on_timeout(Now now) override { return session_.on_timeout(now); }
  std::optional<MonoTime> next_deadline() const override { return session_.next_deadline(); }
  std::size_t poll_output(MutableBytes out, Now now) override { return session_.poll_output(out, now); }

 private:
  SessionEvents& as_session_events() { return *this; }
  void on_inbound_stream(StreamId id) override { events_.on_inbound_stream(id); }
  void on_data(StreamId id, ByteView data) override { events_.on_data(id, data); }
  void on_end(StreamId id) override { events_.on_end(id); }
  void on_reset(StreamId id, const Error& error) override { events_.on_reset(id, error); }
  void on_writable(StreamId id) override { events_.on_writable(id); }
  void on_closed(StreamId id) override { events_.on_closed(id); }
  bool may_grow(std::size_t bytes) override { return events_.may_grow(bytes); }

  MuxerEvents& events_;
  Session session_;
};

}  // namespace

MuxerKind muxer() { return muxer(Options{}); }

MuxerKind muxer(const Options& options) {
  return {kProtocolId,
          [options](Role role, const StreamLimits& streams, MuxerEvents& events, Now now) -> std::unique_ptr<Muxer> {
            const Side side = role == Role::dialer ? Side::client : Side::server;
            return std::make_unique<YamuxMuxer>(side, limits_of(options, streams), events, now);
          }};
}

}  // namespace libp2p::yamux
