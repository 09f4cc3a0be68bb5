#include "opstack/sync/wire/codec.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace opstack::sync::wire {
namespace {

libp2p::Bytes some_body(std::size_t size, std::uint64_t seed) {
  libp2p::SeededRng rng(seed);
  libp2p::Bytes out(size);
  rng.fill(out);
  for (std::size_t i = 0; i < size; i += 3) out[i] = 7;  // partly compressible
  return out;
}

TEST(PayloadByNumberCodec, the_protocol_id_has_no_trailing_slash) {
  EXPECT_EQ(protocol_id("11155420"), "/opstack/req/payload_by_number/11155420/0");
}

TEST(PayloadByNumberCodec, a_request_is_eight_bytes_little_endian) {
  const auto request = encode_request(0x0102030405060708);
  EXPECT_EQ(request[0], 8);
  EXPECT_EQ(request[7], 1);
  EXPECT_EQ(decode_request(request).value(), 0x0102030405060708u);
  EXPECT_TRUE(decode_request(libp2p::ByteView(request).first(7)).error() == libp2p::Errc::truncated);
  EXPECT_TRUE(decode_request(libp2p::Bytes(9, 0)).error() == libp2p::Errc::malformed);
}

TEST(PayloadByNumberCodec, an_answer_comes_back_whole_however_it_is_cut) {
  for (const std::size_t size : {1uL, 65535uL, 65536uL, 65537uL, 300000uL}) {
    const libp2p::Bytes body = some_body(size, size);
    const libp2p::Bytes answer = encode_response(ResponseVersion::envelope, body);
    libp2p::SeededRng rng(size);
    for (const std::size_t most : {1uL, 7uL, 5000uL, 1000000uL}) {
      if (most < 5000 && size > 70000) continue;
      ResponseDecoder decoder;
      for (libp2p::ByteView rest = answer; !rest.empty();) {
        const std::size_t n = std::min<std::size_t>(rest.size(), 1 + static_cast<std::size_t>(rng.below(most)));
        ASSERT_TRUE(decoder.push(rest.first(n)));
        rest = rest.subspan(n);
      }
      ASSERT_TRUE(decoder.finish());
      EXPECT_EQ(decoder.code(), 0);
      EXPECT_EQ(decoder.version(), ResponseVersion::envelope);
      EXPECT_EQ(decoder.body(), body);
    }
  }
}

TEST(PayloadByNumberCodec, the_encoder_gives_the_same_stream_as_one_that_sees_the_whole_body) {
  const libp2p::Bytes body = some_body(200000, 1);
  libp2p::Bytes expected{0, 0, 0, 0, 0};
  libp2p::append(expected, opstack::encoding::snappy_frame_encode(body));
  EXPECT_EQ(encode_response(ResponseVersion::payload, body), expected);
}

TEST(PayloadByNumberCodec, a_refusal_ends_the_answer_whatever_follows) {
  ResponseDecoder decoder;
  ASSERT_TRUE(decoder.push(encode_refusal(ResultCode::not_found)));
  EXPECT_TRUE(decoder.refused());
  ASSERT_TRUE(decoder.push(libp2p::Bytes(100, 0xff)));
  ASSERT_TRUE(decoder.finish());
  EXPECT_EQ(decoder.code(), 1);
  EXPECT_FALSE(decoder.version());
}

TEST(PayloadByNumberCodec, every_prefix_of_an_answer_is_truncated) {
  const libp2p::Bytes answer = encode_response(ResponseVersion::payload, some_body(1000, 2));
  for (std::size_t n = 0; n < answer.size(); ++n) {
    ResponseDecoder decoder;
    ASSERT_TRUE(decoder.push(libp2p::ByteView(answer).first(n)));
    const auto done = decoder.finish();
    ASSERT_FALSE(done) << n;
    EXPECT_TRUE(done.error() == libp2p::Errc::truncated) << n << " " << done.error().message();
  }
}

TEST(PayloadByNumberCodec, an_unknown_version_is_named_and_stays_refused) {
  ResponseDecoder decoder;
  const auto first = decoder.push(libp2p::Bytes{0, 2, 0, 0, 0});
  ASSERT_FALSE(first);
  EXPECT_TRUE(first.error() == libp2p::Errc::unsupported);
  EXPECT_EQ(decoder.push(libp2p::Bytes{1}).error().message(), first.error().message());
  EXPECT_FALSE(decoder.finish());
}

TEST(PayloadByNumberCodec, limits_hold_on_both_sides_of_the_compression) {
  const libp2p::Bytes zeros(100000, 0);
  const libp2p::Bytes answer = encode_response(ResponseVersion::payload, zeros);
  ASSERT_LT(answer.size(), 10000u);
  {
    ResponseDecoder exact(kMaxCompressed, zeros.size());
    ASSERT_TRUE(exact.push(answer));
    EXPECT_TRUE(exact.finish());
  }
  {
    ResponseDecoder bomb(kMaxCompressed, zeros.size() - 1);
    const auto pushed = bomb.push(answer);
    ASSERT_FALSE(pushed);
    EXPECT_TRUE(pushed.error() == libp2p::Errc::too_large);
    EXPECT_TRUE(bomb.body().empty());
  }
  {
    ResponseDecoder exact(answer.size() - 5, kMaxDecompressed);
    EXPECT_TRUE(exact.push(answer));
    EXPECT_TRUE(exact.finish());
  }
  {
    ResponseDecoder long_stream(answer.size() - 6, kMaxDecompressed);
    const auto pushed = long_stream.push(answer);
    ASSERT_FALSE(pushed);
    EXPECT_TRUE(pushed.error() == libp2p::Errc::too_large);
  }
}

TEST(PayloadByNumberCodec, error_offsets_count_from_the_first_byte_of_the_answer) {
  libp2p::Bytes answer = encode_response(ResponseVersion::payload, some_body(1000, 3));
  answer[20] ^= 1;  // in the checksum of the first chunk, which starts at byte 15
  ResponseDecoder decoder;
  const auto pushed = decoder.push(answer);
  ASSERT_FALSE(pushed);
  ASSERT_TRUE(pushed.error().offset());
  EXPECT_EQ(*pushed.error().offset(), 15u);
}

}  // namespace
}  // namespace opstack::sync::wire
