// The multiplexer of one connection, as the connection and the negotiation of streams see it. A Muxer (Yamux, Mplex)
// carries streams over the bytes of a secured connection. QUIC's streams implement StreamMux alone. Owner: the
// connection. Thread: that of the connection. No IO: bytes and a time go in, events come out during the call, and
// output is pulled when the socket can write.
//
// The muxer assigns stream ids. Ids increase and are never reused; a muxer with other ids on its wire maps them. A call
// with the id of an ended stream does nothing. A stream begins with the result of open() or with on_inbound_stream. It
// ends with exactly one of on_closed (both sides ended it), on_reset (by the peer, a bound or the end of the
// connection), or the user's own reset(). After that no event about it follows.
//
// Re-entrancy: events come only inside on_bytes, on_timeout, poll_output and abort. Inside an event every function of
// StreamMux except abort may be called, on any stream. Those four functions and the destructor may not. A view in an
// event is valid until the event's function returns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"

namespace libp2p {

using StreamId = std::uint64_t;
enum class Role : std::uint8_t { dialer, listener };

// What the peer is told when a connection ends: libp2p's codes of connections ("error-codes" of its specification). A
// muxer without room for a code says less.
enum class CloseCode : std::uint32_t {
  normal = 0,
  protocol_error = 1,
  internal_error = 2,
  resource_limit = 0x1001,
  rate_limited = 0x1002,
  supplanted = 0x1004,
  garbage_collected = 0x1005,  // the connection manager trims
  shutdown = 0x1006,
  gated = 0x1007,
};

// The bounds of the streams of one connection, whatever carries them. A muxer's own bounds are in its folder.
struct StreamLimits {
  std::size_t max_inbound_streams = 1000;   // of the peer, alive at the same time; one more is reset
  std::size_t max_outbound_streams = 4096;  // of ours; open() refuses one more
  // Bytes queued for sending on one stream: a copy takes what fits, a shared message is taken while the queue is below
  // it.
  std::size_t max_send_queue = 256 * 1024;
  std::size_t send_low_water = 64 * 1024;  // a queue that was full asks for more when it falls to this
  // Bytes delivered and not yet consumed, over all streams of the connection. A stream whose data would exceed it is
  // reset.
  std::size_t max_receive_memory = 64 * 1024 * 1024;
};

class MuxerEvents {
 public:
  virtual ~MuxerEvents() = default;
  virtual void on_inbound_stream(StreamId id) = 0;
  // Never empty. The peer gets its credit back through consume(), so a slow reader holds it back.
  virtual void on_data(StreamId id, ByteView data) = 0;
  // The peer will send no more; what it had sent has all been delivered.
  virtual void on_end(StreamId id) = 0;
  virtual void on_reset(StreamId id, const Error& error) = 0;
  // A send() had been cut short or refused, and the queue has since fallen to its low water.
  virtual void on_writable(StreamId id) = 0;
  virtual void on_closed(StreamId id) = 0;
  // Whether there is memory for `bytes` more of window. A question and no event: asked inside consume() too, and the
  // answer must not enter the muxer.
  virtual bool may_grow(std::size_t /*bytes*/) { return true; }
};

class StreamMux {
 public:
  virtual ~StreamMux() = default;
  // Errc::exhausted above max_outbound_streams; Errc::closed when the connection ends.
  virtual Result<StreamId> open(Now now) = 0;
  // Tells the peer that an inbound stream is taken, where the muxer has a way to; until then it counts into the peer's
  // backlog. Once.
  virtual void acknowledge(StreamId id) = 0;
  virtual bool has(StreamId id) const = 0;
  virtual std::size_t stream_count() const = 0;
  // Copies what fits below the stream's bound and answers how much; less than all of it makes on_writable come.
  virtual std::size_t send(StreamId id, ByteView data) = 0;
  // Queues bytes from `offset` on by reference. False, and on_writable to come, when the queue is at its bound.
  virtual bool send(StreamId id, SharedBytes data, std::size_t offset) = 0;
  virtual std::size_t send_queue_bytes(StreamId id) const = 0;
  // No more will be sent; the end follows what is queued. What the peer sends is still delivered.
  virtual void close_write(StreamId id) = 0;
  // What still arrives is thrown away and the peer may be told so; the stream ends when our side does.
  virtual void stop_reading(StreamId id) = 0;
  // Tears the stream down; queued data is dropped. `code` goes to the peer where the muxer has room for one.
  virtual void reset(StreamId id, std::uint64_t code = 0) = 0;
  // The user is done with n delivered bytes.
  virtual void consume(StreamId id, std::size_t n) = 0;
  // No new streams; a good-bye with the first code that was given follows once everything that can be sent has been.
  virtual void go_away(CloseCode code) = 0;
  // Ends everything: each stream is reset by event with `reason`, and nothing is sent any more.
  virtual void abort(const Error& reason) = 0;
  // False means that there is nothing to send now. It turns true through inputs and calls, never by itself.
  virtual bool wants_output() const = 0;
  virtual std::optional<Nanos> round_trip() const = 0;  // of the last keep-alive, where there is one
  virtual bool failed() const = 0;
  // Ends the process when an invariant is violated (libp2p/base/assert.hpp). For simulations, fuzzers and tests.
  virtual void check() const {}
};

class Muxer : public StreamMux {
 public:
  // Takes all of `in`, which may be split anywhere. An error ends the connection: all streams have been reset by event,
  // and poll_output gives the good-bye, if one is due. Errc::closed: the peer has gone away in order.
  virtual Result<void> on_bytes(ByteView in, Now now) = 0;
  virtual Result<void> on_timeout(Now now) = 0;
  virtual std::optional<MonoTime> next_deadline() const = 0;
  // Writes whole frames into `out`; 0 when there are none or none fits (kLeastMuxerRoom always suffices for one).
  virtual std::size_t poll_output(MutableBytes out, Now now) = 0;
};
inline constexpr std::size_t kLeastMuxerRoom = 16;

// A muxer that a host may speak: its protocol id, and how one is made for a connection.
struct MuxerKind {
  std::string_view id;  // "/yamux/1.0.0"
  std::function<std::unique_ptr<Muxer>(Role role, const StreamLimits& limits, MuxerEvents& events, Now now)> make;
};

}  // namespace libp2p
