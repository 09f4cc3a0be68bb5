#include "libp2p/crypto/x25519.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace libp2p::crypto {
namespace {

ByteArray<32> array_of(std::string_view hex) {
  const auto raw = from_hex(hex).value();
  ByteArray<32> out;
  std::copy(raw.begin(), raw.end(), out.begin());
  return out;
}

TEST(X25519, agrees_with_the_vectors_of_rfc_7748) {
  EXPECT_EQ(to_hex(x25519(array_of("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                          array_of("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
                       .value()),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(to_hex(x25519(array_of("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                          array_of("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"))
                       .value()),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, agrees_with_the_thousandfold_iteration_of_rfc_7748) {
  ByteArray<32> k{9};
  ByteArray<32> u{9};
  for (int i = 0; i < 1000; ++i) {
    const auto next = x25519(k, u).value();
    u = k;
    k = next;
    if (i == 0) {
      ASSERT_EQ(to_hex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(to_hex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, gives_both_sides_the_same_secret) {
  SeededRng rng(5);
  for (int i = 0; i < 50; ++i) {
    const auto a = X25519KeyPair::generate(rng);
    const auto b = X25519KeyPair::generate(rng);
    ASSERT_NE(a.public_key, b.public_key);
    ASSERT_EQ(x25519(a.secret, b.public_key).value(), x25519(b.secret, a.public_key).value());
    ASSERT_EQ(X25519KeyPair::from_secret(a.secret).public_key, a.public_key);
  }
}

TEST(X25519, refuses_points_of_low_order) {
  SeededRng rng(6);
  const auto mine = X25519KeyPair::generate(rng);
  for (const auto* point : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
       })
    EXPECT_EQ(x25519(mine.secret, array_of(point)).error(), Errc::malformed) << point;
}

}  // namespace
}  // namespace libp2p::crypto
