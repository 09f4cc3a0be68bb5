#include "libp2p/multiformats/multihash.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace libp2p::multiformats {
namespace {

TEST(Multihash, reads_back_what_it_wrote_and_wants_every_byte_of_it) {
  SeededRng rng(1);
  for (int i = 0; i < 500; ++i) {
    const auto code = rng.next_u64() >> (1 + rng.below(63));
    Bytes digest(rng.below(200));
    rng.fill(digest);
    auto encoded = encode_multihash(code, digest);
    const auto back = decode_multihash(encoded).value();
    ASSERT_EQ(back.code, code);
    ASSERT_EQ(back.digest, digest);
    for (std::size_t n = 0; n < encoded.size(); ++n)
      ASSERT_EQ(decode_multihash(ByteView(encoded).first(n)).error(), Errc::truncated);
    encoded.push_back(0);
    ASSERT_EQ(decode_multihash(encoded).error(), Errc::malformed);
  }
}

TEST(Multihash, hashes_with_the_function_that_the_code_names) {
  EXPECT_EQ(to_hex(multihash_of(0x00, as_bytes("ab")).value()), "00026162");
  EXPECT_EQ(to_hex(multihash_of(0x12, {}).value()),
            "1220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(multihash_of(0x1b, {}).value()),
            "1b20c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(multihash_of(0x13, {}).value().size(), 66U);
  EXPECT_EQ(multihash_of(0xb220, {}).error(), Errc::unsupported);
}

TEST(Multihash, does_not_allocate_for_a_declared_length) {
  Bytes huge{0x12};
  for (int i = 0; i < 8; ++i) huge.push_back(0xff);
  huge.push_back(0x7f);
  EXPECT_EQ(decode_multihash(huge).error(), Errc::truncated);
}

}  // namespace
}  // namespace libp2p::multiformats
