// The whole of one connection between the socket and its streams, as a pure engine: multistream-select, the security
// handshake (Noise XX), the choice of the muxer (early in the handshake, or by multistream-select), Yamux, and
// multistream-select again on every stream. Raw bytes and the time go in; events come out while they are handled, and
// sealed bytes are pulled when the socket can write. Owned by a connection driver, used from that driver's thread only.
//
// Bounds: on the way in at most one negotiation message (1 KiB) of the connection and of each stream that has no
// protocol yet is buffered, and nothing else: a sealed message that is not whole stays with the driver. On the way out
// each stream holds at most yamux::Limits::max_send_queue plus one shared message. At rest the engine owns no buffer.
// Specifications: connections, noise, yamux, multistream-select.
//
// Re-entrancy. Events are delivered synchronously inside on_bytes, on_timeout, poll_transmit and abort, never inside a
// call of the stream functions. Inside an event every stream function may be called (open_stream, send, close_write,
// reset, consume, go_away), on any stream, also on the one that the event is about; on_bytes, on_timeout,
// poll_transmit, abort and the destructor may not. A view that an event carries is valid until the event returns.
//
// Life of a stream. It begins for the user with open_stream's answer (outbound) or on_stream_opened (inbound). It ends
// with exactly one of: on_stream_closed (both sides ended in order), on_stream_reset (the peer, a deadline, a refusal
// or the end of the connection tore it down), or the user's own reset(), after which no event about it comes. An id is
// never used again; a call with a dead id does nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/yamux/frame.hpp"
#include "libp2p/protocols/yamux/limits.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p::multistream {
class Negotiator;
}
namespace libp2p::noise {
class Credentials;
}
namespace libp2p::yamux {
class Session;
}

namespace libp2p {

class SecureChannel;

struct ConnectionLimits {
  Nanos handshake_timeout = Seconds(10);           // from construction to ready; then on_timeout answers timed_out
  Nanos stream_negotiation_timeout = Seconds(10);  // from a stream's opening to its protocol; then it is reset
  std::size_t max_negotiating_inbound = 256;       // inbound streams without a protocol yet; one more is reset
  yamux::Limits muxer = {};
};

struct ConnectionConfig {
  // Our identity; must outlive the engine's handshake.
  const crypto::PrivateKey* identity = nullptr;
  // A Noise static key with its signature, made once and shared by all connections; null: the engine makes its own,
  // which costs one key and one signature a connection. Must outlive the engine's handshake.
  const noise::Credentials* noise_credentials = nullptr;
  // Whom the dialer wants to reach; another key is Errc::mismatch. A listener may leave it empty.
  std::optional<PeerId> expected_peer = std::nullopt;
  // Says whether a protocol may be spoken on an inbound stream. Null refuses every one.
  std::function<bool(std::string_view protocol)> accepts_protocol = nullptr;
  // What `ls` of multistream-select lists on an inbound stream; null answers `na`.
  std::function<std::vector<std::string>()> list_protocols = nullptr;
  // Says whether a stream's window may grow by so many bytes; null: always. It must not enter the engine.
  std::function<bool(std::size_t bytes)> may_grow = nullptr;
  ConnectionLimits limits = {};
};

class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  // The peer is authenticated (remote_peer, remote_key) and streams may be opened. Once.
  virtual void on_ready() = 0;
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

class ConnectionEngine : private LiveCounted<ConnectionEngine> {
 public:
  // The least room that poll_transmit needs, and the most that on_bytes leaves unconsumed.
  static constexpr std::size_t kMinTransmit = 64;
  static constexpr std::size_t kMaxUnconsumed = 2 + 65535 - 1;

  // Fails (failed() is true at once) only for a dialer whose identity is missing or cannot sign.
  ConnectionEngine(Role role, ConnectionConfig config, ConnectionEvents& events, Now now, Rng& rng);
  ~ConnectionEngine();
  ConnectionEngine(const ConnectionEngine&) = delete;
  ConnectionEngine& operator=(const ConnectionEngine&) = delete;

  // Takes bytes from the front of `in`, decrypting them in place, and answers how many it took. The rest (less than one
  // Noise message) must be presented again at the front of the next call, followed by newer bytes; so a driver needs a
  // linear buffer of more than kMaxUnconsumed, moves the rest to its front, and may give the buffer back when nothing
  // is left over. Bytes that were taken have been overwritten. Any split of the input gives the same events. An error
  // ends the connection: every stream has been reset by event; send what poll_transmit still gives (a go-away), then
  // close the socket. Errc::closed means that the peer said good-bye in order.
  Result<std::size_t> on_bytes(MutableBytes in, Now now);

  // To be called when next_deadline has passed. An error means the same as with on_bytes.
  Result<void> on_timeout(Now now);
  std::optional<MonoTime> next_deadline() const;

  // Writes sealed bytes into `out`, as many as there are and fit; out must hold kMinTransmit. 0: nothing to send now.
  // 256 KiB and 64 bytes hold four full Noise messages.
  std::size_t poll_transmit(MutableBytes out, Now now);
  // False means that poll_transmit would answer 0. It turns true through inputs and stream functions, never by itself.
  bool wants_transmit() const;

  bool ready() const { return phase_ == Phase::ready; }
  bool failed() const { return phase_ == Phase::failed; }
  // When the connection last got a step nearer to ready: a phase or a whole message of the handshake, of which there
  // are few.
  MonoTime progress() const { return progress_; }
  // The peer as its key proves it; set before on_ready. Calling them earlier is a programming error (the id is empty).
  const PeerId& remote_peer() const { return remote_peer_; }
  const crypto::PublicKey& remote_key() const { return *remote_key_; }
  // Round trip of the last keep-alive ping.
  std::optional<Nanos> round_trip() const;
  // "/noise" and "/yamux/1.0.0" once settled.
  std::string_view security() const;
  std::string_view muxer() const;

  // ---- streams (before ready: open_stream fails with invalid_argument, the others do nothing) ----

  // Proposes the protocols in order. With a single one the proposal and the first data travel together and send() may
  // follow at once; with several send() takes nothing before on_stream_opened. Errc::exhausted: too many streams are
  // open (Limits::max_outbound_streams); Errc::closed: the connection is going away. Streams beyond the peer's backlog
  // (max_unacknowledged) wait for their turn inside the engine, within their negotiation deadline.
  Result<StreamId> open_stream(std::vector<std::string> protocols, Now now);
  // Copies what fits below the stream's bound and answers how much; less than all of it makes on_stream_writable come.
  std::size_t send(StreamId id, ByteView data);
  // Queues bytes from `offset` on by reference. False, and on_stream_writable to come, when the queue is at its bound.
  bool send(StreamId id, SharedBytes data, std::size_t offset = 0);
  // No more will be sent; the end follows what is queued. What the peer sends is still delivered.
  void close_write(StreamId id);
  // Tears the stream down; queued data is dropped.
  void reset(StreamId id);
  // The user is done with n delivered bytes.
  void consume(StreamId id, std::size_t n);
  std::size_t send_queue_bytes(StreamId id) const;
  std::size_t stream_count() const;

  // Refuses new streams, and says good-bye to the peer after everything that can be sent has been. Then, when
  // wants_transmit() is false, close the socket; the peer does not have to answer. The first reason counts.
  void go_away(CloseCode reason = CloseCode::normal);
  // The socket is gone or will be: every stream is reset by event with `reason`, and nothing happens afterwards.
  void abort(const Error& reason);

 private:
  class MuxerEvents;
  enum class Phase : std::uint8_t { security_choice, security, muxer_choice, ready, failed };
  struct Negotiation {
    std::unique_ptr<multistream::Negotiator> negotiator;  // null: inbound and turned away
    MonoTime deadline;
    bool inbound = false;
    bool may_send = false;            // a single protocol is proposed: data follows it at once
    bool close_when_settled = false;  // close_write() came before the protocol
    std::size_t discarded = 0;        // bytes that came after it was turned away
  };
  using Negotiations = std::map<StreamId, Negotiation>;

  Result<void> start_security();
  Result<std::size_t> take(MutableBytes in);
  Result<std::size_t> take_security_choice(ByteView in);
  Result<std::size_t> take_handshake(ByteView in);
  Result<std::size_t> take_sealed(MutableBytes in);
  Result<void> take_plain(ByteView plain);
  void on_authenticated();
  void start_muxer();
  const Error& stop(Error error);
  std::size_t poll_handshake(MutableBytes out);
  std::size_t poll_plain(MutableBytes out);
  std::size_t seal_messages(MutableBytes out);

  void on_muxer_stream(StreamId id);
  void on_muxer_data(StreamId id, ByteView data);
  void on_muxer_end(StreamId id);
  void on_muxer_reset(StreamId id, const Error& error);
  void on_muxer_closed(StreamId id);
  void on_muxer_writable(StreamId id);
  void negotiate(Negotiations::iterator at, ByteView data);
  void settle(Negotiations::iterator at, ByteView rest);
  void refuse(Negotiations::iterator at, const Error& error);
  void turn_away(Negotiations::iterator at, const Error& error);
  bool forget(StreamId id);

  Role role_;
  Phase phase_ = Phase::security_choice;
  ConnectionConfig config_;
  ConnectionEvents& events_;
  Rng& rng_;
  Now now_;
  MonoTime handshake_deadline_;
  MonoTime progress_;
  Bytes handshake_out_;  // raw bytes of the handshake that wait for the socket; freed when they are sent
  std::size_t handshake_sent_ = 0;
  Bytes plain_out_;  // the negotiation of the muxer, to be sealed before anything of the muxer
  std::unique_ptr<multistream::Negotiator> choice_;  // of the security protocol, then of the muxer; null when settled
  std::unique_ptr<SecureChannel> channel_;
  std::unique_ptr<MuxerEvents> muxer_events_;
  std::unique_ptr<yamux::Session> muxer_;
  std::optional<crypto::PublicKey> remote_key_;
  PeerId remote_peer_;
  std::optional<Error> failure_;
  // Streams whose protocol is not settled yet. Ids grow with time, so the first one has the earliest deadline.
  Negotiations negotiating_;
  std::size_t negotiating_inbound_ = 0;
};

}  // namespace libp2p
