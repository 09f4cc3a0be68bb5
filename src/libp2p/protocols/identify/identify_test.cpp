#include "libp2p/protocols/identify/identify.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::identify {
namespace {

Message full() {
  Message message;
  message.public_key = to_bytes("key");
  message.listen_addrs = {to_bytes("address one"), to_bytes("address two")};
  message.protocols = {"/a", "/b", ""};
  message.observed_addr = to_bytes("seen");
  message.protocol_version = "ipfs/0.1.0";
  message.agent_version = "";
  message.signed_peer_record = to_bytes("record");
  return message;
}

TEST(Identify, round_trips_and_tells_absent_from_empty) {
  EXPECT_EQ(decode(encode(full())).value(), full());
  EXPECT_TRUE(encode({}).empty());
  EXPECT_EQ(decode({}).value(), Message{});
  EXPECT_TRUE(decode(encode(full()))->agent_version.has_value());
}

TEST(Identify, skips_unknown_fields_and_takes_the_last_of_a_single_one) {
  Bytes message = encode(full());
  append(message, Bytes{0x38, 0x01});                 // field 7, varint
  append(message, Bytes{0x08, 0x01});                 // field 1 as a varint
  append(message, Bytes{0x32, 0x03, 'n', 'e', 'w'});  // agent again
  auto expected = full();
  expected.agent_version = "new";
  EXPECT_EQ(decode(message).value(), expected);
}

TEST(Identify, sends_a_large_signed_record_in_a_part_of_its_own) {
  auto message = full();
  EXPECT_EQ(encode_parts(message).size(), encode(message).size() + 1);
  message.signed_peer_record = Bytes(kSplitAbove, 1);
  const Bytes parts = encode_parts(message);
  auto first = message;
  first.signed_peer_record.reset();
  EXPECT_EQ(multiformats::read_varint(parts)->value, encode(first).size());
  EXPECT_EQ(decode_parts(parts).value(), message);
}

TEST(Identify, merges_parts_in_order) {
  Message one, two;
  one.protocols = {"/a"};
  one.agent_version = "old";
  two.protocols = {"/b"};
  two.agent_version = "new";
  Bytes stream = encode_parts(one);
  append(stream, encode_parts(two));
  const auto merged = decode_parts(stream).value();
  EXPECT_EQ(merged.protocols, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(merged.agent_version, "new");
}

TEST(Identify, refuses_streams_that_are_cut_too_large_or_broken) {
  Message one = full();
  one.agent_version = std::string(200, 'a');  // so that the length takes two bytes
  const Bytes stream = encode_parts(one);
  EXPECT_EQ(decode_parts(ByteView(stream).first(1)).error().code(), Errc::truncated);
  for (std::size_t n = 3; n < stream.size(); ++n)
    EXPECT_EQ(decode_parts(ByteView(stream).first(n)).error().code(), Errc::truncated) << n;
  Bytes large;
  multiformats::append_varint(large, kMaxPart + 1);
  EXPECT_EQ(decode_parts(large).error().code(), Errc::too_large);
  Message largest;
  largest.agent_version = std::string(kMaxPart - 3, 'a');  // a tag and two bytes of length
  EXPECT_EQ(encode(largest).size(), kMaxPart);
  EXPECT_EQ(decode_parts(encode_parts(largest)).value(), largest);
  EXPECT_TRUE(decode_parts(Bytes(9, 0)));
  EXPECT_EQ(decode_parts(Bytes(10, 0)).error().code(), Errc::too_large);
  EXPECT_EQ(decode(Bytes{0x0a, 0x05, 'x'}).error().code(), Errc::malformed);
  EXPECT_EQ(decode(Bytes{0x0b}).error().code(), Errc::malformed);  // a group without an end
  Message many;
  many.protocols.assign(kMaxEntries + 1, "");
  EXPECT_EQ(decode(encode(many)).error().code(), Errc::exhausted);
}

TEST(Identify, reads_what_go_libp2p_reads) {
  EXPECT_EQ(decode(Bytes{0x0b, 0x0c}).value(), Message{});      // a group
  EXPECT_EQ(decode(*from_hex("c0a30900")).value(), Message{});  // field 19000, which no schema may use
  EXPECT_EQ(decode(*from_hex("38ffffffffffffffffff01")).value(), Message{});
  EXPECT_EQ(decode(*from_hex("38ffffffffffffffffff02")).error().code(), Errc::malformed);
  // A stream that ends in order, or where the length of one more part stands.
  EXPECT_EQ(decode_parts({}).value(), Message{});
  Bytes stream = encode_parts(full());
  stream.push_back(0x05);
  EXPECT_EQ(decode_parts(stream).value(), full());
  stream.push_back(0x0a);
  EXPECT_EQ(decode_parts(stream).error().code(), Errc::truncated);
}

TEST(Identify, survives_any_change_of_a_message) {
  const Bytes original = encode_parts(full());
  SeededRng rng(1);
  for (int i = 0; i < 5000; ++i) {
    Bytes changed = original;
    for (int flips = 0; flips < 3; ++flips)
      changed[rng.below(changed.size())] = static_cast<std::uint8_t>(rng.below(256));
    if (const auto decoded = decode_parts(changed)) {
      EXPECT_EQ(decode_parts(encode_parts(*decoded)).value(), *decoded);
    }
  }
}

}  // namespace
}  // namespace libp2p::identify
