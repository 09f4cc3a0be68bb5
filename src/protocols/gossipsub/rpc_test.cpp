#include "protocols/gossipsub/rpc.hpp"

#include <gmock/gmock.h>

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

Bytes hex(std::string_view text) { return *from_hex(text); }

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
  EXPECT_TRUE(decoded(hex("0801")).subscriptions.empty());                       // subscriptions as a varint
  EXPECT_FALSE(decoded(hex("0a020a00")).subscriptions.at(0).subscribe);          // the flag as bytes
  EXPECT_FALSE(decoded(hex("190000000000000000")).control);                      // control as eight bytes
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
  Bytes deep;
  for (int i = 0; i < 100; ++i) append(deep, hex("9b06"));
  for (int i = 0; i < 100; ++i) append(deep, hex("9c06"));
  EXPECT_EQ(error_of(deep), Errc::malformed);
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
  limits.max_control = 18;  // 2 x (tag and 2 of length, tag and 2 of length, topic's 3)
  EXPECT_EQ(decoded(encode_rpc(rpc), limits).publish.size(), 2U);
  limits.max_control = 17;
  EXPECT_EQ(error_of(encode_rpc(rpc), limits), Errc::too_large);
}

TEST(GossipsubRpc, reads_524288_bytes_of_control_and_not_one_more) {
  const auto fill = [](std::size_t total) {
    const std::string topic(total - 12, 't');  // a tag and three bytes of length: of control, of the graft, of its topic
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
