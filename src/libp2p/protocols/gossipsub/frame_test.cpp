#include "libp2p/protocols/gossipsub/frame.hpp"

#include <gmock/gmock.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::gossipsub {
namespace {

constexpr std::size_t kMax = 10U << 20;

Message message_of(std::string_view topic, ByteView data) {
  Message message;
  message.topic = topic;
  message.data = data;
  return message;
}

Rpc rpc_of(std::string_view topic, ByteView data) {
  Rpc rpc;
  rpc.publish.push_back(message_of(topic, data));
  return rpc;
}

// All frames that come out of `stream` when it is cut into pieces of `step` bytes.
std::vector<SharedBytes> read_all(ByteView stream, std::size_t step, FrameReader& reader) {
  std::vector<SharedBytes> frames;
  while (!stream.empty()) {
    ByteView piece = stream.first(std::min(step, stream.size()));
    stream = stream.subspan(piece.size());
    for (;;) {
      auto frame = reader.next(piece);
      EXPECT_TRUE(frame);
      if (!frame || !*frame) break;
      frames.push_back(std::move(**frame));
    }
    EXPECT_TRUE(piece.empty());
  }
  return frames;
}

TEST(GossipsubFrame, is_the_same_whether_made_for_sharing_or_by_the_codec) {
  for (const std::size_t size : {1U, 100U, 127U, 128U, 20'000U}) {
    const Bytes data(size, 0x5a);
    const auto message = SharedMessage::make("/optimism/10/3/blocks", data);
    EXPECT_EQ(*message.frame(), *encode_frame(rpc_of("/optimism/10/3/blocks", data))) << size;
    EXPECT_TRUE(equal(message.data(), data));
    EXPECT_EQ(message.frame_size(), message_frame_size("/optimism/10/3/blocks", size));
  }
}

TEST(GossipsubFrame, of_a_message_without_data_can_be_read) {
  const auto message = SharedMessage::make("topic", {});
  const auto rpc = decode_frame(message.frame(), RpcLimits{});
  ASSERT_TRUE(rpc);
  EXPECT_EQ(rpc->publish.at(0).topic, "topic");
  EXPECT_TRUE(message.data().empty());
}

TEST(GossipsubFrame, keeps_the_fields_of_an_author_whether_they_are_empty_or_not) {
  const Bytes some = to_bytes("some"), none;
  for (int fields = 1; fields < 64; ++fields) {
    const auto field = [&](int n, bool filled) {
      return (fields >> n & 1) != 0 ? std::optional(ByteView(filled ? some : none)) : std::nullopt;
    };
    for (const bool filled : {false, true}) {
      Message message{.from = field(0, filled),
                      .data = field(1, filled),
                      .seqno = field(2, filled),
                      .topic = "topic",
                      .signature = field(3, filled),
                      .key = field(4, filled)};
      if (message.anonymous()) continue;
      Rpc rpc;
      rpc.publish.push_back(message);
      if ((fields >> 5 & 1) != 0) rpc.control.emplace().graft.push_back({"topic"});
      const auto frame = encode_frame(rpc);
      const auto received = decode_frame(frame, RpcLimits{}).value();
      const auto shared = SharedMessage::from_received(received, received.publish[0]);
      Rpc alone;
      alone.publish.push_back(message);
      EXPECT_EQ(*shared.frame(), *encode_frame(alone));
      EXPECT_EQ(shared.frame_size(), message_frame_size(message));
      EXPECT_TRUE(equal(shared.data(), message.data.value_or(ByteView())));
    }
  }
}

TEST(GossipsubFrame, that_came_in_with_one_message_alone_is_sent_on_as_it_is) {
  const Bytes data(5000, 1);
  const auto frame = encode_frame(rpc_of("topic", data));
  const auto rpc = decode_frame(frame, RpcLimits{}).value();
  const auto message = SharedMessage::from_received(rpc, rpc.publish[0]);
  EXPECT_EQ(message.frame(), frame);
  EXPECT_TRUE(equal(message.data(), data));
  EXPECT_EQ(message.slice().owner(), frame);
}

TEST(GossipsubFrame, that_came_in_with_anything_else_is_made_anew) {
  const Bytes data(5000, 1);
  Rpc with_control = rpc_of("topic", data);
  with_control.control.emplace().graft.push_back({"topic"});
  Rpc two = rpc_of("topic", data);
  two.publish.push_back(message_of("topic", data));
  Bytes unknown_field = *encode_frame(rpc_of("topic", data));
  Bytes body(unknown_field.begin() + 2, unknown_field.end());
  append(body, Bytes{0xf8, 0x06, 0x01});
  Bytes longer;
  multiformats::append_varint(longer, body.size());
  append(longer, body);
  for (const auto& frame : {encode_frame(with_control), encode_frame(two), share(longer)}) {
    const auto rpc = decode_frame(frame, RpcLimits{}).value();
    const auto message = SharedMessage::from_received(rpc, rpc.publish[0]);
    EXPECT_NE(message.frame(), frame);
    EXPECT_EQ(*message.frame(), *encode_frame(rpc_of("topic", data)));
  }
}

TEST(GossipsubFrameReader, cuts_a_stream_into_the_same_frames_whatever_pieces_it_comes_in) {
  SeededRng rng(4);
  Bytes stream;
  std::vector<Bytes> expected;
  for (const std::size_t size : {1U, 130U, 3U, 400'000U, 20'000U}) {
    Bytes data(size);
    rng.fill(data);
    expected.push_back(*encode_frame(rpc_of("topic", data)));
    append(stream, expected.back());
    stream.push_back(0);  // an empty frame in between
  }
  for (const std::size_t step : {1U, 7U, 4096U, 65'536U, 10'000'000U}) {
    FrameReader reader(kMax);
    const auto frames = read_all(stream, step, reader);
    ASSERT_EQ(frames.size(), expected.size()) << step;
    for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(*frames[i], expected[i]);
    EXPECT_TRUE(reader.at_boundary());
    EXPECT_EQ(reader.buffered(), 0U);
  }
}

TEST(GossipsubFrameReader, takes_exactly_the_largest_frame_that_is_allowed) {
  for (const std::size_t size : {std::size_t{1000}, std::size_t{1001}}) {
    Bytes stream;
    multiformats::append_varint(stream, size);
    stream.resize(stream.size() + size);
    FrameReader reader(1000);
    ByteView in(stream);
    const auto frame = reader.next(in);
    EXPECT_EQ(bool(frame), size == 1000);
    if (!frame) {
      EXPECT_EQ(frame.error().code(), Errc::too_large);
    }
  }
}

TEST(GossipsubFrameReader, does_not_allocate_on_the_word_of_a_length) {
  Bytes start;
  multiformats::append_varint(start, kMax);
  start.resize(start.size() + 100, 0x12);
  FrameReader reader(kMax);
  ByteView in(start);
  ASSERT_TRUE(reader.next(in));
  EXPECT_EQ(reader.buffered(), start.size());
  EXPECT_LE(reader.allocated(), 256U << 10);
  EXPECT_FALSE(reader.at_boundary());
}

TEST(GossipsubFrameReader, refuses_a_length_that_is_no_number) {
  for (const auto* text : {"8000", "ffffffffffffffffffff01", "ffffffffffffffff7f"}) {
    const Bytes bytes = *from_hex(text);
    FrameReader reader(kMax);
    ByteView in(bytes);
    EXPECT_FALSE(reader.next(in)) << text;
  }
}

}  // namespace
}  // namespace libp2p::gossipsub
