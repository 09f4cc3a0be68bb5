#include "libp2p/crypto/keys.hpp"

#include <gtest/gtest.h>

namespace libp2p::crypto {
namespace {

constexpr KeyType kWhole[] = {KeyType::ed25519, KeyType::secp256k1};

// RFC 8032, section 7.1, test 2.
TEST(Keys, signs_ed25519_as_rfc_8032) {
  const auto seed = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").value();
  const auto key = PrivateKey::from_raw(KeyType::ed25519, seed).value();
  EXPECT_EQ(to_hex(key.public_key().raw()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(to_hex(key.sign(Bytes{0x72}).value()),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Keys, survive_the_way_through_protobuf) {
  SeededRng rng(1);
  for (const auto type : kWhole) {
    const auto key = PrivateKey::generate(type, rng).value();
    const auto again = PrivateKey::from_protobuf(key.to_protobuf()).value();
    EXPECT_EQ(again.public_key(), key.public_key());
    EXPECT_TRUE(equal(again.raw(), key.raw()));
    EXPECT_EQ(PublicKey::from_protobuf(key.public_key().to_protobuf()).value(), key.public_key());
    EXPECT_EQ(again.sign(as_bytes("m")).value(), key.sign(as_bytes("m")).value()) << "deterministic";
  }
}

TEST(Keys, are_reproduced_by_the_same_seed_and_by_no_other) {
  for (const auto type : kWhole) {
    SeededRng one(5), same(5), other(6);
    const auto a = PrivateKey::generate(type, one).value();
    EXPECT_EQ(a.public_key(), PrivateKey::generate(type, same).value().public_key());
    EXPECT_NE(a.public_key(), PrivateKey::generate(type, other).value().public_key());
  }
}

TEST(Keys, refuse_a_signature_with_any_bit_changed) {
  SeededRng rng(2);
  for (const auto type : kWhole) {
    const auto key = PrivateKey::generate(type, rng).value();
    const auto message = as_bytes("a message");
    const auto signature = key.sign(message).value();
    ASSERT_TRUE(key.public_key().verify(message, signature));
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
      auto changed = signature;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
      ASSERT_EQ(key.public_key().verify(message, changed).error(), Errc::mismatch) << to_string(type) << " " << bit;
    }
    for (std::size_t n = 0; n < signature.size(); ++n)
      ASSERT_EQ(key.public_key().verify(message, ByteView(signature).first(n)).error(), Errc::mismatch);
    EXPECT_EQ(key.public_key().verify(as_bytes("another"), signature).error(), Errc::mismatch);
    const auto stranger = PrivateKey::generate(type, rng).value();
    EXPECT_EQ(stranger.public_key().verify(message, signature).error(), Errc::mismatch);
  }
}

TEST(Keys, take_the_three_forms_of_an_ed25519_secret_and_refuse_a_false_public_half) {
  SeededRng rng(3);
  const auto key = PrivateKey::generate(KeyType::ed25519, rng).value();
  const auto raw = to_bytes(key.raw());
  ASSERT_EQ(raw.size(), 64U);
  auto redundant = raw;
  append(redundant, key.public_key().raw());
  for (const auto& form : {Bytes(raw.begin(), raw.begin() + 32), raw, redundant})
    EXPECT_EQ(PrivateKey::from_raw(KeyType::ed25519, form).value().public_key(), key.public_key());
  for (const std::size_t at : {32U, 95U}) {
    auto wrong = redundant;
    wrong[at] ^= 1;
    EXPECT_EQ(PrivateKey::from_raw(KeyType::ed25519, wrong).error(), Errc::mismatch);
  }
  for (std::size_t n = 0; n < 100; ++n) {
    if (n != 32 && n != 64 && n != 96) {
      EXPECT_EQ(PrivateKey::from_raw(KeyType::ed25519, Bytes(n)).error(), Errc::malformed);
    }
  }
}

TEST(Keys, refuse_every_truncation_of_a_message) {
  SeededRng rng(4);
  for (const auto type : kWhole) {
    const auto key = PrivateKey::generate(type, rng).value();
    const auto secret = key.to_protobuf();
    for (std::size_t n = 0; n < secret.size(); ++n)
      ASSERT_EQ(PrivateKey::from_protobuf(ByteView(secret).first(n)).error(), Errc::malformed) << n;
    const auto shown = key.public_key().to_protobuf();
    for (std::size_t n = 0; n < shown.size(); ++n)
      ASSERT_EQ(PublicKey::from_protobuf(ByteView(shown).first(n)).error(), Errc::malformed) << n;
  }
}

TEST(Keys, read_messages_as_protobuf_does) {
  SeededRng rng(5);
  const auto key = PrivateKey::generate(KeyType::ed25519, rng).value().public_key();
  Bytes repeated{0x08, 0x02};  // of two types the last counts
  append(repeated, key.to_protobuf());
  EXPECT_EQ(PublicKey::from_protobuf(repeated).value(), key);
  Bytes wrong_wire_type{0x0a, 0x01, 0x01, 0x12, 0x20};
  append(wrong_wire_type, key.raw());
  EXPECT_EQ(PublicKey::from_protobuf(wrong_wire_type).error(), Errc::malformed);
  EXPECT_EQ(PublicKey::from_protobuf(Bytes{0x08, 0x09, 0x12, 0x00}).error(), Errc::unsupported);
  EXPECT_EQ(PublicKey::from_protobuf(Bytes(8193, 0x08)).error(), Errc::too_large);
  EXPECT_EQ(PublicKey::from_protobuf(Bytes(8192, 0x08)).error(), Errc::malformed) << "is read";
}

TEST(Keys, survive_any_message) {
  SeededRng rng(6);
  for (int i = 0; i < 3000; ++i) {
    Bytes noise{0x08, static_cast<std::uint8_t>(rng.below(5)), 0x12};
    Bytes data(rng.below(100));
    rng.fill(data);
    noise.push_back(static_cast<std::uint8_t>(rng.below(2) == 0 ? data.size() : rng.below(128)));
    append(noise, data);
    const auto key = PublicKey::from_protobuf(noise);
    if (key) {
      EXPECT_FALSE(key->verify(noise, data));
    }
    (void)PrivateKey::from_protobuf(noise);
  }
}

TEST(Keys, are_not_generated_for_rsa_and_ecdsa) {
  SeededRng rng(7);
  EXPECT_EQ(PrivateKey::generate(KeyType::rsa, rng).error(), Errc::unsupported);
  EXPECT_EQ(PrivateKey::generate(KeyType::ecdsa, rng).error(), Errc::unsupported);
}

}  // namespace
}  // namespace libp2p::crypto
