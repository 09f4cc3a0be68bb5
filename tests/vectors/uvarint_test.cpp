#include <gtest/gtest.h>

#include "libp2p/multiformats/varint.hpp"
#include "testing/vectors.hpp"

namespace uvarint_vectors {
namespace {

using namespace testing_vectors;
constexpr auto kFamily = "libp2p/uvarint";

TEST(UvarintVectors, have_no_unknown_key) { expect_known_root_keys(kFamily, {"decode", "encode"}); }

TEST(UvarintVectors, encode) {
  for_each_case(kFamily, "encode", {"bytes", "value"}, [](const json::object& item, const std::string&) {
    const auto value = unsigned_integer(item, "value");
    libp2p::Bytes out;
    libp2p::multiformats::append_varint(out, value);
    EXPECT_EQ(out, bytes(item, "bytes"));
    EXPECT_EQ(libp2p::multiformats::varint_size(value), out.size());
    const auto back = libp2p::multiformats::read_varint(out);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->value, value);
  });
}

// "protobuf_varint" is for comparison: protobuf fields are read by protozero, not by this varint.
TEST(UvarintVectors, decode) {
  for_each_case(kFamily, "decode", {"bytes", "valid", "value", "consumed", "protobuf_varint", "reference_error"},
                [](const json::object& item, const std::string&) {
                  const auto in = bytes(item, "bytes");
                  const auto read = libp2p::multiformats::read_varint(in);
                  ASSERT_EQ(read.has_value(), boolean(item, "valid"));
                  if (!read) return;
                  EXPECT_EQ(read->value, unsigned_integer(item, "value"));
                  EXPECT_EQ(read->size, unsigned_integer(item, "consumed"));
                });
}

}  // namespace
}  // namespace uvarint_vectors
