// The driver of one connection over a socket: the socket, a ConnectionEngine and one timer. It reads into a shared
// buffer, feeds the engine, pulls sealed bytes when the socket can take them, and hands the streams' events to its
// StreamTable. All protocol logic is in the engine. Owned by the swarm.
//
// Order inside: the engine is never entered twice; what streams have to be told is collected in its events and told
// when it has returned; calls of users only queue and flush. After 256 KiB or 200 µs in a row it goes to the back of
// the runtime's queue.
//
// Life: one Phase. ConnectionOwner::on_closed(why) tells its end once; destroying the connection in any phase calls
// nobody. In each line, what happens leads from one phase to another:
//
//   running                 close()                              closing
//   running                 the socket or the engine fails       failed
//   closing                 everything is sent                   good_bye (the writing side is shut)
//   closing                 no handshake yet, or the deadline    ended, with the reason of close()
//   closing                 the socket or the engine fails       closing_failed
//   failed                  close()                              closing_failed
//   failed, closing_failed  the engine is at rest                ended, with the failure
//   good_bye                the far end closes or fails,         ended, with the reason of close()
//                           the deadline, or 500 ms
//
// A failure that says no more than that the peer has gone (Errc::reset) gives way to the reason of close(). The first
// close() counts, and the first failure; what else is asked in a later phase does nothing.
//
// Thread: the network thread. Bounds: the engine's, one shared buffer in each direction while there is traffic, at most
// one sealed message of unconsumed input at rest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/connection/io_buffers.hpp"
#include "libp2p/connection/stream_table.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/seams/transport.hpp"
#include "libp2p/upgrade/connection_engine.hpp"

namespace libp2p {

class SocketConnection final : public Connection,
                               private ConnectionEvents,
                               private StreamCarrier,
                               private LiveCounted<SocketConnection> {
 public:
  using LiveCounted<SocketConnection>::live;

  enum class Phase : std::uint8_t { running, failed, closing, closing_failed, good_bye, ended };

  SocketConnection(runtime::Runtime& runtime, IoBuffers& buffers, ConnectionOwner& owner, ConnectionId id,
                   Direction direction, RawEnd end, ConnectionConfig config);
  // Resets what is open; nobody is called.
  ~SocketConnection() override;
  SocketConnection(const SocketConnection&) = delete;
  SocketConnection& operator=(const SocketConnection&) = delete;

  // Told once whether it became ready, after the owner has been. To be set before start().
  void on_outcome(Done<ConnectionId> outcome) { outcome_ = std::move(outcome); }
  void start() override;
  const ConnectionFacts& facts() const override { return facts_; }
  Phase phase() const { return phase_; }
  bool ready() const override { return phase_ != Phase::ended && engine_->ready(); }
  bool usable() const override { return ready() && !closing(); }
  bool closing() const override { return phase_ != Phase::running && phase_ != Phase::failed; }
  const PeerId& peer() const override { return engine_->remote_peer(); }
  const crypto::PublicKey& peer_key() const override { return engine_->remote_key(); }
  std::string_view security() const override { return engine_->security(); }
  std::string_view muxer() const override { return engine_->muxer(); }
  MonoTime progress() const override { return engine_->progress(); }
  std::size_t streams() const override { return phase_ == Phase::ended ? 0 : engine_->stream_count(); }
  std::uint64_t bytes_in() const override { return bytes_in_; }
  std::uint64_t bytes_out() const override { return bytes_out_; }
  std::optional<Nanos> round_trip() const override { return engine_->round_trip(); }
  std::size_t unread() const override { return table_.unread(); }
  bool reset_largest_unread(Nanos stalled) override { return table_.reset_largest_unread(stalled); }
  Result<std::shared_ptr<StreamState>> open_stream(std::vector<std::string> protocols) override;
  void close(Error why, MonoTime deadline, CloseCode code = CloseCode::normal) override;
  void check() const override;

 private:
  // How long a closing connection waits for the far end to have read everything, so that TCP loses nothing.
  static constexpr Nanos kDrain = Millis(500);
  static constexpr std::size_t kTurnBytes = 256 * 1024;
  static constexpr Nanos kTurnTime = Micros(200);
  // How long the peer may take to read what one write buffer holds; go-yamux gives a frame 10 s. Longer than what
  // services give a stream, so that the slow stream goes first.
  static constexpr Nanos kWriteTimeout = Seconds(60);
  static constexpr std::size_t kSmallestPortion = 4096;

  // --- between the engine and the streams (socket_connection_streams.cpp) ---
  void on_ready() override;
  void on_stream_opened(StreamId id, const std::string& protocol, bool inbound) override;
  void on_stream_data(StreamId id, ByteView data) override;
  void on_stream_end(StreamId id) override;
  void on_stream_reset(StreamId id, const Error& error) override;
  void on_stream_writable(StreamId id) override;
  void on_stream_closed(StreamId id) override;
  std::size_t send(StreamId id, ByteView data) override;
  bool send(StreamId id, SharedBytes data) override;
  std::size_t send_queue_bytes(StreamId id) const override;
  void close_write(StreamId id) override;
  void reset(StreamId id) override;
  void consume(StreamId id, std::size_t n) override;
  void flush_for_user() override;
  void schedule_delivery() override { schedule_pump(); }
  void on_deadline_moved() override;

  // --- entered from the runtime; each may destroy this connection at its end ---
  void on_readable();
  void on_timer();
  void pump();

  bool failing() const { return phase_ == Phase::failed || phase_ == Phase::closing_failed; }
  // To be acted on when the engine is at rest. The first one counts.
  void on_failure(Error error);
  bool read_some(Bytes& in, std::size_t& have, Now now, std::size_t& got);
  void fit_portion(Nanos took);
  void read_drain();
  // Sends what the engine has, as far as the socket takes it. True when it stopped for its turn's end.
  bool flush(bool tell_streams);
  bool send_rest();
  void schedule_pump();
  void settle();  // after each entry: failure, closing, timer
  void say_good_bye();
  void finish();
  void give_back_out();
  void arm_timer();
  void arm_read();
  bool handshake_waits();

  runtime::Runtime& runtime_;
  IoBuffers& buffers_;
  ConnectionOwner& owner_;
  ConnectionFacts facts_;
  Done<ConnectionId> outcome_;
  std::unique_ptr<runtime::Socket> socket_;
  std::unique_ptr<ConnectionEngine> engine_;
  std::unique_ptr<runtime::Timer> timer_;
  LifeToken life_;  // for posted calls, and for loops that call users
  StreamTable table_;

  Phase phase_ = Phase::running;
  Error why_;                                  // in every phase but running: with what it ends
  MonoTime close_deadline_ = MonoTime::max();  // once closing

  std::size_t portion_ = IoBuffers::kIn;  // bytes of one read
  Bytes rest_in_;                         // the beginning of a message whose end has not come
  Bytes out_;
  std::size_t out_begin_ = 0;
  std::size_t out_end_ = 0;
  std::optional<MonoTime> handshake_at_;    // nothing is read before
  std::optional<MonoTime> write_deadline_;  // of what the socket has not taken; a byte that it takes does not move it
  bool handshake_asked_ = false;
  std::optional<MonoTime> armed_;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;

  // Marks against re-entrancy, and callbacks that are set.
  bool in_engine_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool pump_posted_ = false;
};

}  // namespace libp2p
