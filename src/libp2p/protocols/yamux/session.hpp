// One Yamux session: the streams of a connection, their credit, and the frames that carry them. A pure engine over the
// plain bytes of a secured connection; owned by the connection engine, used from its thread only. Payload is not
// buffered on the way in: it is handed on as views of the input, and the peer gets credit back when the user says that
// it has consumed it. On the way out bytes are pulled: control frames first, then one frame of each ready stream in
// turn.
//
// Bounds are those of Limits. At rest the session owns its tables and nothing else. Frames for streams that are gone
// are skipped, as go-yamux does. What the specification forbids ends the session with a go-away. Specification: yamux.
//
// Re-entrancy: events come inside on_bytes, on_timeout, poll_output and abort only; inside one every stream function
// may be called, and none of those four nor the destructor.
#pragma once

#include <map>
#include <optional>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/entry_mark.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/protocols/yamux/frame.hpp"
#include "libp2p/protocols/yamux/limits.hpp"
#include "libp2p/protocols/yamux/stream.hpp"

namespace libp2p::yamux {

enum class Side : std::uint8_t { client, server };  // the dialer of the connection is the client and takes the odd ids

// The events of a session; see libp2p::ConnectionEvents for their meaning. A view is valid until the event returns.
class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  virtual void on_inbound_stream(StreamId id) = 0;
  virtual void on_data(StreamId id, ByteView data) = 0;
  virtual void on_end(StreamId id) = 0;
  virtual void on_reset(StreamId id, const Error& error) = 0;
  virtual void on_writable(StreamId id) = 0;
  virtual void on_closed(StreamId id) = 0;
  // Whether there is memory for `bytes` more of window. A question and no event: asked inside consume() too, and the
  // answer must not enter the session.
  virtual bool may_grow(std::size_t /*bytes*/) { return true; }
};

// What was skipped or refused, by cause.
struct SessionCounters {
  std::uint64_t refused_streams = 0;  // inbound, above max_inbound_streams or while going away
  std::uint64_t late_frames = 0;      // for streams that are gone or were never there
  std::uint64_t late_bytes = 0;
  std::uint64_t unanswered_pings = 0;
  std::uint64_t memory_resets = 0;   // streams reset for max_receive_memory
  std::uint64_t refused_growth = 0;  // windows that stayed as they were for may_grow or max_receive_memory
};

class Session {
 public:
  Session(Side side, const Limits& limits, SessionEvents& events, Now now);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes all of `in`, which may be split anywhere. An error ends the session: all streams have been reset by event,
  // and poll_output gives the go-away, if one is due. Errc::closed: the peer has gone away in order, or for a reason
  // that is no fault of ours (it trims, it shuts down).
  Result<void> on_bytes(ByteView in, Now now);
  // Errc::timed_out: the peer has not answered a ping.
  Result<void> on_timeout(Now now);
  std::optional<MonoTime> next_deadline() const;

  // Writes whole frames into `out`; 0 when there are none or none fits (kHeaderSize + 1 always suffices).
  std::size_t poll_output(MutableBytes out, Now now);
  bool wants_output() const;

  // Errc::exhausted above max_outbound_streams, or when the peer does not read; Errc::closed when the session ends.
  // Beyond max_unacknowledged the stream is there and takes data, but waits for its turn.
  Result<StreamId> open(Now now);
  // Tells the peer that an inbound stream is taken. Until then it counts into the peer's backlog, so a user who takes
  // streams slowly holds back how many the peer opens. Once.
  void acknowledge(StreamId id);
  std::size_t send(StreamId id, ByteView data);
  bool send(StreamId id, SharedBytes data, std::size_t offset);
  void close_write(StreamId id);
  // What the stream still receives is thrown away and gets no credit, so that the peer wastes one window at most. Once
  // our end has been sent the stream is gone for us, and frames for it are late ones, as with go-yamux.
  void stop_reading(StreamId id);
  // `code` goes into the length of the reset's frame, where go-yamux has it. What does not fit into 32 bits is 0.
  void reset(StreamId id, std::uint64_t code = 0);
  void consume(StreamId id, std::size_t n);

  bool has(StreamId id) const { return find(id) != nullptr; }
  std::size_t send_queue_bytes(StreamId id) const;
  std::size_t stream_count() const { return streams_.size(); }
  std::size_t unconsumed_bytes() const { return unconsumed_; }
  std::uint32_t receive_window(StreamId id) const;  // the credit that the stream's peer may have at once
  std::optional<Nanos> round_trip() const { return round_trip_; }
  const SessionCounters& counters() const { return counters_; }
  bool failed() const { return failed_; }

  // No new streams; a go-away with the first reason that was given follows once everything that can be sent has been.
  void go_away(GoAwayCode reason = GoAwayCode::normal);
  // Ends everything: each stream is reset by event with `reason`, nothing is sent any more.
  void abort(const Error& reason);

  // Every invariant of the session, outside of an event (session_check.cpp).
  void check() const;

 private:
  void set_now(Now now);
  void end(const Error& reason);
  std::size_t waiting_control() const { return control_.size() - control_sent_; }
  void check_stream(std::uint32_t wire, const Stream& stream) const;
  void check_totals() const;
  void check_input() const;
  void check_control() const;
  Result<void> on_header(const Header& header);
  Result<void> on_stream_header(const Header& header);
  Result<void> on_syn(const Header& header);
  Result<void> on_data_header(const Header& header, Stream& stream);
  void on_ping(const Header& header);
  Error on_go_away(std::uint32_t code);
  void on_payload(ByteView part);
  void finish_frame();
  void on_fin(StreamId id);
  Error fail(GoAwayCode code, Error error);
  Error serials_used_up() const;
  void reset_all(const Error& error);

  Stream* find(StreamId id);
  const Stream* find(StreamId id) const { return const_cast<Session*>(this)->find(id); }
  Stream& insert(std::uint32_t wire_id, bool inbound);
  void erase(Stream& stream);
  void update_ready(Stream& stream);
  void open_waiting();
  void update_window(Stream& stream);
  void grow(Stream& stream);
  void push_control(const Header& header);
  std::size_t drain_control(MutableBytes out);
  std::size_t write_stream_frame(MutableBytes out, bool first);
  void end_front();
  void send_ping();

  Side side_;
  const Limits limits_;
  SessionEvents& events_;
  EntryMark entered_;
  EntryMark asking_;  // may_grow() is being asked
  Now now_;

  // By the id on the wire. Ordered, because the peer chooses these ids: in a hash table it could put them all into one
  // bucket.
  std::map<std::uint32_t, Stream> streams_;
  StreamList ready_;
  StreamList waiting_;  // streams of ours whose opening is not sent yet, in order
  std::uint64_t next_serial_ = 1;
  std::uint32_t next_wire_id_;
  std::size_t inbound_ = 0;
  std::size_t outbound_ = 0;
  std::size_t unacknowledged_ = 0;
  std::size_t unconsumed_ = 0;
  std::size_t grown_ = 0;  // credit above kInitialWindow, over all streams

  Bytes control_;
  std::size_t control_sent_ = 0;
  std::size_t queued_pongs_ = 0;
  bool overflow_ = false;  // control_ went above its bound
  bool going_away_ = false;
  GoAwayCode go_away_reason_ = GoAwayCode::normal;
  bool go_away_sent_ = false;
  bool failed_ = false;

  ByteArray<kHeaderSize> partial_header_{};
  std::size_t partial_size_ = 0;
  Header frame_;  // the data frame whose payload is being read
  std::size_t frame_left_ = 0;
  StreamId frame_stream_ = 0;  // 0: the payload is skipped

  std::optional<Nanos> round_trip_;
  std::optional<Nanos> shortest_round_trip_;
  std::optional<MonoTime> ping_sent_;
  std::uint32_t ping_value_ = 0;
  MonoTime next_ping_;
  MonoTime last_input_;
  SessionCounters counters_;
};

}  // namespace libp2p::yamux
