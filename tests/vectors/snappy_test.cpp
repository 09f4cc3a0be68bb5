// Vectors snappy/block.json and snappy/framing.json.
#include <gtest/gtest.h>

#include <algorithm>

#include "libp2p/base/crc32c.hpp"
#include "libp2p/base/rng.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"
#include "testing/vectors.hpp"

namespace opstack::encoding {
namespace {

namespace json = testing_vectors::json;
using libp2p::crc32c;
using libp2p::crc32c_portable;
using libp2p::masked_crc32c;
using testing_vectors::bytes;
using testing_vectors::for_each_case;
using testing_vectors::has;

constexpr std::size_t kBound = 64 << 20;

// Contents are given whole, or as their length and checksum.
void expect_contents(const json::object& item, libp2p::ByteView contents) {
  bool checked = false;
  if (has(item, "data")) {
    EXPECT_EQ(libp2p::to_hex(contents), libp2p::to_hex(bytes(item, "data")));
    checked = true;
  }
  if (has(item, "length")) {
    EXPECT_EQ(contents.size(), testing_vectors::unsigned_integer(item, "length"));
    EXPECT_EQ(crc32c(contents), testing_vectors::unsigned_integer(item, "crc32c"));
    checked = true;
  }
  EXPECT_TRUE(checked) << "the case says nothing about the contents";
}

TEST(SnappyVectors, files_hold_no_unknown_keys) {
  testing_vectors::expect_known_root_keys("snappy/block", {"encoded", "elements"});
  testing_vectors::expect_known_root_keys("snappy/framing", {"crc32c", "streams"});
}

TEST(SnappyVectors, blocks_of_the_reference_encoder_decode_and_ours_do_too) {
  for_each_case("snappy/block", "encoded",
                {"name", "compressed", "crc32c", "data", "data_note", "length", "kind", "source"},
                [](const json::object& item, const std::string&) {
                  const libp2p::Bytes compressed = bytes(item, "compressed");
                  const auto contents = snappy_decompress(compressed, kBound);
                  ASSERT_TRUE(contents) << contents.error().message();
                  expect_contents(item, *contents);
                  EXPECT_EQ(*snappy_decoded_length(compressed), contents->size());
                  EXPECT_TRUE(check_snappy_block(compressed));
                  const auto again = snappy_decompress(snappy_compress(*contents), kBound);
                  ASSERT_TRUE(again);
                  EXPECT_EQ(*again, *contents);
                  if (!contents->empty()) {
                    EXPECT_EQ(snappy_decompress(compressed, contents->size() - 1).error(), libp2p::Errc::too_large);
                  }
                });
}

TEST(SnappyVectors, block_elements_are_read_or_refused_as_told) {
  for_each_case("snappy/block", "elements",
                {"name", "compressed", "data", "valid", "why", "reference_error", "kind", "source"},
                [](const json::object& item, const std::string&) {
                  const libp2p::Bytes compressed = bytes(item, "compressed");
                  const bool valid = testing_vectors::boolean(item, "valid");
                  const auto contents = snappy_decompress(compressed, kBound);
                  EXPECT_EQ(contents.has_value(), valid) << testing_vectors::text(item, "name");
                  if (contents) expect_contents(item, *contents);
                  if (!contents) {
                    EXPECT_TRUE(contents.error() == libp2p::Errc::too_large || contents.error().offset());
                  }
                  EXPECT_EQ(check_snappy_block(compressed).has_value(), valid);
                });
}

TEST(SnappyVectors, frames_are_read_or_refused_as_told_whatever_the_pieces) {
  libp2p::SeededRng rng(1);
  for_each_case("snappy/framing", "streams",
                {"name", "stream", "valid", "why", "crc32c", "data", "length", "reference_error", "kind", "source"},
                [&](const json::object& item, const std::string&) {
                  const libp2p::Bytes stream = bytes(item, "stream");
                  const bool valid = testing_vectors::boolean(item, "valid");
                  const auto contents = snappy_frame_decode(stream, kBound);
                  ASSERT_EQ(contents.has_value(), valid) << testing_vectors::text(item, "name");
                  if (contents) expect_contents(item, *contents);
                  if (!contents) {
                    EXPECT_TRUE(contents.error().offset());
                  }
                  SnappyFrameDecoder decoder(kBound);
                  libp2p::Bytes in_pieces;
                  libp2p::Result<void> status;
                  for (libp2p::ByteView left(stream); status && !left.empty();) {
                    const auto n = std::min<std::size_t>(left.size(), 1 + rng.below(300));
                    status = decoder.push(left.first(n), in_pieces);
                    left = left.subspan(n);
                  }
                  if (status) status = decoder.finish();
                  EXPECT_EQ(status.has_value(), valid);
                  if (valid) {
                    EXPECT_EQ(in_pieces, *contents);
                  }
                  if (!valid) {
                    EXPECT_EQ(status.error().message(), contents.error().message());
                  }
                });
}

TEST(SnappyVectors, frames_of_ours_have_the_chunks_of_the_reference_encoder) {
  for_each_case("snappy/framing", "streams",
                {"name", "stream", "valid", "why", "crc32c", "data", "length", "reference_error", "kind", "source"},
                [](const json::object& item, const std::string&) {
                  if (!testing_vectors::text(item, "name").starts_with("encoder/")) return;
                  const libp2p::Bytes stream = bytes(item, "stream");
                  const auto contents = snappy_frame_decode(stream, kBound);
                  ASSERT_TRUE(contents);
                  const libp2p::Bytes ours = snappy_frame_encode(*contents);
                  const auto again = snappy_frame_decode(ours, kBound);
                  ASSERT_TRUE(again) << again.error().message();
                  EXPECT_EQ(*again, *contents);
                  // Types and checksums of the chunks are the same; the compressed bytes may differ.
                  libp2p::ByteView a(ours), b(stream);
                  while (!a.empty() && !b.empty()) {
                    ASSERT_GE(a.size(), 8u);
                    ASSERT_GE(b.size(), 8u);
                    EXPECT_EQ(a[0], b[0]);
                    EXPECT_EQ(libp2p::to_hex(a.subspan(4, 4)), libp2p::to_hex(b.subspan(4, 4)));
                    a = a.subspan(4 + (libp2p::load_le32(a.data()) >> 8));
                    b = b.subspan(4 + (libp2p::load_le32(b.data()) >> 8));
                  }
                  EXPECT_TRUE(a.empty() && b.empty());
                });
}

TEST(SnappyVectors, checksums_agree_on_both_paths) {
  const auto hex32 = [](std::uint32_t value) {
    std::uint8_t raw[4];
    libp2p::store_be32(raw, value);
    return libp2p::to_hex0x(raw);
  };
  for_each_case("snappy/framing", "crc32c", {"crc32c", "data", "masked", "name", "kind", "source"},
                [&](const json::object& item, const std::string&) {
                  const libp2p::Bytes data = bytes(item, "data");
                  EXPECT_EQ(hex32(crc32c(data)), testing_vectors::text(item, "crc32c"));
                  EXPECT_EQ(hex32(crc32c_portable(data)), testing_vectors::text(item, "crc32c"));
                  EXPECT_EQ(hex32(masked_crc32c(crc32c(data))), testing_vectors::text(item, "masked"));
                });
}

}  // namespace
}  // namespace opstack::encoding
