#include "libp2p/protocols/gossipsub/rpc.hpp"

#include <gmock/gmock.h>

#include <chrono>

#include "libp2p/multiformats/varint.hpp"

namespace libp2p::gossipsub {
namespace {

Rpc decoded(ByteView bytes, const RpcLimits& limits = {}) {
  auto rpc = decode_rpc(bytes, limits);
  EXPECT_TRUE(rpc) << rpc.error().message();
  return rpc ? std::move(*rpc) : Rpc();
}

Errc error_of(ByteView bytes, const RpcLimits& limits = {}) {
  const auto rpc = decode_rpc(bytes, limits);
  EXPECT_FALSE(rpc);
  return rpc ? Errc::io : rpc.error().code();
}

Bytes hex(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != ' ') digits += c;
  return *from_hex(digits);
}

// A group in a group, so many.
Bytes groups(int depth) {
  Bytes out;
  for (int i = 0; i < depth; ++i) append(out, hex("9b06"));
  for (int i = 0; i < depth; ++i) append(out, hex("9c06"));
  return out;
}

TEST(GossipsubRpc, reads_back_what_it_wrote) {
  const Bytes id(20, 7);
  Rpc rpc;
  rpc.subscriptions.push_back({true, "topic", false, {}});
  Message message;
  message.data = ByteView(id);
  message.topic = "topic";
  rpc.publish.push_back(message);
  Control& control = rpc.control.emplace();
  control.ihave.push_back({"topic", {ByteView(id), ByteView(id)}});
  control.iwant.push_back({{ByteView(id)}});
  control.graft.push_back({"topic"});
  control.prune.push_back({"topic", {{ByteView(id), std::nullopt}}, 60});
  control.idontwant.push_back({{ByteView(id)}});
  control.extensions = Extensions{true, std::nullopt};
  rpc.test_extension = true;
  const Bytes bytes = encode_rpc(rpc);
  const Rpc again = decoded(bytes);
  EXPECT_EQ(encode_rpc(again), bytes);
  EXPECT_EQ(again.control->prune.at(0).backoff, 60U);
  EXPECT_EQ(again.control->ihave.at(0).ids.size(), 2U);
  EXPECT_EQ(again.subscriptions.at(0).requests_partial, false);
  EXPECT_FALSE(again.subscriptions.at(0).supports_sending_partial);
}

TEST(GossipsubRpc, tells_an_absent_field_from_an_empty_one) {
  const Bytes bytes = hex("120a0a002201612203626364");
  const Rpc rpc = decoded(bytes);
  EXPECT_TRUE(rpc.publish.at(0).from);
  EXPECT_FALSE(rpc.publish.at(0).anonymous());
  EXPECT_EQ(rpc.publish.at(0).topic, "bcd") << "the last one counts";
  EXPECT_FALSE(rpc.publish.at(0).data);
}

TEST(GossipsubRpc, writes_messages_that_are_empty) {
  Rpc rpc;
  rpc.subscriptions.emplace_back();
  rpc.publish.emplace_back();
  rpc.control.emplace().iwant.emplace_back();
  rpc.test_extension = true;
  EXPECT_EQ(to_hex(encode_rpc(rpc)), "0a0012001a0212009291e21800");
}

TEST(GossipsubRpc, takes_a_known_number_of_another_wire_type_for_an_unknown_field) {
  EXPECT_TRUE(decoded(hex("0801")).subscriptions.empty());               // subscriptions as a varint
  EXPECT_FALSE(decoded(hex("0a020a00")).subscriptions.at(0).subscribe);  // the flag as bytes
  EXPECT_FALSE(decoded(hex("190000000000000000")).control);              // control as eight bytes
}

TEST(GossipsubRpc, skips_unknown_fields_of_every_wire_type_and_nested_groups) {
  EXPECT_TRUE(decoded(hex("f80601")).subscriptions.empty());
  EXPECT_TRUE(decoded(hex("f9060000000000000000")).subscriptions.empty());
  EXPECT_TRUE(decoded(hex("fd0600000000")).subscriptions.empty());
  EXPECT_TRUE(decoded(hex("9b069b069c069c06")).subscriptions.empty());
}

TEST(GossipsubRpc, refuses_broken_groups) {
  EXPECT_EQ(error_of(hex("9b06")), Errc::truncated);
  EXPECT_EQ(error_of(hex("9c06")), Errc::malformed);
  EXPECT_EQ(error_of(hex("9b06a406")), Errc::malformed);
  EXPECT_EQ(error_of(groups(10'002)), Errc::malformed);
}

// What op-node v1.19.6 reads, it forwards: an RPC that is refused here is an honest peer that is blamed.
TEST(GossipsubRpc, reads_groups_as_deep_as_Go_does_beside_a_message) {
  for (const int depth : {1, 64, 65, 100, 10'001}) {
    Bytes message = groups(depth);
    append(message, hex("1201bb220174"));
    Bytes rpc{0x12};
    multiformats::append_varint(rpc, message.size());
    append(rpc, message);
    const Rpc read = decoded(rpc);
    ASSERT_EQ(read.publish.size(), 1U) << depth;
    EXPECT_EQ(read.publish[0].topic, "t");
    EXPECT_TRUE(equal(*read.publish[0].data, hex("bb")));
    EXPECT_TRUE(decode_rpc(groups(depth), RpcLimits{})) << depth;
  }
}

TEST(GossipsubRpc, reads_numbers_as_Go_does) {
  EXPECT_EQ(decoded(hex("12 85808080808080808000 22 818000 7412 00")).publish.at(0).topic, "t");  // padded
  EXPECT_TRUE(decoded(hex("f806 ffffffffffffffffff01")).publish.empty());                         // 2^64-1
  EXPECT_EQ(error_of(hex("f806 ffffffffffffffffff02")), Errc::malformed);
  EXPECT_EQ(error_of(hex("f806 ffffffffffffffffff7f")), Errc::malformed);
  EXPECT_EQ(error_of(hex("f806 ffffffffffffffffffff")), Errc::malformed);
  EXPECT_TRUE(decoded(hex("f8ffffff0f 00")).publish.empty());        // field 2^29-1
  EXPECT_EQ(error_of(hex("f8ffffff1f 00")), Errc::malformed);        // and above it
  EXPECT_TRUE(decoded(hex("0b f8ffffff3f 00 0c")).publish.empty());  // which goes in a group, up to 2^31-1
  EXPECT_EQ(error_of(hex("0b f8ffffff7f 00 0c")), Errc::malformed);
}

// Bytes of fields that are unknown in a message reach us through op-node up to v1.19.2, which keeps them without
// reading them. A group that ends as another was first read as Go reads it, with an error for each: 520 kB of them took
// 130 ms to read, a frame of 10 MiB more than a second before it was refused.
TEST(GossipsubRpc, of_fields_that_only_older_op_nodes_keep_is_read_as_fast_as_others) {
  const auto frame_of = [](std::size_t fields, std::uint8_t tag, std::uint8_t after) {
    Bytes message(2 * fields, after);
    for (std::size_t i = 0; i < fields; ++i) message[2 * i] = tag;
    Bytes rpc{0x12};
    multiformats::append_varint(rpc, message.size());
    append(rpc, message);
    Bytes frame;
    multiformats::append_varint(frame, rpc.size());
    append(frame, rpc);
    return share(std::move(frame));
  };
  const auto large = decode_frame(frame_of(5'000'000, 0x3b, 0x44), RpcLimits{});
  ASSERT_FALSE(large);
  EXPECT_LE(large.error().offset().value(), 530'000U);
  // The shortest of some runs, beside that of as many fields that everybody knows how to pass over.
  const auto time_of = [](const SharedBytes& frame) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 10; ++i) {
      const auto began = std::chrono::steady_clock::now();
      EXPECT_TRUE(decode_frame(frame, RpcLimits{}));
      best = std::min(best, std::chrono::steady_clock::now() - began);
    }
    return best;
  };
  EXPECT_LT(time_of(frame_of(260'000, 0x3b, 0x44)), 20 * time_of(frame_of(260'000, 0x38, 0x00)));
}

// Each says that all of the rest is its own: 256 kB of them took 31 s to read.
TEST(GossipsubRpc, of_messages_of_another_wire_type_is_not_read_over_and_over) {
  const auto rpc_of = [](std::size_t count) {
    Bytes rpc;
    for (std::size_t i = 0; i < count; ++i) {
      const auto rest = static_cast<std::uint32_t>(4 * (count - 1 - i));
      append(rpc, Bytes{0x10, static_cast<std::uint8_t>(rest | 0x80), static_cast<std::uint8_t>(rest >> 7 | 0x80),
                        static_cast<std::uint8_t>(rest >> 14)});
    }
    return rpc;
  };
  EXPECT_TRUE(decode_rpc(rpc_of(500), RpcLimits{}));
  const auto many = decode_rpc(rpc_of(20'000), RpcLimits{});
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error(), Errc::too_large);
  EXPECT_LE(many.error().offset().value(), (512U << 10));
}

TEST(GossipsubRpc, reads_unknown_fields_of_a_message_as_older_op_nodes_forward_them) {
  const auto in_message = [](std::string_view field) {
    Bytes message = hex(field);
    append(message, hex("220174"));
    Bytes rpc{0x12};
    multiformats::append_varint(rpc, message.size());
    append(rpc, message);
    return rpc;
  };
  for (const auto* field : {"9b06a406", "f806ffffffffffffffffff7f", "9b0600059c06", "f88080808001 00"}) {
    const Bytes bytes = in_message(field);
    const auto rpc = decode_rpc(bytes, RpcLimits{});
    ASSERT_TRUE(rpc) << field << ": " << rpc.error().message();
    EXPECT_EQ(rpc->publish.at(0).topic, "t") << field;
    EXPECT_FALSE(decode_rpc(hex(field), RpcLimits{})) << field << " beside messages is forwarded by nobody";
  }
  EXPECT_FALSE(decode_rpc(in_message("9b06"), RpcLimits{}));
  EXPECT_FALSE(decode_rpc(in_message("9c06"), RpcLimits{}));
  EXPECT_FALSE(decode_rpc(in_message("ff0600"), RpcLimits{}));
  EXPECT_FALSE(decode_rpc(in_message("0000"), RpcLimits{}));
  EXPECT_TRUE(decode_rpc(in_message("1501020304"), RpcLimits{})) << "v1.19.6 skips it";
  EXPECT_FALSE(decode_rpc(in_message("1501020304 9b06a406"), RpcLimits{})) << "and no version takes both";
  EXPECT_FALSE(decode_rpc(in_message("92808080808080808002 0161"), RpcLimits{}))
      << "a field that is known goes on as it should be";
}

TEST(GossipsubRpc, takes_a_graft_of_the_topics_field_alone) {
  // control { graft { topic "a"; field 5 "b" } }, and the topic as a number.
  EXPECT_EQ(decoded(hex("1a08 1a06 0a0161 2a0162")).control->graft.at(0).topic, "a");
  EXPECT_EQ(decoded(hex("1a08 1a06 2a0162 0a0161")).control->graft.at(0).topic, "a");
  EXPECT_EQ(decoded(hex("1a04 1a02 0801")).control->graft.at(0).topic, std::nullopt);
}

TEST(GossipsubRpc, takes_a_backoff_of_its_own_field_and_type_alone) {
  // control { prune { topic "a"; backoff 60; field 9: 5 } }, and the backoff as bytes.
  EXPECT_EQ(decoded(hex("1a09 2207 0a0161 183c 4805")).control->prune.at(0).backoff, 60U);
  EXPECT_EQ(decoded(hex("1a08 2206 0a0161 1a0161")).control->prune.at(0).backoff, std::nullopt);
}

TEST(GossipsubRpc, reads_a_partial_message_as_far_as_op_node_does) {
  EXPECT_TRUE(decoded(hex("52020a00")).publish.empty());
  EXPECT_EQ(error_of(hex("52020a05")), Errc::truncated);
}

TEST(GossipsubRpc, says_whether_the_partial_message_makes_it_too_large) {
  RpcLimits limits;
  limits.max_control = 6;
  const auto error = [&limits](const Bytes& bytes) { return decode_rpc(bytes, limits).error().message(); };
  EXPECT_TRUE(decode_rpc(hex("5204 0a020000"), limits)) << "six bytes";
  EXPECT_THAT(error(hex("0a020801 5204 0a020000")), testing::HasSubstr("with its partial message it is more than 6"));
  EXPECT_THAT(error(hex("0a020801 0a020801")), testing::HasSubstr("all but the data of its messages is more than 6"));
  EXPECT_THAT(error(hex("5202 0a00 0a020801 0a020801")),
              testing::HasSubstr("with its partial message it is more than 6"));
}

TEST(GossipsubRpc, says_at_which_byte_it_gave_up) {
  const auto rpc = decode_rpc(hex("0a0408011205"), RpcLimits{});
  ASSERT_FALSE(rpc);
  EXPECT_EQ(rpc.error().code(), Errc::truncated);
  EXPECT_EQ(rpc.error().offset(), 6U);
}

TEST(GossipsubRpc, refuses_field_number_zero_and_unknown_wire_types) {
  EXPECT_EQ(error_of(hex("0000")), Errc::malformed);
  EXPECT_EQ(error_of(hex("0e")), Errc::malformed);
  EXPECT_EQ(error_of(hex("0f")), Errc::malformed);
}

TEST(GossipsubRpc, holds_all_but_the_data_of_messages_to_the_bound_on_control) {
  const Bytes data(2000, 1);
  Rpc rpc;
  Message message;
  message.data = ByteView(data);
  message.topic = "t";
  rpc.publish = {message, message};
  RpcLimits limits;
  limits.max_control =
      14;  // 2 x (tag and 2 of length, the data's tag, topic's 3): its length counts as data, as in pubsub
  EXPECT_EQ(decoded(encode_rpc(rpc), limits).publish.size(), 2U);
  limits.max_control = 13;
  EXPECT_EQ(error_of(encode_rpc(rpc), limits), Errc::too_large);
}

TEST(GossipsubRpc, reads_524288_bytes_of_control_and_not_one_more) {
  const auto fill = [](std::size_t total) {
    const std::string topic(total - 12,
                            't');  // a tag and three bytes of length: of control, of the graft, of its topic
    Rpc rpc;
    rpc.control.emplace().graft.push_back({topic});
    return encode_rpc(rpc);
  };
  const Bytes most = fill(524'288);
  ASSERT_EQ(most.size(), 524'288U);
  EXPECT_EQ(decoded(most).control->graft.size(), 1U);
  EXPECT_EQ(error_of(fill(524'289)), Errc::too_large);
}

TEST(GossipsubRpc, ignores_and_counts_entries_and_ids_beyond_its_bounds) {
  RpcLimits limits;
  limits.max_entries = 3;
  limits.max_ids = 4;
  Rpc rpc;
  rpc.subscriptions.push_back({true, "a", {}, {}});
  const Bytes id(4, 1);
  rpc.control.emplace().iwant.push_back({std::vector<ByteView>(6, ByteView(id))});
  for (int i = 0; i < 3; ++i) rpc.control->graft.push_back({"a"});
  const Bytes bytes = encode_rpc(rpc);
  const Rpc read = decoded(bytes, limits);
  EXPECT_EQ(read.subscriptions.size() + read.control->iwant.size() + read.control->graft.size(), 3U);
  EXPECT_EQ(read.control->iwant.at(0).ids.size(), 4U);
  EXPECT_EQ(read.ignored, 4U);
}

TEST(GossipsubRpc, refuses_more_messages_than_it_may_hold) {
  RpcLimits limits;
  limits.max_messages = 2;
  EXPECT_EQ(decoded(hex("12001200"), limits).publish.size(), 2U);
  EXPECT_EQ(error_of(hex("120012001200"), limits), Errc::too_large);
}

TEST(GossipsubRpc, reads_a_frame_only_when_its_length_is_that_of_the_rpc) {
  EXPECT_TRUE(decode_frame(share(hex("00")), RpcLimits{}));
  EXPECT_TRUE(decode_frame(share(hex("021200")), RpcLimits{}));
  EXPECT_FALSE(decode_frame(share(hex("031200")), RpcLimits{}));
  EXPECT_FALSE(decode_frame(share(hex("011200")), RpcLimits{}));
  EXPECT_FALSE(decode_frame(share(Bytes()), RpcLimits{}));
}

}  // namespace
}  // namespace libp2p::gossipsub
