// A naive model of two Mplex sessions that talk to each other, from the specification alone: what each end has asked
// for, what has gone over the wire, and what each end was told. It holds the real sessions to it: bytes come whole and
// in order, a half-close comes once and last, a reset ends a stream, and only a reader that does not keep up loses one.
// For the fuzz target.
#pragma once

#include <map>
#include <utility>

#include "libp2p/base/rng.hpp"
#include "libp2p/protocols/mplex/session.hpp"
#include "testing/fuzz_script.hpp"

namespace libp2p::mplex::model {

using fuzzing::require;

// One direction of a stream: what one end sends to the other.
struct Half {
  std::size_t written = 0;  // given to the sender
  std::size_t wired = 0;    // of it, put on the wire
  std::size_t read = 0;     // of it, told to the receiver
  std::size_t consumed = 0;
  bool ended = false, close_wired = false, end_read = false;
};

struct ModelStream {
  std::size_t opener = 0;
  std::uint64_t wire_id = 0;
  StreamId id[2] = {0, 0};         // 0: that end does not know it (yet)
  bool alive[2] = {false, false};  // that end may still hear of it
  bool opening_wired = false;
  bool reset[2] = {false, false};  // that end has reset it: its user, or the bound of what is unread
  bool reset_wired[2] = {false, false};
  bool stopped[2] = {false, false};
  bool short_write[2] = {false, false};
  Half half[2];  // by the end that sends
};

// What `end` sends on a stream from byte `at` on: `size` bytes, at most kPatternSize.
inline constexpr std::size_t kPatternSize = 1 << 16;
inline ByteView pattern(const ModelStream& s, std::size_t end, std::size_t at, std::size_t size) {
  static const Bytes noise = [] {
    Bytes out(kPatternSize);
    SeededRng(1).fill(out);
    append(out, Bytes(out));
    return out;
  }();
  return ByteView(noise).subspan((s.wire_id * 3100 + s.opener * 707 + end * 101 + at) % kPatternSize, size);
}

struct Model {
  Limits limits;
  std::map<std::pair<std::size_t, std::uint64_t>, ModelStream> streams;  // by opener and id on the wire
  bool going_away[2] = {false, false};
  std::size_t most_live[2] = {0, 0};  // streams of the other end
  bool aborted = false;

  // By the id that `end` has given it.
  ModelStream& at(std::size_t end, StreamId id) {
    for (auto& [key, s] : streams)
      if (s.id[end] == id) return s;
    require(false);
    std::abort();
  }
  std::size_t live(std::size_t end, std::size_t opener) const {
    return static_cast<std::size_t>(std::count_if(streams.begin(), streams.end(), [&](const auto& entry) {
      return entry.second.opener == opener && entry.second.alive[end];
    }));
  }

  // Whole messages leave `end`.
  void on_wire(std::size_t end, ByteView bytes) {
    while (!bytes.empty()) {
      const auto read = read_header(bytes);
      require(read.has_value());
      bytes = bytes.subspan(read->size);
      require(read->header.length <= bytes.size());
      on_message(end, read->header, bytes.first(read->header.length));
      bytes = bytes.subspan(read->header.length);
    }
  }

  void on_message(std::size_t end, const Header& header, ByteView data) {
    const auto found = streams.find({header.by_initiator() ? end : 1 - end, header.stream_id});
    require(found != streams.end());
    ModelStream& s = found->second;
    require(!s.reset_wired[end]);
    Half& sent = s.half[end];
    switch (static_cast<Flag>(header.flag)) {
      case Flag::new_stream:
        require(!s.opening_wired && data.empty());
        s.opening_wired = true;
        return;
      case Flag::message_receiver:
      case Flag::message_initiator:
        require(s.opening_wired && !sent.close_wired && !data.empty() && data.size() <= limits.max_frame_payload);
        require(equal(data, pattern(s, end, sent.wired, data.size())));
        sent.wired += data.size();
        return require(sent.wired <= sent.written);
      case Flag::close_receiver:
      case Flag::close_initiator:
        require(s.opening_wired && sent.ended && sent.wired == sent.written && !sent.close_wired && data.empty());
        sent.close_wired = true;
        return;
      case Flag::reset_receiver:
      case Flag::reset_initiator:
        require(s.opening_wired && data.empty() && (s.reset[end] || s.id[end] == 0));
        s.reset_wired[end] = true;
        return;
    }
    require(false);
  }
};

// One end: its session, the bytes on their way from it, and what it is told.
class End : public SessionEvents {
 public:
  End(std::size_t number, Model& shared) : model(shared), self(number), session(shared.limits, *this) {}

  void on_inbound_stream(StreamId id) override {
    const std::size_t live = model.live(self, 1 - self);
    require(!model.going_away[self] && live < model.limits.max_inbound_streams);
    // Openings arrive in the order of their ids, which count from 0.
    const auto found = model.streams.find({1 - self, accepted++ + session.counters().refused_streams});
    require(found != model.streams.end() && found->second.opening_wired);
    found->second.id[self] = id;
    found->second.alive[self] = true;
    model.most_live[self] = std::max(model.most_live[self], live + 1);
  }
  void on_data(StreamId id, ByteView data) override {
    ModelStream& s = told(id);
    Half& received = s.half[1 - self];
    require(!received.end_read && !s.stopped[self] && !data.empty() && received.read + data.size() <= received.wired);
    require(equal(data, pattern(s, 1 - self, received.read, data.size())));
    received.read += data.size();
    require(received.read - received.consumed <= model.limits.max_stream_unread);
  }
  void on_end(StreamId id) override {
    ModelStream& s = told(id);
    Half& received = s.half[1 - self];
    require(received.close_wired && !received.end_read && received.read == received.written && !s.stopped[self]);
    received.end_read = true;
  }
  void on_reset(StreamId id, const Error& error) override {
    ModelStream& s = told(id);
    const Half& received = s.half[1 - self];
    if (error == Errc::exhausted) {
      require(received.wired - received.consumed > model.limits.max_stream_unread);
      s.reset[self] = true;
    } else {
      require(s.reset_wired[1 - self] || model.aborted);
    }
    s.alive[self] = false;
  }
  void on_writable(StreamId id) override {
    ModelStream& s = told(id);
    require(s.short_write[self] && session.send_queue_bytes(id) <= model.limits.send_low_water);
    s.short_write[self] = false;
  }
  void on_closed(StreamId id) override {
    ModelStream& s = told(id);
    require(s.half[self].close_wired || s.half[self].ended);
    require(s.half[1 - self].end_read || s.stopped[self]);
    s.alive[self] = false;
  }

  Model& model;
  const std::size_t self;
  Session session;
  Bytes pipe;
  std::uint64_t accepted = 0;

 private:
  ModelStream& told(StreamId id) {
    ModelStream& s = model.at(self, id);
    require(s.alive[self]);
    return s;
  }
};

}  // namespace libp2p::mplex::model
