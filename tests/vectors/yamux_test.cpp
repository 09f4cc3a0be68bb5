// libp2p/yamux.json: the header table, raw input to a server, and recorded sessions fed to a session of ours.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "libp2p/protocols/yamux/session.hpp"
#include "testing/vectors.hpp"

namespace yamux_vectors {
namespace {

using namespace testing_vectors;
using namespace libp2p;
using namespace libp2p::yamux;

class User : public SessionEvents {
 public:
  struct Seen {
    Bytes data;
    bool ended = false, reset = false;
  };
  void on_inbound_stream(StreamId id) override { inbound.push_back(id); }
  void on_data(StreamId id, ByteView data) override { append(streams[wire_id(id)].data, data); }
  void on_end(StreamId id) override { streams[wire_id(id)].ended = true; }
  void on_reset(StreamId id, const Error&) override { streams[wire_id(id)].reset = true; }
  void on_writable(StreamId) override {}
  void on_closed(StreamId) override {}
  std::vector<StreamId> inbound;
  std::map<std::uint32_t, Seen> streams;
};

const Now kNow{MonoTime(Seconds(1)), UnixTime(Seconds(1))};

struct Frame {
  Header header;
  Bytes payload;
};

std::vector<Frame> parse(ByteView bytes) {
  std::vector<Frame> out;
  while (!bytes.empty()) {
    EXPECT_GE(bytes.size(), kHeaderSize);
    if (bytes.size() < kHeaderSize) break;
    Frame frame{read_header(header_in(bytes)), {}};
    bytes = bytes.subspan(kHeaderSize);
    if (frame.header.type == static_cast<std::uint8_t>(FrameType::data)) {
      EXPECT_GE(bytes.size(), frame.header.length);
      frame.payload = to_bytes(bytes.first(std::min<std::size_t>(bytes.size(), frame.header.length)));
      bytes = bytes.subspan(frame.payload.size());
    }
    out.push_back(std::move(frame));
  }
  return out;
}

Bytes drain(Session& session) {
  Bytes out(1 << 20);
  out.resize(session.poll_output(out, kNow));
  return out;
}

std::uint8_t type_number(const std::string& name) {
  if (name == "data") return 0;
  if (name == "window_update") return 1;
  if (name == "ping") return 2;
  EXPECT_EQ(name, "go_away");
  return 3;
}

Header described(const json::object& frame) {
  for (const auto& field : frame)
    EXPECT_TRUE(field.key() == "version" || field.key() == "type" || field.key() == "flags" ||
                field.key() == "stream_id" || field.key() == "length" || field.key() == "data")
        << field.key();
  return {static_cast<std::uint8_t>(integer(frame, "version")), type_number(text(frame, "type")),
          static_cast<std::uint16_t>(integer(frame, "flags")),
          static_cast<std::uint32_t>(unsigned_integer(frame, "stream_id")),
          static_cast<std::uint32_t>(unsigned_integer(frame, "length"))};
}

// Hexadecimal, or "(65524 zero bytes)".
Bytes described_data(const json::object& frame) {
  const auto value = text(frame, "data");
  if (value.rfind("0x", 0) == 0) return parse_hex(value);
  return Bytes(std::stoul(value.substr(1)));
}

TEST(YamuxVectors, headers) {
  expect_known_root_keys("libp2p/yamux", {"headers", "raw_input_to_server", "sessions"});
  for_each_case("libp2p/yamux", "headers", {"bytes", "type", "flags", "stream_id", "length", "why", "version"},
                [](const json::object& item, const std::string&) {
                  const auto encoded = bytes(item, "bytes");
                  ASSERT_EQ(encoded.size(), kHeaderSize);
                  const auto header = read_header(header_in(ByteView(encoded)));
                  EXPECT_EQ(header.version, has(item, "version") ? integer(item, "version") : 0);
                  EXPECT_EQ(header.type, integer(item, "type"));
                  EXPECT_EQ(header.flags, integer(item, "flags"));
                  EXPECT_EQ(header.stream_id, unsigned_integer(item, "stream_id"));
                  EXPECT_EQ(header.length, unsigned_integer(item, "length"));
                  Bytes again(kHeaderSize);
                  write_header(header_in(MutableBytes(again)), header);
                  EXPECT_EQ(to_hex(again), to_hex(encoded));
                });
}

void check_raw_input(const json::object& item) {
  Bytes in = bytes(item, "bytes");
  in.resize(in.size() + unsigned_integer(item, "followed_by_zero_bytes"));
  for (const std::size_t step : {std::size_t{5}, in.size()}) {
    User user;
    Session session(Side::server, yamux::Limits{}, user, kNow);
    Result<void> result;
    for (std::size_t at = 0; at < in.size() && result; at += step)
      result = session.on_bytes(ByteView(in).subspan(at, std::min(step, in.size() - at)), kNow);
    EXPECT_EQ(!result, boolean(item, "session_closed"));
    // What the reference wrote is in what we write, but for the values of its own pings; where the session lives on we
    // write nothing else than acknowledgements of streams, which the reference sends when its user accepts.
    const auto sent = parse(drain(session));
    for (const auto& entry : item.at("server_frames").as_array()) {
      const auto expected = described(entry.as_object());
      const bool own_ping = expected.type == 2 && expected.has(kSyn);
      if (own_ping && !result) continue;  // dropped with the session
      const bool found = std::any_of(sent.begin(), sent.end(), [&](const Frame& frame) {
        return own_ping ? frame.header.type == 2 && frame.header.has(kSyn) : frame.header == expected;
      });
      EXPECT_TRUE(found) << json::serialize(entry);
    }
    for (const auto& frame : sent) {
      const bool go_away = frame.header.type == 3;
      EXPECT_EQ(go_away, !result);
      EXPECT_TRUE(!result || frame.header.type == 2 || frame.header.flags == kAck);
    }
  }
}

TEST(YamuxVectors, raw_input_to_a_server) {
  for_each_case("libp2p/yamux", "raw_input_to_server",
                {"bytes", "followed_by_zero_bytes", "server_frames", "session_closed", "why"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "why"));
                  check_raw_input(item);
                });
}

// What one side wrote: the frames that the file describes, and, where the raw writes are there, their bytes.
std::vector<Frame> written(const json::object& item, const std::string& side) {
  std::vector<Frame> frames;
  for (const auto& entry : item.at(side + "_frames").as_array()) {
    const auto& frame = entry.as_object();
    const auto header = described(frame);
    frames.push_back({header, header.type == 0 ? described_data(frame) : Bytes{}});
    EXPECT_TRUE(header.type != 0 || header.length == frames.back().payload.size());
  }
  if (!has(item, "writes")) return frames;
  Bytes raw;
  for (const auto& entry : item.at("writes").as_array())
    if (text(entry.as_object(), "from") == side) append(raw, bytes(entry.as_object(), "bytes"));
  const auto parsed = parse(raw);
  EXPECT_EQ(parsed.size(), frames.size());
  for (std::size_t i = 0; i < std::min(parsed.size(), frames.size()); ++i) {
    EXPECT_EQ(parsed[i].header, frames[i].header) << i;
    EXPECT_EQ(parsed[i].payload, frames[i].payload) << i;
  }
  return frames;
}

// Plays the writes of `side` to a session of ours on the other side, which has opened the streams that the recording's
// other side had, and compares what came out of each stream.
void check_received(const json::object& item, const std::string& side) {
  const auto frames = written(item, side);
  const auto other = written(item, side == "client" ? "server" : "client");
  User user;
  Session session(side == "client" ? Side::server : Side::client, yamux::Limits{}, user, kNow);
  for (const auto& frame : other) {
    if (frame.header.type > 1 || !frame.header.has(kSyn)) continue;
    EXPECT_EQ(wire_id(session.open(kNow).value()), frame.header.stream_id);
  }
  std::map<std::uint32_t, User::Seen> expected;
  std::size_t opened = 0;
  for (const auto& frame : frames) {
    Bytes raw(kHeaderSize);
    write_header(header_in(MutableBytes(raw)), frame.header);
    append(raw, frame.payload);
    ASSERT_TRUE(session.on_bytes(raw, kNow));
    if (frame.header.type > 1) continue;
    opened += frame.header.has(kSyn) ? 1 : 0;
    auto& stream = expected[frame.header.stream_id];
    append(stream.data, frame.payload);
    stream.ended |= frame.header.has(kFin);
    stream.reset |= frame.header.has(kRst);
  }
  EXPECT_EQ(user.inbound.size(), opened);
  for (const auto& [id, stream] : expected) {
    EXPECT_TRUE(user.streams[id].data == stream.data) << id;
    EXPECT_EQ(user.streams[id].ended, stream.ended) << id;
    EXPECT_EQ(user.streams[id].reset, stream.reset) << id;
  }
  for (const auto& frame : frames) {
    if (frame.header.type != 2 || !frame.header.has(kSyn)) continue;
    const auto sent = parse(drain(session));
    EXPECT_TRUE(std::any_of(sent.begin(), sent.end(), [&](const Frame& out) {
      return out.header == make_header(FrameType::ping, kAck, 0, frame.header.length);
    }));
    break;
  }
}

TEST(YamuxVectors, recorded_sessions) {
  for_each_case("libp2p/yamux", "sessions", {"about", "name", "client_frames", "server_frames", "writes"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  check_received(item, "client");
                  check_received(item, "server");
                });
}

}  // namespace
}  // namespace yamux_vectors
