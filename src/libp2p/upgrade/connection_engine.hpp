// The whole of one connection between the socket and its streams, as a pure engine: multistream-select for the security
// protocol, its handshake, the choice of the muxer (early in the handshake, or by multistream-select), and the muxer
// with the negotiation of its streams (stream_negotiation.hpp). It names no security and no muxer: ConnectionKinds has
// those that it may speak. Raw bytes and the time go in; events come out while they are handled, and sealed bytes are
// pulled when the socket can write. Owned by a connection driver, used from that driver's thread only.
//
// Bounds: on the way in at most one negotiation message (1 KiB) of the connection and of each stream that has no
// protocol yet is buffered, and nothing else: a sealed message that is not whole stays with the driver. On the way out
// each stream holds at most StreamLimits::max_send_queue plus one shared message. At rest the engine owns no buffer.
// Specifications: connections, multistream-select, and those of the kinds.
//
// Re-entrancy. Events are delivered synchronously inside on_bytes, on_timeout, poll_transmit and abort, never inside a
// call of the stream functions. Inside an event every stream function may be called (open_stream, send, close_write,
// reset, consume, go_away), on any stream, also on the one that the event is about; on_bytes, on_timeout,
// poll_transmit, abort and the destructor may not. A view that an event carries is valid until the event returns.
//
// Life of a stream: as stream_negotiation.hpp says.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/entry_mark.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/seams/stream_mux.hpp"
#include "libp2p/upgrade/connection_kinds.hpp"
#include "libp2p/upgrade/stream_negotiation.hpp"

namespace libp2p::multistream {
class Negotiator;
}

namespace libp2p {

struct ConnectionLimits {
  Nanos handshake_timeout = Seconds(10);           // from construction to ready; then on_timeout answers timed_out
  Nanos stream_negotiation_timeout = Seconds(10);  // from a stream's opening to its protocol; then it is reset
  std::size_t max_negotiating_inbound = 256;       // inbound streams without a protocol yet; one more is reset
  StreamLimits streams = {};
};

struct ConnectionConfig {
  // What may be spoken. Never null, and not empty.
  std::shared_ptr<const ConnectionKinds> kinds = nullptr;
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

class ConnectionEvents : public StreamEvents {
 public:
  // The peer is authenticated (remote_peer, remote_key) and streams may be opened. Once.
  virtual void on_ready() = 0;
};

class ConnectionEngine : private LiveCounted<ConnectionEngine> {
 public:
  // The least room that poll_transmit needs.
  static constexpr std::size_t kMinTransmit = 64;
  // How many bytes on_bytes has to be presented at once, if they are there: a security whose messages need more is
  // refused.
  static constexpr std::size_t kInput = 256 * 1024;

  // Fails (failed() is true at once) without kinds, or when the security that a dialer begins with cannot begin.
  ConnectionEngine(Role role, ConnectionConfig config, ConnectionEvents& events, Now now, Rng& rng);
  ~ConnectionEngine();
  ConnectionEngine(const ConnectionEngine&) = delete;
  ConnectionEngine& operator=(const ConnectionEngine&) = delete;

  // Takes bytes from the front of `in`, decrypting them in place, and answers how many it took. The rest (less than one
  // message of the security, at most max_unconsumed()) must be presented again at the front of the next call, followed
  // by newer bytes; so a driver needs a linear buffer of kInput, moves the rest to its front, and may give the buffer
  // back when nothing is left over. Bytes that were taken have been overwritten. Any split of the input gives the same
  // events. An error ends the connection: every stream has been reset by event; send what poll_transmit still gives (a
  // go-away), then close the socket. Errc::closed means that the peer said good-bye in order.
  Result<std::size_t> on_bytes(MutableBytes in, Now now);
  // 0 while the security protocol is being chosen; less than kInput afterwards.
  std::size_t max_unconsumed() const { return channel_ ? channel_->max_unread() : 0; }

  // To be called when next_deadline has passed. An error means the same as with on_bytes.
  Result<void> on_timeout(Now now);
  std::optional<MonoTime> next_deadline() const;

  // Writes sealed bytes into `out`, as many as there are and fit; out must hold kMinTransmit. 0: nothing to send now.
  // 256 KiB and 64 bytes hold four full messages of Noise.
  std::size_t poll_transmit(MutableBytes out, Now now);
  // False means that poll_transmit would answer 0. It turns true through inputs and stream functions, never by itself.
  bool wants_transmit() const;

  bool ready() const { return phase_ == Phase::ready; }
  bool failed() const { return phase_ == Phase::failed; }
  // Why it has failed. Calling it before that is a programming error.
  const Error& failure() const {
    OPP2P_ASSERT(failed(), "only a connection that has failed says why");
    return *failure_;
  }
  // When the connection last got a step nearer to ready: a phase or a whole message of the handshake, of which there
  // are few.
  MonoTime progress() const { return progress_; }
  // The peer as its key proves it; set before on_ready. Calling them earlier is a programming error (the id is empty).
  const PeerId& remote_peer() const { return remote_peer_; }
  const crypto::PublicKey& remote_key() const {
    OPP2P_ASSERT(remote_key_.has_value(), "the peer's key is known once it has proved it");
    return *remote_key_;
  }
  // Round trip of the last keep-alive ping.
  std::optional<Nanos> round_trip() const;
  // "/noise" and "/yamux/1.0.0" once settled.
  std::string_view security() const { return remote_key_ ? security_id_ : std::string_view(); }
  std::string_view muxer() const { return muxer_id_; }

  // ---- streams, as stream_negotiation.hpp says (before ready: open_stream fails with invalid_argument, the others do
  // nothing) ----

  // Errc::exhausted: too many streams are open (StreamLimits::max_outbound_streams); Errc::closed: the connection is
  // going away. Streams beyond the peer's backlog wait for their turn inside the muxer, within their negotiation
  // deadline.
  Result<StreamId> open_stream(std::vector<std::string> protocols, Now now);
  std::size_t send(StreamId id, ByteView data) { return streams_.send(id, data); }
  bool send(StreamId id, SharedBytes data, std::size_t offset = 0) {
    return streams_.send(id, std::move(data), offset);
  }
  void close_write(StreamId id) { streams_.close_write(id); }
  void reset(StreamId id, std::uint64_t code = 0) { streams_.reset(id, code); }
  void consume(StreamId id, std::size_t n) { streams_.consume(id, n); }
  std::size_t send_queue_bytes(StreamId id) const { return streams_.send_queue_bytes(id); }
  std::size_t stream_count() const { return streams_.stream_count(); }

  // Refuses new streams, and says good-bye to the peer after everything that can be sent has been. Then, when
  // wants_transmit() is false, close the socket; the peer does not have to answer. The first reason counts.
  void go_away(CloseCode reason = CloseCode::normal);
  // The socket is gone or will be: every stream is reset by event with `reason`, and nothing happens afterwards.
  void abort(const Error& reason);

  // Every invariant of the engine and of what it owns, outside of an event (connection_engine_check.cpp).
  void check() const;

 private:
  enum class Phase : std::uint8_t { security_choice, security, muxer_choice, ready, failed };

  static StreamNegotiation::Config stream_config(ConnectionConfig& config);
  void set_now(Now now);
  void check_output() const;
  Result<void> begin();
  Result<void> start_security(std::string_view id);
  Result<void> check_channel() const;
  Result<std::size_t> take(MutableBytes in);
  Result<std::size_t> take_security_choice(ByteView in);
  Result<std::size_t> take_handshake(ByteView in);
  Result<std::size_t> take_sealed(MutableBytes in);
  Result<void> take_plain(ByteView plain);
  Result<void> on_authenticated();
  Result<void> start_muxer(const MuxerKind& kind);
  const Error& stop(Error error);
  void close_channel();
  std::size_t poll_handshake(MutableBytes out);
  std::size_t poll_plain(MutableBytes out);
  std::size_t seal_messages(MutableBytes out);

  Role role_;
  Phase phase_ = Phase::security_choice;
  bool going_away_ = false;
  bool channel_closed_ = false;   // it was told that no more comes
  bool channel_has_end_ = false;  // and it says so itself: nothing may be sealed behind that
  const std::shared_ptr<const ConnectionKinds> kinds_;
  std::optional<PeerId> expected_peer_;
  const ConnectionLimits limits_;
  ConnectionEvents& events_;
  Rng& rng_;
  EntryMark entered_;
  Now now_;
  MonoTime handshake_deadline_;
  MonoTime progress_;
  Bytes handshake_out_;  // raw bytes of the handshake that wait for the socket; freed when they are sent
  std::size_t handshake_sent_ = 0;
  Bytes plain_out_;  // the negotiation of the muxer, to be sealed before anything of the muxer
  std::function<bool(std::string_view)> speaks_;     // a listener's part of the choice
  std::unique_ptr<multistream::Negotiator> choice_;  // of the security protocol, then of the muxer; null when settled
  std::unique_ptr<SecureChannel> channel_;
  StreamNegotiation streams_;
  std::unique_ptr<Muxer> muxer_;
  std::string_view security_id_;  // of kinds_
  std::string_view muxer_id_;
  std::optional<crypto::PublicKey> remote_key_;
  PeerId remote_peer_;
  std::optional<Error> failure_;
};

}  // namespace libp2p
