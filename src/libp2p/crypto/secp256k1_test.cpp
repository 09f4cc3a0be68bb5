#include "libp2p/crypto/secp256k1.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace libp2p::crypto::secp256k1 {
namespace {

Bytes unhex(std::string_view hex) { return from_hex(hex).value(); }

constexpr std::string_view kOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

TEST(Secp256k1, knows_the_key_and_address_of_secret_one) {
  Bytes one(32);
  one[31] = 1;
  const auto secret = parse_secret(one).value();
  EXPECT_EQ(to_hex(public_key(secret)), "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
  EXPECT_EQ(to_hex(address_of(secret)), "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  EXPECT_EQ(address(decompress(public_key(secret)).value()), address_of(secret));
}

TEST(Secp256k1, refuses_secrets_out_of_range) {
  EXPECT_EQ(parse_secret(Bytes(32)).error(), Errc::malformed);
  EXPECT_EQ(parse_secret(unhex(kOrder)).error(), Errc::malformed);
  EXPECT_EQ(parse_secret(Bytes(32, 0xff)).error(), Errc::malformed);
  auto last = unhex(kOrder);
  last[31] -= 1;
  EXPECT_TRUE(parse_secret(last));
  for (std::size_t n = 0; n < 40; ++n) {
    if (n != 32) {
      EXPECT_EQ(parse_secret(Bytes(n, 1)).error(), Errc::malformed) << n;
    }
  }
}

TEST(Secp256k1, recovers_the_signer_of_every_signature) {
  SeededRng rng(7);
  bool seen[2] = {};
  for (int i = 0; i < 60; ++i) {
    const auto secret = generate(rng);
    const Hash256 digest = rng.array<32>();
    const auto signature = sign(secret, digest);
    ASSERT_EQ(sign(secret, digest), signature) << "deterministic";
    ASSERT_LE(signature[64], 1);
    seen[signature[64]] = true;
    ASSERT_EQ(recover(digest, signature).value(), decompress(public_key(secret)).value());
    ASSERT_EQ(recover_address(digest, signature).value(), address_of(secret));
  }
  EXPECT_TRUE(seen[0] && seen[1]);
}

// s' = n - s with the other recovery id is the same signer; geth takes it, so does recover().
TEST(Secp256k1, recovers_from_a_high_s_as_the_reference_does) {
  SeededRng rng(8);
  const auto secret = generate(rng);
  const Hash256 digest = rng.array<32>();
  auto signature = sign(secret, digest);
  const auto order = unhex(kOrder);
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference = order[i] - signature[32 + i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    signature[32 + i] = static_cast<std::uint8_t>(difference & 0xff);
  }
  signature[64] ^= 1;
  EXPECT_EQ(recover_address(digest, signature).value(), address_of(secret));
}

TEST(Secp256k1, refuses_malformed_signatures) {
  SeededRng rng(9);
  const auto secret = generate(rng);
  const Hash256 digest = rng.array<32>();
  const auto good = sign(secret, digest);
  for (std::size_t n = 0; n < 65; ++n) EXPECT_EQ(recover(digest, ByteView(good).first(n)).error(), Errc::malformed);
  Bytes longer(good.begin(), good.end());
  longer.push_back(0);
  EXPECT_EQ(recover(digest, longer).error(), Errc::malformed);
  for (int v = 4; v < 256; ++v) {
    auto changed = good;
    changed[64] = static_cast<std::uint8_t>(v);
    EXPECT_EQ(recover(digest, changed).error(), Errc::malformed) << v;
  }
  auto zero_r = good;
  std::fill_n(zero_r.begin(), 32, std::uint8_t{0});
  EXPECT_EQ(recover(digest, zero_r).error(), Errc::malformed);
  auto zero_s = good;
  std::fill_n(zero_s.begin() + 32, 32, std::uint8_t{0});
  EXPECT_EQ(recover(digest, zero_s).error(), Errc::malformed);
  auto large_r = good;
  const auto order = unhex(kOrder);
  std::copy(order.begin(), order.end(), large_r.begin());
  EXPECT_EQ(recover(digest, large_r).error(), Errc::malformed);
  for (int v : {2, 3}) {  // r + n is above the field prime for all but a few r, so that no such point exists
    auto changed = good;
    changed[64] = static_cast<std::uint8_t>(v);
    EXPECT_EQ(recover(digest, changed).error(), Errc::malformed) << v;
  }
}

TEST(Secp256k1, converts_between_the_forms_of_a_public_key) {
  SeededRng rng(10);
  for (int i = 0; i < 30; ++i) {
    const auto compressed = public_key(generate(rng));
    const auto whole = decompress(compressed).value();
    ASSERT_EQ(whole[0], 4);
    ASSERT_EQ(compress(whole).value(), compressed);
    ASSERT_EQ(compress(compressed).value(), compressed);
    ASSERT_EQ(decompress(whole).value(), whole);
    auto hybrid = whole;
    hybrid[0] = static_cast<std::uint8_t>(6 + (whole[64] & 1));
    ASSERT_EQ(compress(hybrid).error(), Errc::malformed);
    auto off_curve = whole;
    off_curve[64] ^= 1;
    ASSERT_EQ(compress(off_curve).error(), Errc::malformed);
    for (std::size_t n = 0; n < 65; ++n) {
      if (n != 33) {
        ASSERT_EQ(compress(ByteView(whole).first(n)).error(), Errc::malformed);
      }
    }
  }
}

TEST(Secp256k1, refuses_to_use_a_secret_that_is_none) {
  EXPECT_THROW(public_key(Secret{}), std::invalid_argument);
  EXPECT_THROW(sign(Secret{}, Hash256{}), std::invalid_argument);
}

}  // namespace
}  // namespace libp2p::crypto::secp256k1
