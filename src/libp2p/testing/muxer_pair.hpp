// Two muxers that are connected to each other, for the muxer suite (muxer_suite.hpp) and for further tests of a muxer.
// The wire splits the bytes as a seed decides. Time is virtual. Each end checks the contract of
// libp2p/seams/stream_mux.hpp with every event. Installed header without GoogleTest. Owner: a test. Thread: one.
// Bounds: the bytes that its users queue.
//
// Re-entrancy: hooks run inside the muxer's events and may do what events may do.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/seams/stream_mux.hpp"
#include "libp2p/testing/suite.hpp"

namespace libp2p {

// One end: its muxer, and a user that writes what it was given, reads, and keeps what it was told.
class MuxerEnd final : public MuxerEvents {
 public:
  struct Seen {
    bool inbound = false;
    Bytes data;              // what has arrived
    std::size_t unread = 0;  // of it, not consumed
    Bytes to_write;          // what the muxer has not taken yet
    bool finish = false;     // close_write when to_write is empty
    bool stopped_reading = false;
    bool cut_short = false;  // a send was, and on_writable is to come
    bool we_ended = false;
    bool they_ended = false;
    int closed = 0;
    int resets = 0;
    bool we_reset = false;
    int writable = 0;
    Error error;
    bool over() const { return closed + resets > 0 || we_reset; }
  };

  MuxerEnd(std::string name, Findings& findings, const StreamLimits& limits);
  void start(const MuxerKind& kind, Role role, Now now);

  // As on the muxer, and kept in mind.
  std::optional<StreamId> open(Now now);
  void write(StreamId id, ByteView bytes, bool finish = false);  // as the muxer takes them
  bool send_shared(StreamId id, SharedBytes bytes, std::size_t offset);
  void close_write(StreamId id);
  void reset(StreamId id);
  void stop_reading(StreamId id);
  void consume(StreamId id, std::size_t n);
  void consume_all();

  Seen& at(StreamId id) { return streams.at(id); }
  std::size_t unread() const { return unread_; }
  std::size_t received() const { return received_; }
  Muxer& muxer() { return *muxer_; }

  // --- MuxerEvents ---
  void on_inbound_stream(StreamId id) override;
  void on_data(StreamId id, ByteView data) override;
  void on_end(StreamId id) override;
  void on_reset(StreamId id, const Error& error) override;
  void on_writable(StreamId id) override;
  void on_closed(StreamId id) override;

  std::map<StreamId, Seen> streams;
  std::vector<StreamId> inbound;  // in the order in which they came
  bool acknowledge_at_once = true;
  bool read_at_once = true;
  bool echo = false;                    // sends back what comes, and ends when the peer has
  bool forget = false;                  // streams that are over leave `streams`
  std::function<bool(StreamId)> reads;  // whether this stream is read at once; asked when there is one
  std::function<void(StreamId)> inbound_hook, end_hook, reset_hook, writable_hook, closed_hook;
  std::function<void(StreamId, ByteView)> data_hook;

  // The pair's side.
  Bytes wire;  // on its way to this end
  std::size_t wire_begin = 0;
  std::optional<Error> failure;  // what on_bytes or on_timeout answered
  bool inside = false;           // a call during which events may come

 private:
  Seen* told(StreamId id, std::string_view event);
  void over(StreamId id);
  void push(StreamId id, Seen& seen);

  std::string name_;
  Findings& findings_;
  const StreamLimits limits_;
  std::unique_ptr<Muxer> muxer_;
  StreamId last_id_ = 0;
  std::size_t unread_ = 0;
  std::size_t received_ = 0;
};

class MuxerPair {
 public:
  MuxerPair(const MuxerKind& kind, Findings& to, std::uint64_t seed, const StreamLimits& limits = {});
  MuxerPair(const MuxerPair&) = delete;
  MuxerPair& operator=(const MuxerPair&) = delete;

  // Moves bytes until both ends rest; a failure when they do not come to rest.
  void run();
  // Moves one portion each way, or until `done`.
  bool run_until(const std::function<bool()>& done);
  void step();
  // Lets time pass without bytes; deadlines that fall due are kept. With `moving` bytes move after each.
  void pass(Nanos duration, bool moving);

  MuxerEnd& other(const MuxerEnd& end) { return &end == &dialer ? listener : dialer; }

  Findings& findings;
  StreamLimits limits;
  Now now{MonoTime(Seconds(1000)), from_unix_seconds(1'700'000'000)};
  std::size_t room = 64 * 1024;  // what one write to the wire takes at most
  std::size_t most_cut = 0;      // what one read brings at most; 0: as the seed says
  MuxerEnd dialer;
  MuxerEnd listener;

 private:
  void transmit(MuxerEnd& from, MuxerEnd& to);
  void deliver(MuxerEnd& to);
  void keep_deadline(MuxerEnd& end);
  bool at_rest() const;
  SeededRng rng_;
  Bytes buffer_;
};

}  // namespace libp2p
