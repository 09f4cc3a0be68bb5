#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"

namespace opstack::encoding {
namespace {

libp2p::Bytes sample(libp2p::SeededRng& rng, std::size_t size) {
  libp2p::Bytes out(size);
  rng.fill(out);
  // Half of it repeats, so that there is something to compress.
  for (std::size_t i = size / 2; i < size; ++i) out[i] = static_cast<std::uint8_t>(i / 50);
  return out;
}

TEST(SnappyBlock, whatever_is_compressed_comes_back) {
  libp2p::SeededRng rng(1);
  for (const std::size_t size : {0, 1, 59, 60, 61, 255, 256, 65535, 65536, 65537, 300000}) {
    const libp2p::Bytes data = sample(rng, size);
    const libp2p::Bytes block = snappy_compress(data);
    EXPECT_LE(block.size(), snappy_max_compressed_length(size));
    EXPECT_EQ(*snappy_decompress(block, size), data);
    EXPECT_TRUE(check_snappy_block(block));
  }
}

TEST(SnappyBlock, a_length_above_the_bound_is_refused_before_anything_is_allocated) {
  const libp2p::Bytes block{0xff, 0xff, 0xff, 0xff, 0x0f, 0x00};
  EXPECT_EQ(*snappy_decoded_length(block), 0xffffffffu);
  EXPECT_EQ(snappy_decompress(block, 10 << 20).error(), libp2p::Errc::too_large);
  // Within the bound, but no block of six bytes can hold it.
  EXPECT_EQ(snappy_decompress(block, SIZE_MAX).error(), libp2p::Errc::malformed);
}

// What Go's binary.Uvarint reads, so that a block which op-node takes is taken here too, whoever re-encoded it.
TEST(SnappyBlock, the_length_may_be_padded_to_ten_bytes_as_Go_reads_it) {
  const libp2p::Bytes body{4, 'a', 'b'};
  for (std::size_t size = 1; size <= 10; ++size) {
    libp2p::Bytes block{2};
    while (block.size() < size) {
      block.back() |= 0x80;
      block.push_back(0);
    }
    libp2p::append(block, body);
    ASSERT_EQ(snappy_decoded_length(block).value(), 2u) << size;
    EXPECT_EQ(snappy_decompress(block, 10).value(), (libp2p::Bytes{'a', 'b'})) << size;
    EXPECT_TRUE(check_snappy_block(block)) << size;
    EXPECT_FALSE(snappy_decompress(libp2p::ByteView(block).first(block.size() - 1), 10)) << size;
  }
  EXPECT_FALSE(snappy_decoded_length(*libp2p::from_hex("8280808080808080808000")));  // eleven bytes
  EXPECT_FALSE(snappy_decoded_length(*libp2p::from_hex("82808080808080808002")));    // the tenth above 1
  EXPECT_FALSE(snappy_decoded_length(*libp2p::from_hex("82808080808080808001")));    // 2^63 and 2
  EXPECT_FALSE(snappy_decoded_length(*libp2p::from_hex("808080801000")));            // 2^32
  EXPECT_EQ(snappy_decoded_length(*libp2p::from_hex("ffffffff8f00")).value(), 0xffffffffu);
}

TEST(SnappyBlock, a_large_block_behind_a_padded_length_is_read_like_any_other) {
  libp2p::SeededRng rng(7);
  for (const std::size_t size : {127U, 128U, 129U, 16'383U, 16'384U, 16'385U}) {
    const libp2p::Bytes contents = sample(rng, size);
    libp2p::Bytes block = snappy_compress(contents);
    const std::size_t header = size < 128 ? 1 : size < 16'384 ? 2 : 3;
    block[header - 1] |= 0x80;
    const libp2p::Bytes padding{0x80, 0x80, 0x80, 0x80, 0x00};
    block.insert(block.begin() + static_cast<std::ptrdiff_t>(header), padding.begin(), padding.end());
    EXPECT_EQ(snappy_decompress(block, size).value(), contents) << size;
  }
  const libp2p::Bytes data = sample(rng, 300'000);
  const libp2p::Bytes plain = snappy_compress(data);
  libp2p::Bytes padded{static_cast<std::uint8_t>(plain[0] | 0x80),
                       static_cast<std::uint8_t>(plain[1] | 0x80),
                       static_cast<std::uint8_t>(plain[2] | 0x80),
                       0x80,
                       0x80,
                       0x80,
                       0x00};
  libp2p::append(padded, libp2p::ByteView(plain).subspan(3));
  EXPECT_EQ(snappy_decompress(padded, data.size()).value(), data);
  padded.pop_back();
  EXPECT_FALSE(snappy_decompress(padded, data.size()));
}

TEST(SnappyBlock, errors_name_the_byte_of_the_element) {
  EXPECT_EQ(snappy_decompress(libp2p::Bytes{0x80}, 100).error().offset(), 1u);
  EXPECT_EQ(snappy_decompress(libp2p::Bytes{0x80, 0x80, 0x80, 0x80, 0x10}, 100).error().offset(), 4u);
  EXPECT_EQ(snappy_decompress(libp2p::Bytes(11, 0x80), 100).error().offset(), 9u);
  EXPECT_EQ(snappy_decompress(libp2p::Bytes{4, 4, 'a', 'b', 1, 9}, 100).error().offset(), 4u);
  EXPECT_EQ(snappy_decompress(libp2p::Bytes{5, 4, 'a', 'b'}, 100).error().offset(), 4u);
}

// The walk that finds faults must agree with the library that decompresses.
TEST(SnappyBlock, the_walk_and_the_library_agree_on_damaged_blocks) {
  libp2p::SeededRng rng(2);
  std::size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    libp2p::Bytes block = snappy_compress(sample(rng, static_cast<std::size_t>(rng.below(200))));
    for (std::uint64_t n = rng.below(3); n > 0 && !block.empty(); --n)
      block[static_cast<std::size_t>(rng.below(block.size()))] = static_cast<std::uint8_t>(rng.next_u64());
    if (rng.below(4) == 0 && !block.empty()) block.resize(static_cast<std::size_t>(rng.below(block.size())));
    const auto contents = snappy_decompress(block, 1 << 16);
    if (!contents && contents.error() == libp2p::Errc::too_large) continue;
    ASSERT_EQ(contents.has_value(), check_snappy_block(block).has_value()) << libp2p::to_hex(block);
    refused += contents ? 0 : 1;
  }
  EXPECT_GT(refused, 500u);
}

TEST(SnappyFrames, whatever_is_framed_comes_back_in_pieces_of_any_size) {
  libp2p::SeededRng rng(4);
  for (const std::size_t size : {0, 1, 17, 65536, 65537, 200000}) {
    const libp2p::Bytes data = sample(rng, size);
    const libp2p::Bytes stream = snappy_frame_encode(data);
    EXPECT_EQ(*snappy_frame_decode(stream, size), data);
    for (const std::size_t step : {1, 3, 1000, 70000}) {
      SnappyFrameDecoder decoder(size);
      libp2p::Bytes out;
      for (std::size_t at = 0; at < stream.size(); at += step)
        ASSERT_TRUE(decoder.push(libp2p::ByteView(stream).subspan(at, std::min(step, stream.size() - at)), out));
      EXPECT_TRUE(decoder.finish());
      EXPECT_EQ(out, data);
      EXPECT_EQ(decoder.consumed(), stream.size());
      EXPECT_EQ(decoder.produced(), data.size());
    }
  }
}

TEST(SnappyFrames, the_bounds_on_both_sides_hold) {
  const libp2p::Bytes stream = snappy_frame_encode(libp2p::Bytes(1000));
  EXPECT_TRUE(snappy_frame_decode(stream, 1000));
  EXPECT_EQ(snappy_frame_decode(stream, 999).error(), libp2p::Errc::too_large);
  libp2p::Bytes out;
  EXPECT_TRUE(SnappyFrameDecoder(1000, stream.size()).push(stream, out));
  EXPECT_EQ(SnappyFrameDecoder(1000, stream.size() - 1).push(stream, out).error(), libp2p::Errc::too_large);
}

TEST(SnappyFrames, an_error_stays_and_leaves_nothing_behind) {
  libp2p::Bytes stream = snappy_frame_encode(libp2p::Bytes(100));
  const std::size_t chunk = 10;
  stream[chunk + 4] ^= 1;  // its checksum
  SnappyFrameDecoder decoder(1000);
  libp2p::Bytes out{1, 2, 3};
  const auto failed = decoder.push(stream, out);
  EXPECT_EQ(failed.error(), libp2p::Errc::mismatch);
  EXPECT_EQ(failed.error().offset(), chunk);
  EXPECT_EQ(out, (libp2p::Bytes{1, 2, 3}));
  EXPECT_EQ(decoder.push(libp2p::Bytes{0}, out).error(), libp2p::Errc::mismatch);
  EXPECT_EQ(decoder.finish().error(), libp2p::Errc::mismatch);
}

TEST(SnappyFrames, a_chunk_longer_than_any_can_be_is_refused_by_its_header) {
  libp2p::Bytes stream = snappy_frame_encode(libp2p::Bytes(1));
  libp2p::append(stream, libp2p::Bytes{0xfe, 0xff, 0xff, 0xff});
  EXPECT_EQ(snappy_frame_decode(stream, 1000).error(), libp2p::Errc::too_large);
}

TEST(SnappyFrames, an_empty_skippable_chunk_may_end_the_stream) {
  libp2p::Bytes stream = snappy_frame_encode(libp2p::Bytes(1));
  libp2p::append(stream, libp2p::Bytes{0xfe, 0, 0, 0});
  EXPECT_EQ(*snappy_frame_decode(stream, 1000), libp2p::Bytes(1));
  stream.pop_back();
  EXPECT_EQ(snappy_frame_decode(stream, 1000).error(), libp2p::Errc::truncated);
}

// The library takes a literal of 2^32 bytes for an empty one; a block that holds one is another's malformed block.
TEST(SnappyBlock, refuses_a_literal_whose_length_wraps_around_wherever_it_is) {
  EXPECT_EQ(snappy_decompress(libp2p::Bytes{0, 63 << 2, 0xff, 0xff, 0xff, 0xff}, 100).error(), libp2p::Errc::malformed);
  libp2p::SeededRng rng(3);
  for (std::size_t size = 0; size < 600; ++size) {
    libp2p::Bytes contents(size);
    rng.fill(contents);
    libp2p::Bytes block = snappy_compress(contents);
    ASSERT_EQ(snappy_decompress(block, 1000).value(), contents) << size;
    libp2p::append(block, libp2p::ByteArray<5>{0xfc, 0xff, 0xff, 0xff, 0xff});
    ASSERT_EQ(snappy_decompress(block, 1000).error(), libp2p::Errc::malformed) << size;
  }
}

TEST(SnappyBlock, reads_contents_that_look_like_such_a_literal) {
  libp2p::Bytes contents(3000, 0xff);
  for (std::size_t i = 0; i < contents.size(); i += 7) contents[i] = 63 << 2;
  EXPECT_EQ(snappy_decompress(snappy_compress(contents), contents.size()).value(), contents);
}

}  // namespace
}  // namespace opstack::encoding
