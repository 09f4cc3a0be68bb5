// For tests: a Yamux session, a user that records its events, and frames made by hand.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/protocols/yamux/session.hpp"

namespace libp2p::yamux::testing_session {

// Records the events of a session and checks their order.
class Recorder : public SessionEvents {
 public:
  struct Seen {
    Bytes data;
    int ends = 0, resets = 0, closed = 0, writable = 0;
    Error error;
  };
  void on_inbound_stream(StreamId id) override {
    inbound.push_back(id);
    if (inbound_hook) inbound_hook(id);
  }
  void on_data(StreamId id, ByteView data) override {
    EXPECT_EQ(streams[id].ends + streams[id].resets + streams[id].closed, 0);
    append(streams[id].data, data);
    if (data_hook) data_hook(id, data);
  }
  void on_end(StreamId id) override { ++streams[id].ends; }
  void on_reset(StreamId id, const Error& error) override {
    ++streams[id].resets;
    streams[id].error = error;
  }
  void on_writable(StreamId id) override {
    ++streams[id].writable;
    if (writable_hook) writable_hook(id);
  }
  void on_closed(StreamId id) override { ++streams[id].closed; }
  bool may_grow(std::size_t bytes) override {
    if (growth_hook) growth_hook();
    return bytes <= room;
  }

  std::size_t room = std::size_t{1} << 40;  // bytes that a window may grow by
  std::vector<StreamId> inbound;
  std::map<StreamId, Seen> streams;
  std::function<void(StreamId)> inbound_hook, writable_hook;
  std::function<void()> growth_hook;
  std::function<void(StreamId, ByteView)> data_hook;
};

inline Bytes frame(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length,
                   ByteView payload = {}) {
  Bytes out(kHeaderSize);
  write_header(header_in(MutableBytes(out)), make_header(type, flags, stream, length));
  append(out, payload);
  return out;
}
inline Bytes window(std::uint16_t flags, std::uint32_t stream, std::uint32_t credit = 0) {
  return frame(FrameType::window_update, flags, stream, credit);
}
inline Bytes data(std::uint16_t flags, std::uint32_t stream, ByteView payload) {
  return frame(FrameType::data, flags, stream, static_cast<std::uint32_t>(payload.size()), payload);
}

struct Frame {
  Header header;
  Bytes payload;
};
inline std::vector<Frame> frames(ByteView bytes) {
  std::vector<Frame> out;
  while (bytes.size() >= kHeaderSize) {
    Frame parsed{read_header(header_in(ByteView(bytes))), {}};
    bytes = bytes.subspan(kHeaderSize);
    if (parsed.header.type == static_cast<std::uint8_t>(FrameType::data)) {
      parsed.payload = to_bytes(bytes.first(std::min<std::size_t>(bytes.size(), parsed.header.length)));
      bytes = bytes.subspan(parsed.payload.size());
    }
    out.push_back(std::move(parsed));
  }
  EXPECT_TRUE(bytes.empty());
  return out;
}

// A session without pings, unless the limits ask for them, and a hand that plays the peer.
class YamuxSession : public ::testing::Test {
 protected:
  YamuxSession() { limits.keep_alive_interval = Nanos(0); }
  void TearDown() override {
    if (session) session->check();
    session.reset();
    EXPECT_EQ(live<Stream>(), 0);
  }
  Session& make(Side side = Side::server) {
    session.emplace(side, limits, user, now);
    return *session;
  }
  Result<void> feed(const Bytes& bytes) {
    auto taken = session->on_bytes(bytes, now);
    session->check();
    return taken;
  }
  Bytes drain(std::size_t room = 1 << 20) {
    Bytes out(room);
    out.resize(session->poll_output(out, now));
    session->check();
    return out;
  }
  // The single frame that is to be sent.
  Header only_frame() {
    const auto sent = frames(drain());
    EXPECT_EQ(sent.size(), 1U);
    return sent.empty() ? Header{} : sent[0].header;
  }
  StreamId open_inbound(std::uint32_t wire = 1) {
    EXPECT_TRUE(feed(window(kSyn, wire)));
    EXPECT_FALSE(session->wants_output());
    session->acknowledge(user.inbound.back());
    EXPECT_EQ(only_frame(), make_header(FrameType::window_update, kAck, wire, 0));
    return user.inbound.back();
  }

  Limits limits;
  Recorder user;
  Now now{MonoTime(Seconds(100)), UnixTime(Seconds(0))};
  std::optional<Session> session;
};

}  // namespace libp2p::yamux::testing_session
