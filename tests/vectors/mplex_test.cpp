// libp2p/mplex.json: headers, raw input to a responder, and recorded sessions fed to a session of ours.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "libp2p/protocols/mplex/session.hpp"
#include "testing/vectors.hpp"

namespace mplex_vectors {
namespace {

using namespace testing_vectors;
using namespace libp2p;
using namespace libp2p::mplex;

class User : public SessionEvents {
 public:
  struct Seen {
    Bytes data;
    bool ended = false, reset = false;
  };
  void on_inbound_stream(StreamId id) override { inbound.push_back(id); }
  void on_data(StreamId id, ByteView data) override { append(streams[id].data, data); }
  void on_end(StreamId id) override { streams[id].ended = true; }
  void on_reset(StreamId id, const Error&) override { streams[id].reset = true; }
  void on_writable(StreamId) override {}
  void on_closed(StreamId) override {}
  std::vector<StreamId> inbound;
  std::map<StreamId, Seen> streams;
};

TEST(MplexVectors, headers) {
  expect_known_root_keys("libp2p/mplex", {"headers", "refused_headers", "raw_input_to_responder", "sessions"});
  for_each_case("libp2p/mplex", "headers", {"bytes", "tag", "stream_id", "length", "why"},
                [](const json::object& item, const std::string&) {
                  const Header expected{unsigned_integer(item, "stream_id"),
                                        static_cast<std::uint8_t>(integer(item, "tag")),
                                        static_cast<std::size_t>(unsigned_integer(item, "length"))};
                  const auto encoded = bytes(item, "bytes");
                  const auto read = read_header(encoded);
                  ASSERT_TRUE(read);
                  EXPECT_EQ(read->header, expected);
                  EXPECT_EQ(read->size, encoded.size());
                  Bytes again(kMaxHeader);
                  again.resize(write_header(again, expected));
                  EXPECT_EQ(to_hex(again), to_hex(encoded));
                });
}

TEST(MplexVectors, refused_headers) {
  for_each_case("libp2p/mplex", "refused_headers", {"bytes", "why"}, [](const json::object& item, const std::string&) {
    EXPECT_FALSE(read_header(bytes(item, "bytes"))) << text(item, "why");
  });
}

TEST(MplexVectors, raw_input_to_a_responder) {
  for_each_case("libp2p/mplex", "raw_input_to_responder", {"bytes", "responder_writes", "session_closed", "why"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "why"));
                  const Bytes in = bytes(item, "bytes");
                  for (const std::size_t step : {std::size_t{1}, in.size()}) {
                    User user;
                    Session session(mplex::Limits{}, user);
                    Result<void> result;
                    for (std::size_t at = 0; at < in.size() && result; at += step)
                      result = session.on_bytes(ByteView(in).subspan(at, std::min(step, in.size() - at)));
                    EXPECT_EQ(!result, boolean(item, "session_closed"));
                    Bytes out(1000);
                    out.resize(session.poll_output(out));
                    EXPECT_EQ(to_hex0x(out), text(item, "responder_writes"));
                  }
                });
}

struct Frame {
  Header header;
  Bytes raw, data;
};

// What one side wrote: the frames that the file describes, which our codec writes and reads as the same bytes, and
// which are together what the side put on the wire.
std::vector<Frame> written(const json::object& item, const std::string& side) {
  std::vector<Frame> frames;
  Bytes all;
  for (const auto& entry : item.at(side + "_frames").as_array()) {
    const auto& described = entry.as_object();
    Frame frame{{unsigned_integer(described, "stream_id"), static_cast<std::uint8_t>(integer(described, "tag")),
                 static_cast<std::size_t>(unsigned_integer(described, "length"))},
                bytes(described, "bytes"),
                bytes(described, "data")};
    Bytes encoded(header_size(frame.header));
    write_header(encoded, frame.header);
    append(encoded, frame.data);
    EXPECT_EQ(to_hex(encoded), to_hex(frame.raw)) << text(described, "tag_name");
    append(all, frame.raw);
    frames.push_back(std::move(frame));
  }
  Bytes raw;
  for (const auto& entry : item.at("writes").as_array())
    if (text(entry.as_object(), "from") == side) append(raw, bytes(entry.as_object(), "bytes"));
  EXPECT_EQ(to_hex(raw), to_hex(all));
  return frames;
}

bool opens(const Frame& frame) { return frame.header.flag == static_cast<std::uint8_t>(Flag::new_stream); }

// Plays the writes of `side` to a session of ours on the other side, which has opened the streams that the recording's
// other side had, and compares what came out of each stream.
void check_received(const json::object& item, const std::string& side) {
  User user;
  Session session(mplex::Limits{}, user);
  std::map<std::pair<bool, std::uint64_t>, StreamId> ids;  // by who opened it (true: `side`) and the id on the wire
  for (const auto& frame : written(item, side == "initiator" ? "responder" : "initiator"))
    if (opens(frame)) ids[{false, frame.header.stream_id}] = session.open().value();
  Bytes openings(1000);
  openings.resize(session.poll_output(openings));
  for (ByteView rest = openings; !rest.empty();) {
    const auto read = read_header(rest).value();
    EXPECT_EQ(ids.count({false, read.header.stream_id}), 1U);
    rest = rest.subspan(read.size);
  }
  std::map<StreamId, User::Seen> expected;
  for (const auto& frame : written(item, side)) {
    ASSERT_TRUE(session.on_bytes(frame.raw));
    if (opens(frame)) {
      ids[{true, frame.header.stream_id}] = user.inbound.back();
      continue;
    }
    auto& stream = expected[ids.at({frame.header.by_initiator(), frame.header.stream_id})];
    append(stream.data, frame.data);
    stream.ended |= frame.header.flag == 3 || frame.header.flag == 4;
    stream.reset |= frame.header.flag == 5 || frame.header.flag == 6;
  }
  for (const auto& [id, stream] : expected) {
    EXPECT_TRUE(user.streams[id].data == stream.data) << id;
    EXPECT_EQ(user.streams[id].ended, stream.ended) << id;
    EXPECT_EQ(user.streams[id].reset, stream.reset) << id;
  }
}

TEST(MplexVectors, recorded_sessions) {
  for_each_case("libp2p/mplex", "sessions", {"about", "name", "initiator_frames", "responder_frames", "writes"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  check_received(item, "initiator");
                  check_received(item, "responder");
                });
}

}  // namespace
}  // namespace mplex_vectors
