#include "libp2p/base/protobuf.hpp"

#include <gtest/gtest.h>

namespace libp2p {
namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }

// The values are those of Go 1.26's encoding/binary and of google.golang.org/protobuf v1.36.11.
TEST(Uvarint, is_padded_up_to_ten_bytes_and_holds_64_bits) {
  EXPECT_EQ(read_uvarint(hex("8580808080808080808000")).fault, Uvarint::Fault::overflow);
  const auto padded = read_uvarint(hex("85808080808080808000ff"));
  EXPECT_EQ(padded.fault, Uvarint::Fault::none);
  EXPECT_EQ(padded.value, 5u);
  EXPECT_EQ(padded.size, 10u);
  EXPECT_EQ(read_uvarint(hex("ffffffffffffffffff01")).value, ~std::uint64_t{0});
  EXPECT_EQ(read_uvarint(hex("ffffffffffffffffff02")).fault, Uvarint::Fault::overflow);
  EXPECT_EQ(read_uvarint(hex("ffffffffffffffffff")).fault, Uvarint::Fault::truncated);
  EXPECT_EQ(read_uvarint({}).fault, Uvarint::Fault::truncated);
}

TEST(Protobuf, gives_every_field_with_what_it_takes) {
  const Bytes message =
      hex("8800"
          "05"
          "1201aa"
          "1d01020304"
          "210102030405060708"
          "2b30012c"
          "fa0600");
  ProtobufReader reader(message);
  ProtobufField field;
  const auto next = [&] { return reader.next(field).value(); };
  ASSERT_TRUE(next());
  EXPECT_EQ(field.number, 1u);
  EXPECT_EQ(field.value, 5u);
  EXPECT_EQ(field.tag_size, 2u);
  ASSERT_TRUE(next());
  EXPECT_TRUE(field.is_bytes());
  EXPECT_EQ(field.value_size, 2u);
  EXPECT_TRUE(equal(field.bytes, hex("aa")));
  ASSERT_TRUE(next());
  EXPECT_EQ(field.type, WireType::fixed32);
  ASSERT_TRUE(next());
  EXPECT_EQ(field.type, WireType::fixed64);
  ASSERT_TRUE(next());
  EXPECT_EQ(field.type, WireType::group);
  EXPECT_TRUE(equal(field.bytes, hex("30012c")));
  ASSERT_TRUE(next());
  EXPECT_EQ(field.number, 111u);
  EXPECT_FALSE(next());
}

TEST(Protobuf, refuses_what_Go_refuses_and_names_the_byte) {
  for (const auto* text :
       {"00", "0e", "0f", "0c", "0b", "0b14", "0b0014", "0802", "0880", "0a05aa", "0d000000", "09", "8080808010"}) {
    const Bytes message = hex(text);
    const bool fine = std::string_view(text) == "0802";
    EXPECT_EQ(check_protobuf(message).has_value(), fine) << text;
  }
  EXPECT_EQ(check_protobuf(hex("08010e")).error().offset(), 3u);
  EXPECT_EQ(check_protobuf(hex("0a05aa"), "x", nullptr, Errc::truncated).error(), Errc::truncated);
  EXPECT_EQ(check_protobuf(hex("0a05aa")).error(), Errc::malformed);
}

TEST(Protobuf, keeps_what_older_readers_keep_only_above_the_known_fields_and_in_linear_time) {
  const auto count = [](ByteView message) {
    ProtobufReader reader(message);
    reader.keep_unknown_above(6, 512U << 10);
    std::size_t fields = 0;
    for (ProtobufField field;;) {
      const auto more = reader.next(field);
      if (!more) return -1;
      if (!*more) return static_cast<int>(fields);
      ++fields;
    }
  };
  EXPECT_EQ(count(hex("3b441001")), 1);   // group 7 ends as 8; then field 2
  EXPECT_EQ(count(hex("1b241001")), -1);  // a known number is read as Go reads it
  EXPECT_EQ(count(hex("3a7f")), -1);
  EXPECT_EQ(count(hex("3cffffffffffffffffff7f")), -1);
  EXPECT_EQ(count(hex("38ffffffffffffffffff7f1001")), 1);
  const Bytes longer = hex("388001");
  EXPECT_EQ(count(ByteView(longer).first(2)), -1) << "what lies behind the message is not read";
  Bytes many;
  for (int i = 0; i < 200'000; ++i) append(many, hex("3b44"));
  EXPECT_EQ(count(many), 0);
  for (int i = 0; i < 200'000; ++i) append(many, hex("3b44"));
  ProtobufReader reader(many);
  ProtobufField field;
  EXPECT_EQ(reader.keep_unknown_above(6, 512U << 10).next(field).error().offset(), (512U << 10) + 2)
      << "no more is gone over";
}

}  // namespace
}  // namespace libp2p
