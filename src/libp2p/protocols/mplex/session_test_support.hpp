// For tests: an Mplex session, a user that records its events, and messages made by hand.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/protocols/mplex/session.hpp"

namespace libp2p::mplex::testing_session {

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
    EXPECT_FALSE(data.empty());
    EXPECT_EQ(streams[id].ends + streams[id].resets + streams[id].closed, 0);
    append(streams[id].data, data);
    if (data_hook) data_hook(id, data);
  }
  void on_end(StreamId id) override {
    EXPECT_EQ(streams[id].ends + streams[id].resets + streams[id].closed, 0);
    ++streams[id].ends;
    if (end_hook) end_hook(id);
  }
  void on_reset(StreamId id, const Error& error) override {
    EXPECT_EQ(streams[id].resets + streams[id].closed, 0);
    ++streams[id].resets;
    streams[id].error = error;
  }
  void on_writable(StreamId id) override {
    ++streams[id].writable;
    if (writable_hook) writable_hook(id);
  }
  void on_closed(StreamId id) override {
    EXPECT_EQ(streams[id].resets + streams[id].closed, 0);
    ++streams[id].closed;
    if (closed_hook) closed_hook(id);
  }

  std::vector<StreamId> inbound;
  std::map<StreamId, Seen> streams;
  std::function<void(StreamId)> inbound_hook, end_hook, writable_hook, closed_hook;
  std::function<void(StreamId, ByteView)> data_hook;
};

inline Bytes frame(Flag flag, std::uint64_t stream, ByteView data = {}) {
  const Header header = make_header(flag, stream, data.size());
  Bytes out(header_size(header));
  write_header(out, header);
  append(out, data);
  return out;
}
inline Bytes frame(Flag flag, std::uint64_t stream, std::string_view data) {
  return frame(flag, stream, as_bytes(data));
}

struct Frame {
  Header header;
  Bytes data;
};
inline std::vector<Frame> frames(ByteView bytes) {
  std::vector<Frame> out;
  while (!bytes.empty()) {
    const auto read = read_header(bytes);
    EXPECT_TRUE(read);
    if (!read) break;
    bytes = bytes.subspan(read->size);
    EXPECT_GE(bytes.size(), read->header.length);
    out.push_back({read->header, to_bytes(bytes.first(std::min(bytes.size(), read->header.length)))});
    bytes = bytes.subspan(out.back().data.size());
  }
  return out;
}

// A session and a hand that plays the peer.
class MplexSession : public ::testing::Test {
 protected:
  void TearDown() override {
    if (session) session->check();
    session.reset();
    EXPECT_EQ(live<Stream>(), 0);
  }
  Session& make() {
    session.emplace(limits, user);
    return *session;
  }
  Result<void> feed(const Bytes& bytes) {
    auto taken = session->on_bytes(bytes);
    session->check();
    return taken;
  }
  Bytes drain(std::size_t room = 1 << 20) {
    Bytes out(room);
    out.resize(session->poll_output(out));
    session->check();
    return out;
  }
  Header only_frame() {
    const auto sent = frames(drain());
    EXPECT_EQ(sent.size(), 1U);
    return sent.empty() ? Header{99, 99, 99} : sent[0].header;
  }
  StreamId open_inbound(std::uint64_t wire = 0) {
    EXPECT_TRUE(feed(frame(Flag::new_stream, wire, std::to_string(wire))));
    EXPECT_FALSE(user.inbound.empty());
    return user.inbound.empty() ? 0 : user.inbound.back();
  }
  StreamId open_outbound() {
    const StreamId id = session->open().value();
    EXPECT_EQ(only_frame().flag, static_cast<std::uint8_t>(Flag::new_stream));
    return id;
  }

  Limits limits;
  Recorder user;
  std::optional<Session> session;
};

}  // namespace libp2p::mplex::testing_session
