// One Mplex session: the streams of a connection and the messages that carry them. A pure engine over the plain bytes
// of a secured connection, for which time does not exist: Mplex has no keep-alive. Owned by whoever drives the
// connection, used from its thread only. Data is not buffered on the way in: it is handed on as views of the input. On
// the way out bytes are pulled: openings and resets first, then one message of each ready stream in turn.
//
// Bounds are those of Limits. Mplex has no flow control, so a stream whose user does not keep up is reset at its bound
// (the peer and the user are told) and the connection goes on. At rest the session owns its tables and nothing else.
// Messages for streams that are gone or never were are skipped, as go-mplex does. Stream names are not read, and ours
// are empty. Specification: mplex.
//
// Mplex has no good-bye either. go_away() only refuses new streams in both directions; the owner closes the connection
// once wants_output() is false, and the peer learns it from that. What breaks the format ends the session without a
// word.
//
// Re-entrancy: events come inside on_bytes, poll_output and abort only; inside one every stream function may be called,
// and none of those three nor the destructor.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/entry_mark.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/protocols/mplex/frame.hpp"
#include "libp2p/protocols/mplex/limits.hpp"
#include "libp2p/protocols/mplex/stream.hpp"

namespace libp2p::mplex {

// The events of a session. A view is valid until the event returns. A stream begins with open()'s answer or
// on_inbound_stream and ends with exactly one of on_closed (both sides ended in order), on_reset, or the user's own
// reset(), after which no event about it comes.
class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  virtual void on_inbound_stream(StreamId id) = 0;
  virtual void on_data(StreamId id, ByteView data) = 0;
  virtual void on_end(StreamId id) = 0;
  virtual void on_reset(StreamId id, const Error& error) = 0;
  virtual void on_writable(StreamId id) = 0;
  virtual void on_closed(StreamId id) = 0;
};

// What was skipped, refused or reset, by cause.
struct SessionCounters {
  std::uint64_t refused_streams = 0;  // inbound, above max_inbound_streams or while going away
  std::uint64_t late_frames = 0;      // for streams that are gone or were never there
  std::uint64_t skipped_bytes = 0;    // data of those, and of streams that nobody reads any more
  std::uint64_t unread_resets = 0;    // streams reset for max_stream_unread or max_receive_memory
};

class Session {
 public:
  Session(const Limits& limits, SessionEvents& events);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes all of `in`, which may be split anywhere. An error ends the session: all streams have been reset by event,
  // and nothing is sent any more.
  Result<void> on_bytes(ByteView in);

  // Writes whole messages into `out`; 0 when there are none or none fits (kMaxHeader + 1 always suffices).
  std::size_t poll_output(MutableBytes out);
  bool wants_output() const;

  // Errc::exhausted above max_outbound_streams, or when the peer does not read; Errc::closed when the session ends.
  Result<StreamId> open();
  // Copies what fits below the stream's bound and answers how much; less than all of it makes on_writable come.
  std::size_t send(StreamId id, ByteView data);
  // Queues bytes from `offset` on by reference. False, and on_writable to come, when the queue is at its bound.
  bool send(StreamId id, SharedBytes data, std::size_t offset);
  void close_write(StreamId id);
  // What still arrives is thrown away, on_end does not come, and the stream ends when our side has. The peer cannot be
  // told.
  void stop_reading(StreamId id);
  void reset(StreamId id);
  void consume(StreamId id, std::size_t n);

  bool has(StreamId id) const { return streams_.contains(id); }
  std::size_t send_queue_bytes(StreamId id) const;
  std::size_t stream_count() const { return streams_.size(); }
  std::size_t unconsumed_bytes() const { return unconsumed_; }
  const SessionCounters& counters() const { return counters_; }
  bool failed() const { return failed_; }

  void go_away() { going_away_ = true; }
  // Ends everything: each stream is reset by event with `reason`, nothing is sent any more.
  void abort(const Error& reason);

  // Every invariant of the session, outside of an event (session_check.cpp).
  void check() const;

 private:
  void end(const Error& reason);
  void check_stream(StreamId id, const Stream& stream) const;
  void check_totals() const;
  Result<std::size_t> take_header(ByteView in);
  void begin_frame(const Header& header);
  void on_payload(ByteView part);
  Result<void> finish_frame();
  Result<void> on_new_stream();
  void on_close(StreamId id);
  void reset_with(Stream& stream, const Error& error);
  Error fail(Error error);

  Stream* find(StreamId id);
  // The stream that a message of the peer is about.
  Stream* find_wire(const Header& header);
  Stream& insert(std::uint64_t wire_id, bool inbound);
  void erase(Stream& stream);
  void update_ready(Stream& stream);
  void push_control(Flag flag, std::uint64_t wire_id);
  std::size_t drain_control(MutableBytes out);
  std::optional<std::size_t> write_turn(MutableBytes out, bool first);

  const Limits limits_;
  SessionEvents& events_;
  EntryMark entered_;

  std::unordered_map<StreamId, Stream> streams_;  // never iterated in an order that shows
  // By wire_key(). Ordered, because the peer chooses these ids: in a hash table it could put them all into one bucket.
  std::map<std::uint64_t, Stream*> by_wire_id_;
  IntrusiveList<Stream> ready_;
  StreamId next_id_ = 1;
  std::uint64_t next_wire_id_ = 0;
  std::size_t inbound_ = 0;
  std::size_t outbound_ = 0;
  std::size_t unconsumed_ = 0;

  std::vector<std::uint64_t> control_;  // id and flag of openings and resets; they carry no data
  std::size_t control_sent_ = 0;
  bool overflow_ = false;  // control_ went above its bound
  bool going_away_ = false;
  bool failed_ = false;

  ByteArray<kMaxReadHeader> partial_header_{};
  std::size_t partial_size_ = 0;
  bool in_frame_ = false;
  Header frame_;  // the message that is being read
  std::size_t frame_left_ = 0;
  StreamId frame_stream_ = 0;  // 0: its data is skipped

  SessionCounters counters_;
};

}  // namespace libp2p::mplex
