#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "opstack/encoding/crc32c.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"

namespace libp2p::wire {
namespace {

Bytes sample(SeededRng& rng, std::size_t size) {
  Bytes out(size);
  rng.fill(out);
  // Half of it repeats, so that there is something to compress.
  for (std::size_t i = size / 2; i < size; ++i) out[i] = static_cast<std::uint8_t>(i / 50);
  return out;
}

TEST(SnappyBlock, whatever_is_compressed_comes_back) {
  SeededRng rng(1);
  for (const std::size_t size : {0, 1, 59, 60, 61, 255, 256, 65535, 65536, 65537, 300000}) {
    const Bytes data = sample(rng, size);
    const Bytes block = snappy_compress(data);
    EXPECT_LE(block.size(), snappy_max_compressed_length(size));
    EXPECT_EQ(*snappy_decompress(block, size), data);
    EXPECT_TRUE(check_snappy_block(block));
  }
}

TEST(SnappyBlock, a_length_above_the_bound_is_refused_before_anything_is_allocated) {
  const Bytes block{0xff, 0xff, 0xff, 0xff, 0x0f, 0x00};
  EXPECT_EQ(*snappy_decoded_length(block), 0xffffffffu);
  EXPECT_EQ(snappy_decompress(block, 10 << 20).error(), Errc::too_large);
  // Within the bound, but no block of six bytes can hold it.
  EXPECT_EQ(snappy_decompress(block, SIZE_MAX).error(), Errc::malformed);
}

// What Go's binary.Uvarint reads, so that a block which op-node takes is taken here too, whoever re-encoded it.
TEST(SnappyBlock, the_length_may_be_padded_to_ten_bytes_as_Go_reads_it) {
  const Bytes body{4, 'a', 'b'};
  for (std::size_t size = 1; size <= 10; ++size) {
    Bytes block{2};
    while (block.size() < size) {
      block.back() |= 0x80;
      block.push_back(0);
    }
    append(block, body);
    ASSERT_EQ(snappy_decoded_length(block).value(), 2u) << size;
    EXPECT_EQ(snappy_decompress(block, 10).value(), (Bytes{'a', 'b'})) << size;
    EXPECT_TRUE(check_snappy_block(block)) << size;
    EXPECT_FALSE(snappy_decompress(ByteView(block).first(block.size() - 1), 10)) << size;
  }
  EXPECT_FALSE(snappy_decoded_length(*from_hex("8280808080808080808000")));     // eleven bytes
  EXPECT_FALSE(snappy_decoded_length(*from_hex("82808080808080808002")));       // the tenth above 1
  EXPECT_FALSE(snappy_decoded_length(*from_hex("82808080808080808001")));       // 2^63 and 2
  EXPECT_FALSE(snappy_decoded_length(*from_hex("808080801000")));               // 2^32
  EXPECT_EQ(snappy_decoded_length(*from_hex("ffffffff8f00")).value(), 0xffffffffu);
}

TEST(SnappyBlock, a_large_block_behind_a_padded_length_is_read_like_any_other) {
  SeededRng rng(7);
  const Bytes data = sample(rng, 300'000);
  const Bytes plain = snappy_compress(data);
  Bytes padded{static_cast<std::uint8_t>(plain[0] | 0x80), static_cast<std::uint8_t>(plain[1] | 0x80),
               static_cast<std::uint8_t>(plain[2] | 0x80), 0x80, 0x80, 0x80, 0x00};
  append(padded, ByteView(plain).subspan(3));
  EXPECT_EQ(snappy_decompress(padded, data.size()).value(), data);
  padded.pop_back();
  EXPECT_FALSE(snappy_decompress(padded, data.size()));
}

TEST(SnappyBlock, errors_name_the_byte_of_the_element) {
  EXPECT_EQ(snappy_decompress(Bytes{0x80}, 100).error().offset(), 1u);
  EXPECT_EQ(snappy_decompress(Bytes{0x80, 0x80, 0x80, 0x80, 0x10}, 100).error().offset(), 4u);
  EXPECT_EQ(snappy_decompress(Bytes(11, 0x80), 100).error().offset(), 9u);
  EXPECT_EQ(snappy_decompress(Bytes{4, 4, 'a', 'b', 1, 9}, 100).error().offset(), 4u);
  EXPECT_EQ(snappy_decompress(Bytes{5, 4, 'a', 'b'}, 100).error().offset(), 4u);
}

// The walk that finds faults must agree with the library that decompresses.
TEST(SnappyBlock, the_walk_and_the_library_agree_on_damaged_blocks) {
  SeededRng rng(2);
  std::size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    Bytes block = snappy_compress(sample(rng, static_cast<std::size_t>(rng.below(200))));
    for (std::uint64_t n = rng.below(3); n > 0 && !block.empty(); --n)
      block[static_cast<std::size_t>(rng.below(block.size()))] = static_cast<std::uint8_t>(rng.next_u64());
    if (rng.below(4) == 0 && !block.empty()) block.resize(static_cast<std::size_t>(rng.below(block.size())));
    const auto contents = snappy_decompress(block, 1 << 16);
    if (!contents && contents.error() == Errc::too_large) continue;
    ASSERT_EQ(contents.has_value(), check_snappy_block(block).has_value()) << to_hex(block);
    refused += contents ? 0 : 1;
  }
  EXPECT_GT(refused, 500u);
}

TEST(SnappyFrames, whatever_is_framed_comes_back_in_pieces_of_any_size) {
  SeededRng rng(4);
  for (const std::size_t size : {0, 1, 17, 65536, 65537, 200000}) {
    const Bytes data = sample(rng, size);
    const Bytes stream = snappy_frame_encode(data);
    EXPECT_EQ(*snappy_frame_decode(stream, size), data);
    for (const std::size_t step : {1, 3, 1000, 70000}) {
      SnappyFrameDecoder decoder(size);
      Bytes out;
      for (std::size_t at = 0; at < stream.size(); at += step)
        ASSERT_TRUE(decoder.push(ByteView(stream).subspan(at, std::min(step, stream.size() - at)), out));
      EXPECT_TRUE(decoder.finish());
      EXPECT_EQ(out, data);
      EXPECT_EQ(decoder.consumed(), stream.size());
      EXPECT_EQ(decoder.produced(), data.size());
    }
  }
}

TEST(SnappyFrames, the_bounds_on_both_sides_hold) {
  const Bytes stream = snappy_frame_encode(Bytes(1000));
  EXPECT_TRUE(snappy_frame_decode(stream, 1000));
  EXPECT_EQ(snappy_frame_decode(stream, 999).error(), Errc::too_large);
  Bytes out;
  EXPECT_TRUE(SnappyFrameDecoder(1000, stream.size()).push(stream, out));
  EXPECT_EQ(SnappyFrameDecoder(1000, stream.size() - 1).push(stream, out).error(), Errc::too_large);
}

TEST(SnappyFrames, an_error_stays_and_leaves_nothing_behind) {
  Bytes stream = snappy_frame_encode(Bytes(100));
  const std::size_t chunk = 10;
  stream[chunk + 4] ^= 1;  // its checksum
  SnappyFrameDecoder decoder(1000);
  Bytes out{1, 2, 3};
  const auto failed = decoder.push(stream, out);
  EXPECT_EQ(failed.error(), Errc::mismatch);
  EXPECT_EQ(failed.error().offset(), chunk);
  EXPECT_EQ(out, (Bytes{1, 2, 3}));
  EXPECT_EQ(decoder.push(Bytes{0}, out).error(), Errc::mismatch);
  EXPECT_EQ(decoder.finish().error(), Errc::mismatch);
}

TEST(SnappyFrames, a_chunk_longer_than_any_can_be_is_refused_by_its_header) {
  Bytes stream = snappy_frame_encode(Bytes(1));
  append(stream, Bytes{0xfe, 0xff, 0xff, 0xff});
  EXPECT_EQ(snappy_frame_decode(stream, 1000).error(), Errc::too_large);
}

TEST(SnappyFrames, an_empty_skippable_chunk_may_end_the_stream) {
  Bytes stream = snappy_frame_encode(Bytes(1));
  append(stream, Bytes{0xfe, 0, 0, 0});
  EXPECT_EQ(*snappy_frame_decode(stream, 1000), Bytes(1));
  stream.pop_back();
  EXPECT_EQ(snappy_frame_decode(stream, 1000).error(), Errc::truncated);
}

// The library takes a literal of 2^32 bytes for an empty one; a block that holds one is another's malformed block.
TEST(SnappyBlock, refuses_a_literal_whose_length_wraps_around_wherever_it_is) {
  EXPECT_EQ(snappy_decompress(Bytes{0, 63 << 2, 0xff, 0xff, 0xff, 0xff}, 100).error(), Errc::malformed);
  SeededRng rng(3);
  for (std::size_t size = 0; size < 600; ++size) {
    Bytes contents(size);
    rng.fill(contents);
    Bytes block = snappy_compress(contents);
    ASSERT_EQ(snappy_decompress(block, 1000).value(), contents) << size;
    append(block, ByteArray<5>{0xfc, 0xff, 0xff, 0xff, 0xff});
    ASSERT_EQ(snappy_decompress(block, 1000).error(), Errc::malformed) << size;
  }
}

TEST(SnappyBlock, reads_contents_that_look_like_such_a_literal) {
  Bytes contents(3000, 0xff);
  for (std::size_t i = 0; i < contents.size(); i += 7) contents[i] = 63 << 2;
  EXPECT_EQ(snappy_decompress(snappy_compress(contents), contents.size()).value(), contents);
}

}  // namespace
}  // namespace libp2p::wire
