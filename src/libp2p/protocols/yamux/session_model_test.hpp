// A naive model of two Yamux sessions that talk to each other, from the specification alone: what each end has asked
// for, what has gone over the wire, and what each end was told. It holds the real sessions to it: bytes come whole and
// in order, nobody sends more than its credit, a half-close comes once and last, a reset ends a stream, the backlog of
// openings is bounded. For the fuzz target.
#pragma once

#include <map>
#include <optional>

#include "libp2p/base/rng.hpp"
#include "libp2p/protocols/yamux/session.hpp"
#include "testing/fuzz_script.hpp"

namespace libp2p::yamux::model {

using fuzzing::require;

// One direction of a stream: what one end sends to the other.
struct Half {
  std::size_t written = 0;  // given to the sender
  std::size_t wired = 0;    // of it, put on the wire
  std::size_t read = 0;     // of it, told to the receiver
  std::size_t consumed = 0;
  std::uint64_t promised = kInitialWindow;  // credit that the receiver has put on the wire, ever
  std::uint64_t granted = kInitialWindow;   // and of it, what has reached the sender
  bool ended = false, fin_wired = false, end_read = false;
};

struct ModelStream {
  std::size_t opener = 0;
  StreamId id[2] = {0, 0};         // 0: that end does not know it (yet)
  bool alive[2] = {false, false};  // that end may still hear of it
  bool syn_wired = false, ack_asked = false, ack_wired = false, ack_read = false;
  bool reset[2] = {false, false};  // that end's user has reset it
  bool rst_wired[2] = {false, false};
  bool short_write[2] = {false, false};
  Half half[2];  // by the end that sends
};

// What `end` sends on a stream from byte `at` on: `size` bytes, at most kPatternSize.
inline constexpr std::size_t kPatternSize = 1 << 16;
inline ByteView pattern(std::uint32_t wire, std::size_t end, std::size_t at, std::size_t size) {
  static const Bytes noise = [] {
    Bytes out(kPatternSize);
    SeededRng(1).fill(out);
    append(out, Bytes(out));
    return out;
  }();
  return ByteView(noise).subspan((wire * 3100 + end * 101 + at) % kPatternSize, size);
}

// Takes headers out of a byte stream that comes in pieces.
class HeaderReader {
 public:
  template <class OnHeader>
  void read(ByteView bytes, OnHeader&& on_header) {
    while (!bytes.empty()) {
      const std::size_t wanted = skip_ > 0 ? skip_ : kHeaderSize - partial_.size();
      const ByteView part = bytes.first(std::min(wanted, bytes.size()));
      bytes = bytes.subspan(part.size());
      if (skip_ > 0) {
        skip_ -= part.size();
        continue;
      }
      append(partial_, part);
      if (partial_.size() < kHeaderSize) continue;
      const Header header = read_header(header_in(ByteView(partial_)));
      partial_.clear();
      if (header.type == static_cast<std::uint8_t>(FrameType::data)) skip_ = header.length;
      on_header(header);
    }
  }
  bool between_frames() const { return skip_ == 0 && partial_.empty(); }

 private:
  Bytes partial_;
  std::size_t skip_ = 0;
};

struct Model {
  Limits limits;
  std::map<std::uint32_t, ModelStream> streams;
  bool going_away[2] = {false, false};
  bool go_away_wired[2] = {false, false};
  bool over[2] = {false, false};  // that end was told that the other has gone away
  bool aborted = false;           // the connection below is gone

  static bool is_stream(const Header& header) {
    return header.type <= static_cast<std::uint8_t>(FrameType::window_update);
  }
  ModelStream& at(StreamId id) {
    const auto found = streams.find(wire_id(id));
    require(found != streams.end());
    return found->second;
  }
  std::size_t live(std::size_t end, std::size_t opener) const {
    return static_cast<std::size_t>(std::count_if(streams.begin(), streams.end(), [&](const auto& entry) {
      return entry.second.opener == opener && entry.second.alive[end];
    }));
  }
  std::size_t backlog(std::size_t end) const {
    return static_cast<std::size_t>(std::count_if(streams.begin(), streams.end(), [&](const auto& entry) {
      const ModelStream& s = entry.second;
      return s.opener == end && s.alive[end] && s.syn_wired && !s.ack_read;
    }));
  }

  // A frame leaves `end`.
  void on_wire(std::size_t end, const Header& header) {
    require(header.version == kVersion);
    if (header.type == static_cast<std::uint8_t>(FrameType::go_away)) {
      require(going_away[end] && !go_away_wired[end] && header.length == 0);
      go_away_wired[end] = true;
    }
    if (!is_stream(header)) return require(header.stream_id == 0);
    ModelStream& s = at(header.stream_id);
    require(!s.rst_wired[end]);
    if (header.has(kSyn)) {
      require(s.opener == end && !s.syn_wired);
      s.syn_wired = true;
      require(backlog(end) <= limits.max_unacknowledged);
    }
    require(s.syn_wired);
    if (header.has(kAck)) {
      require(s.opener != end && s.ack_asked && !s.ack_wired);
      s.ack_wired = true;
    }
    if (header.has(kRst)) {
      require(s.reset[end] || s.id[end] == 0);
      s.rst_wired[end] = true;
      return;
    }
    Half& sent = s.half[end];
    if (header.type == static_cast<std::uint8_t>(FrameType::data)) {
      require(!sent.fin_wired && header.length <= limits.max_frame_payload);
      sent.wired += header.length;
      require(sent.wired <= sent.granted && sent.wired <= sent.written);
    } else {
      Half& received = s.half[1 - end];
      received.promised += header.length;
      require(received.promised <= received.consumed + limits.max_window);
    }
    if (header.has(kFin)) {
      require(sent.ended && sent.wired == sent.written && !sent.fin_wired);
      sent.fin_wired = true;
    }
  }

  // A frame has reached `end`. `most_live` is how many streams of the other it had at most, meanwhile.
  void on_arrival(std::size_t end, const Header& header, std::size_t most_live) {
    if (!is_stream(header)) return;
    ModelStream& s = at(header.stream_id);
    if (header.has(kSyn))
      require(s.id[end] != 0 || going_away[end] || most_live >= limits.max_inbound_streams || over[end]);
    if (header.has(kAck)) s.ack_read = true;
    if (header.type == static_cast<std::uint8_t>(FrameType::window_update)) s.half[end].granted += header.length;
  }
};

// One end: its session, the bytes on their way from it, and what it is told.
class End : public SessionEvents {
 public:
  End(std::size_t number, Model& shared, Now now)
      : model(shared), self(number), session(number == 0 ? Side::client : Side::server, shared.limits, *this, now) {}

  void on_inbound_stream(StreamId id) override {
    const std::size_t live = model.live(self, 1 - self);
    require(!model.going_away[self] && live < model.limits.max_inbound_streams);
    ModelStream& s = model.at(id);
    require(s.opener != self && s.syn_wired && s.id[self] == 0);
    s.id[self] = id;
    s.alive[self] = true;
    most_live = std::max(most_live, live + 1);
  }
  void on_data(StreamId id, ByteView data) override {
    ModelStream& s = told(id);
    Half& received = s.half[1 - self];
    require(!received.end_read && !data.empty() && received.read + data.size() <= received.wired);
    while (!data.empty()) {
      const ByteView part = data.first(std::min(data.size(), kPatternSize));
      require(equal(part, pattern(wire_id(id), 1 - self, received.read, part.size())));
      received.read += part.size();
      data = data.subspan(part.size());
    }
  }
  void on_end(StreamId id) override {
    Half& received = told(id).half[1 - self];
    require(received.fin_wired && !received.end_read && received.read == received.written);
    received.end_read = true;
  }
  void on_reset(StreamId id, const Error&) override {
    ModelStream& s = told(id);
    require(s.rst_wired[1 - self] || model.go_away_wired[1 - self] || model.aborted);
    s.alive[self] = false;
  }
  void on_writable(StreamId id) override {
    ModelStream& s = told(id);
    require(s.short_write[self] && session.send_queue_bytes(id) <= model.limits.send_low_water);
    s.short_write[self] = false;
  }
  void on_closed(StreamId id) override {
    ModelStream& s = told(id);
    require(s.half[1 - self].end_read && s.half[self].ended);
    s.alive[self] = false;
  }

  Model& model;
  const std::size_t self;
  Session session;
  Bytes pipe;
  HeaderReader leaving, arriving;
  std::size_t most_live = 0;

 private:
  ModelStream& told(StreamId id) {
    ModelStream& s = model.at(id);
    require(s.alive[self] && s.id[self] == id);
    return s;
  }
};

}  // namespace libp2p::yamux::model
