#include "libp2p/crypto/hash.hpp"

#include <cryptopp/keccak.h>
#include <cryptopp/sha.h>
#include <gtest/gtest.h>

#include <string>

#include "libp2p/base/rng.hpp"

namespace libp2p::crypto {
namespace {

Bytes unhex(std::string_view hex) { return from_hex(hex).value(); }

TEST(Hash, gives_the_published_digests_of_short_texts) {
  // FIPS 180-4 examples, and Keccak-256 as Ethereum uses it.
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha512(as_bytes("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(to_hex(keccak256({})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_hex(keccak256(as_bytes("abc"))), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
}

TEST(Hash, agrees_with_another_library_at_every_length_around_the_block_borders) {
  SeededRng rng(1);
  Bytes data(700);
  rng.fill(data);
  for (std::size_t n = 0; n <= data.size(); ++n) {
    const ByteView view = ByteView(data).first(n);
    Hash256 expected;
    CryptoPP::Keccak_256().CalculateDigest(expected.data(), view.data(), n);
    ASSERT_EQ(keccak256(view), expected) << n;
    CryptoPP::SHA256().CalculateDigest(expected.data(), view.data(), n);
    ASSERT_EQ(sha256(view), expected) << n;
    ByteArray<64> expected512;
    CryptoPP::SHA512().CalculateDigest(expected512.data(), view.data(), n);
    ASSERT_EQ(sha512(view), expected512) << n;
  }
}

TEST(Hash, does_not_depend_on_how_a_message_is_cut_into_parts) {
  SeededRng rng(2);
  Sha256 sha;
  for (int round = 0; round < 300; ++round) {
    Bytes data(rng.below(1000));
    rng.fill(data);
    Keccak256 keccak;
    for (ByteView rest = data; !rest.empty();) {
      const auto n = static_cast<std::size_t>(rng.below(rest.size()) + 1);
      keccak.update(rest.first(n));
      sha.update(rest.first(n));
      rest = rest.subspan(n);
    }
    ASSERT_EQ(keccak.finish(), keccak256(data));
    ASSERT_EQ(sha.finish(), sha256(data));
    ASSERT_EQ(keccak.finish(), keccak256({})) << "a finished hash starts over";
  }
}

TEST(Hash, keccak_may_be_copied_midway) {
  Keccak256 a;
  a.update(as_bytes("left"));
  Keccak256 b = a;
  EXPECT_EQ(a.update(as_bytes("one")).finish(), keccak256(as_bytes("leftone")));
  EXPECT_EQ(b.update(as_bytes("two")).finish(), keccak256(as_bytes("lefttwo")));
}

TEST(Hash, hmac_matches_rfc_4231) {
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, hkdf_matches_rfc_5869) {
  Bytes out(42);
  hkdf_sha256(unhex("000102030405060708090a0b0c"), Bytes(22, 0x0b), unhex("f0f1f2f3f4f5f6f7f8f9"), out);
  EXPECT_EQ(to_hex(out), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf_sha256({}, Bytes(22, 0x0b), {}, out);
  EXPECT_EQ(to_hex(out), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  Bytes ikm(80), salt(80), info(80), longer(82);
  for (std::size_t i = 0; i < 80; ++i) {
    ikm[i] = static_cast<std::uint8_t>(i);
    salt[i] = static_cast<std::uint8_t>(0x60 + i);
    info[i] = static_cast<std::uint8_t>(0xb0 + i);
  }
  hkdf_sha256(salt, ikm, info, longer);
  EXPECT_EQ(to_hex(longer),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

TEST(Hash, hkdf_gives_at_most_255_blocks) {
  Bytes most(255 * 32);
  hkdf_sha256({}, as_bytes("key"), {}, most);
  Bytes one(1);
  hkdf_sha256({}, as_bytes("key"), {}, one);
  EXPECT_EQ(one[0], most[0]);
  Bytes too_many(255 * 32 + 1);
  EXPECT_THROW(hkdf_sha256({}, as_bytes("key"), {}, too_many), std::length_error);
}

}  // namespace
}  // namespace libp2p::crypto
