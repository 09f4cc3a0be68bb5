#include "libp2p/multiformats/rlp.hpp"

#include <gtest/gtest.h>

namespace libp2p::multiformats {
namespace {

Bytes string_of(ByteView value) {
  Bytes out;
  append_rlp_string(out, value);
  EXPECT_EQ(out.size(), rlp_string_size(value));
  return out;
}

Bytes uint_of(std::uint64_t value) {
  Bytes out;
  append_rlp_uint(out, value);
  EXPECT_EQ(out.size(), rlp_uint_size(value));
  return out;
}

TEST(Rlp, strings_have_their_shortest_form) {
  EXPECT_EQ(to_hex(string_of({})), "80");
  EXPECT_EQ(to_hex(string_of(Bytes{0x00})), "00");
  EXPECT_EQ(to_hex(string_of(Bytes{0x7f})), "7f");
  EXPECT_EQ(to_hex(string_of(Bytes{0x80})), "8180");
  EXPECT_EQ(to_hex(string_of(as_bytes("dog"))), "83646f67");
  EXPECT_EQ(to_hex(string_of(Bytes(55))).substr(0, 4), "b700");
  EXPECT_EQ(to_hex(string_of(Bytes(56))).substr(0, 6), "b83800");
  EXPECT_EQ(to_hex(string_of(Bytes(1024))).substr(0, 8), "b9040000");
}

TEST(Rlp, integers_have_no_leading_zeros) {
  EXPECT_EQ(to_hex(uint_of(0)), "80");
  EXPECT_EQ(to_hex(uint_of(15)), "0f");
  EXPECT_EQ(to_hex(uint_of(0x80)), "8180");
  EXPECT_EQ(to_hex(uint_of(0x0400)), "820400");
  EXPECT_EQ(to_hex(uint_of(~std::uint64_t{0})), "88ffffffffffffffff");
  Bytes wide;
  append_rlp_big_endian(wide, Bytes{0, 0, 1, 0});
  EXPECT_EQ(to_hex(wide), "820100");
}

TEST(Rlp, a_list_is_read_as_it_was_written) {
  Bytes contents = string_of(as_bytes("cat"));
  append_rlp_uint(contents, 1024);
  Bytes out;
  append_rlp_list_header(out, contents.size());
  EXPECT_EQ(out.size() + contents.size(), rlp_list_size(contents.size()));
  append(out, contents);
  RlpReader reader(out);
  auto list = reader.list();
  ASSERT_TRUE(list);
  EXPECT_EQ(as_text(*list->string()), "cat");
  EXPECT_EQ(*list->uint64(), 1024u);
  EXPECT_TRUE(list->expect_done());
  EXPECT_TRUE(reader.expect_done());
}

void expect_wrong(const Bytes& in, Errc code, std::size_t offset) {
  auto item = RlpReader(in).item();
  ASSERT_FALSE(item) << to_hex(in);
  EXPECT_EQ(item.error(), code);
  EXPECT_EQ(item.error().offset(), offset);
}

TEST(Rlp, an_item_of_55_bytes_has_its_length_in_the_first_byte_and_one_of_56_behind_it) {
  for (const std::size_t size : {0U, 2U, 55U, 56U, 57U, 255U, 256U, 65'535U, 65'536U}) {
    const Bytes contents(size, 7);
    const Bytes text = string_of(contents);
    RlpReader reader(text);
    EXPECT_EQ(to_bytes(reader.string().value()), contents) << size;
    EXPECT_EQ(text.size() - size, size <= 55 ? 1U : size <= 255 ? 2U : size <= 65'535 ? 3U : 4U) << size;
  }
}

TEST(Rlp, forms_that_are_not_the_shortest_are_refused) {
  expect_wrong({0x81, 0x7f}, Errc::malformed, 0);
  expect_wrong({0xb8, 0x01, 0x00}, Errc::malformed, 0);
  expect_wrong({0xf8, 0x00}, Errc::malformed, 0);
  expect_wrong({0xb9, 0x00, 0x40}, Errc::malformed, 0);
  EXPECT_EQ(RlpReader(Bytes{0x00}).uint64().error(), Errc::malformed);
  EXPECT_EQ(RlpReader(Bytes{0x82, 0x00, 0x01}).uint64().error(), Errc::malformed);
}

TEST(Rlp, what_is_cut_or_claims_more_than_there_is_is_refused) {
  expect_wrong({}, Errc::truncated, 0);
  expect_wrong({0x83, 1, 2}, Errc::truncated, 0);
  expect_wrong({0xb9, 0x04}, Errc::truncated, 0);
  expect_wrong({0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}, Errc::truncated, 0);
  expect_wrong({0xc1}, Errc::truncated, 0);
  EXPECT_EQ(RlpReader(Bytes{0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1}).uint64().error(), Errc::malformed);
}

TEST(Rlp, errors_inside_a_list_count_from_the_start_and_a_wrong_kind_consumes_nothing) {
  const Bytes in{0xc4, 0x01, 0x82, 0x01, 0xc0};
  RlpReader reader(in);
  EXPECT_EQ(reader.string().error(), Errc::malformed);
  auto list = reader.list();
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->list());
  EXPECT_EQ(*list->uint64(), 1u);
  EXPECT_EQ(list->fixed<3>().error().offset(), 2u);
  EXPECT_TRUE(list->expect_done());
  EXPECT_EQ(RlpReader(Bytes{0x01, 0x02}).expect_done().error().offset(), 0u);
}

}  // namespace
}  // namespace libp2p::multiformats
