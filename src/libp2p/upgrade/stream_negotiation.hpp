// The streams of one connection between a StreamMux and their user: multistream-select on each of them, whatever
// carries them (Yamux or Mplex over a secured socket, QUIC's own streams). A pure engine, owned by the connection
// beside its mux, used from its thread only. The mux has this as its MuxerEvents; whoever owns both calls attach()
// once, and set_now() before each call into the mux that may bring events.
//
// Bounds: a negotiation buffers one message of multistream-select (1 KiB); at most Config::max_inbound inbound streams
// negotiate at a time; each negotiation ends within Config::timeout; what comes on a stream that was turned away is
// thrown away, 256 KiB at most. A stream whose protocol is settled costs nothing here. Specification: connections,
// section "multistream-select".
//
// Re-entrancy: the events of the mux are passed on inside of them; there every function here may be called, on any
// stream, but on_timeout and the destructor. on_timeout gives events too.
//
// Life of a stream. It begins for the user with open's answer (outbound) or on_stream_opened (inbound). It ends with
// exactly one of: on_stream_closed (both sides ended in order), on_stream_reset (the peer, a deadline, a refusal or the
// end of the connection tore it down), or the user's own reset(), after which no event about it comes. An id is never
// used again; a call with a dead id does nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/entry_mark.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p::multistream {
class Negotiator;
}

namespace libp2p {

class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  // A protocol is agreed. For an outbound stream that was opened with a single protocol data may be sent before this.
  virtual void on_stream_opened(StreamId id, const std::string& protocol, bool inbound) = 0;
  // Never empty. The peer gets its credit back through consume(), so a slow reader holds it back.
  virtual void on_stream_data(StreamId id, ByteView data) = 0;
  // The peer will send no more; what it had sent has all been delivered.
  virtual void on_stream_end(StreamId id) = 0;
  // Errc::reset by the peer, timed_out, unsupported (no protocol agreed), exhausted (a bound), or the connection's own
  // error.
  virtual void on_stream_reset(StreamId id, const Error& error) = 0;
  // A send() had been cut short or refused, and the queue has since fallen to its low water.
  virtual void on_stream_writable(StreamId id) = 0;
  virtual void on_stream_closed(StreamId id) = 0;
};

class StreamNegotiation final : public MuxerEvents {
 public:
  struct Config {
    // Says whether a protocol may be spoken on an inbound stream. Null refuses every one.
    std::function<bool(std::string_view protocol)> accepts_protocol = nullptr;
    // What `ls` of multistream-select lists on an inbound stream; null answers `na`.
    std::function<std::vector<std::string>()> list_protocols = nullptr;
    // Says whether a stream's window may grow by so many bytes; null: always. It must not enter the connection.
    std::function<bool(std::size_t bytes)> may_grow = nullptr;
    Nanos timeout = Seconds(10);    // from a stream's opening to its protocol; then it is reset
    std::size_t max_inbound = 256;  // inbound streams without a protocol yet; one more is reset
  };

  StreamNegotiation(Config config, StreamEvents& events);
  ~StreamNegotiation() override;
  StreamNegotiation(const StreamNegotiation&) = delete;
  StreamNegotiation& operator=(const StreamNegotiation&) = delete;

  // The mux must outlive this, or be taken away with null before it goes. Without one, open() fails and the others do
  // nothing.
  void attach(StreamMux* mux) {
    OPP2P_ASSERT(mux_ == nullptr || mux == nullptr, "a connection has one mux");
    mux_ = mux;
  }
  void set_now(Now now) {
    OPP2P_ASSERT(now.mono >= now_.mono, "the time of timers never goes back", now.mono, now_.mono);
    now_ = now;
  }

  // Resets the streams whose protocol is not agreed in time.
  void on_timeout(Now now);
  std::optional<MonoTime> next_deadline() const;

  // Proposes the protocols in order. With a single one the proposal and the first data travel together and send() may
  // follow at once; with several send() takes nothing before on_stream_opened. Errc::invalid_argument for protocols
  // that cannot be proposed; otherwise the mux's error.
  Result<StreamId> open(std::vector<std::string> protocols, Now now);
  std::size_t send(StreamId id, ByteView data);
  bool send(StreamId id, SharedBytes data, std::size_t offset = 0);
  // Before the protocol is agreed the end waits for that.
  void close_write(StreamId id);
  void reset(StreamId id, std::uint64_t code = 0);
  void consume(StreamId id, std::size_t n) {
    if (mux_ != nullptr) mux_->consume(id, n);
  }
  std::size_t send_queue_bytes(StreamId id) const { return mux_ == nullptr ? 0 : mux_->send_queue_bytes(id); }
  std::size_t stream_count() const { return mux_ == nullptr ? 0 : mux_->stream_count(); }
  std::size_t negotiating() const { return negotiating_.size(); }
  void check() const;  // outside of an event

  // --- MuxerEvents ---
  void on_inbound_stream(StreamId id) override;
  void on_data(StreamId id, ByteView data) override;
  void on_end(StreamId id) override;
  void on_reset(StreamId id, const Error& error) override;
  void on_writable(StreamId id) override;
  void on_closed(StreamId id) override;
  bool may_grow(std::size_t bytes) override { return !config_.may_grow || config_.may_grow(bytes); }

 private:
  struct Negotiation {
    std::unique_ptr<multistream::Negotiator> negotiator;  // null: inbound and turned away
    MonoTime deadline;
    bool inbound = false;
    bool may_send = false;            // a single protocol is proposed: data follows it at once
    bool close_when_settled = false;  // close_write() came before the protocol
    std::size_t discarded = 0;        // bytes that came after it was turned away
  };
  using Negotiations = std::map<StreamId, Negotiation>;
  // What a dialer may have sent before it could know that its proposal is refused: the first window of Yamux.
  static constexpr std::size_t kMostDiscarded = 256 * 1024;

  bool may_send(StreamId id) const;
  void negotiate(Negotiations::iterator at, ByteView data);
  void settle(Negotiations::iterator at, ByteView rest);
  void refuse(Negotiations::iterator at, const Error& error);
  void turn_away(Negotiations::iterator at, const Error& error);
  bool forget(StreamId id);

  const Config config_;
  StreamEvents& events_;
  StreamMux* mux_ = nullptr;
  EntryMark in_timeout_;
  Now now_;
  // Streams whose protocol is not settled yet. Ids grow with time, so the first one has the earliest deadline.
  Negotiations negotiating_;
  std::size_t negotiating_inbound_ = 0;
};

}  // namespace libp2p
