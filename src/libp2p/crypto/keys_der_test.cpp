// RSA and ECDSA: keys that this library reads but does not make, so OpenSSL makes them here.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/keys.hpp"

namespace libp2p::crypto {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Handle = std::unique_ptr<EVP_PKEY, Free>;

Bytes private_der(const EVP_PKEY* key) {
  unsigned char* raw = nullptr;
  const int size = i2d_PrivateKey(key, &raw);  // PKCS#1 for RSA, SEC 1 for EC
  Bytes out(raw, raw + size);
  OPENSSL_free(raw);
  return out;
}

Bytes public_der(const EVP_PKEY* key) {
  unsigned char* raw = nullptr;
  const int size = i2d_PUBKEY(key, &raw);
  Bytes out(raw, raw + size);
  OPENSSL_free(raw);
  return out;
}

Bytes p256_secret() { return private_der(Handle(EVP_EC_gen("P-256")).get()); }
const Bytes& rsa_secret() {
  static const Bytes made = private_der(Handle(EVP_RSA_gen(2048)).get());
  return made;
}
Bytes secret_of(KeyType type) { return type == KeyType::rsa ? rsa_secret() : p256_secret(); }

class DerKeys : public testing::TestWithParam<KeyType> {};

TEST_P(DerKeys, sign_verify_and_survive_protobuf) {
  const auto key = PrivateKey::from_raw(GetParam(), secret_of(GetParam())).value();
  const auto message = as_bytes("a message");
  const auto signature = key.sign(message).value();
  EXPECT_TRUE(key.public_key().verify(message, signature));
  const auto again = PrivateKey::from_protobuf(key.to_protobuf()).value();
  EXPECT_EQ(again.public_key(), key.public_key());
  const auto shown = PublicKey::from_protobuf(key.public_key().to_protobuf()).value();
  EXPECT_EQ(shown, key.public_key());
  EXPECT_TRUE(shown.verify(message, again.sign(message).value()));
}

TEST_P(DerKeys, refuse_a_signature_with_any_byte_changed_or_cut) {
  const auto key = PrivateKey::from_raw(GetParam(), secret_of(GetParam())).value();
  const auto message = as_bytes("a message");
  auto signature = key.sign(message).value();
  EXPECT_EQ(key.public_key().verify(as_bytes("another"), signature).error(), Errc::mismatch);
  for (std::size_t at = 0; at < signature.size(); ++at) {
    auto changed = signature;
    changed[at] ^= 1;
    ASSERT_EQ(key.public_key().verify(message, changed).error(), Errc::mismatch) << at;
    ASSERT_EQ(key.public_key().verify(message, ByteView(signature).first(at)).error(), Errc::mismatch) << at;
  }
  signature.push_back(0);
  EXPECT_EQ(key.public_key().verify(message, signature).error(), Errc::mismatch) << "a byte behind the signature";
}

TEST_P(DerKeys, refuse_every_cut_and_every_longer_form) {
  const auto secret = secret_of(GetParam());
  const auto shown = to_bytes(PrivateKey::from_raw(GetParam(), secret).value().public_key().raw());
  for (std::size_t n = 0; n < shown.size(); ++n)
    ASSERT_EQ(PublicKey::from_raw(GetParam(), ByteView(shown).first(n)).error(), Errc::malformed) << n;
  for (std::size_t n = 0; n < secret.size(); ++n)
    ASSERT_FALSE(PrivateKey::from_raw(GetParam(), ByteView(secret).first(n))) << n;
  auto longer = shown;
  longer.push_back(0);
  EXPECT_EQ(PublicKey::from_raw(GetParam(), longer).error(), Errc::malformed);
  auto longer_secret = secret;
  longer_secret.push_back(0);
  EXPECT_EQ(PrivateKey::from_raw(GetParam(), longer_secret).error(), Errc::malformed);
}

TEST_P(DerKeys, survive_changed_bytes) {
  SeededRng rng(1);
  const auto secret = secret_of(GetParam());
  const auto shown = to_bytes(PrivateKey::from_raw(GetParam(), secret).value().public_key().raw());
  for (int i = 0; i < 400; ++i) {
    auto changed = shown;
    changed[rng.below(changed.size())] = static_cast<std::uint8_t>(rng.next_u64());
    // Whatever is still taken has one form only, so that it has one peer id only.
    if (const auto key = PublicKey::from_raw(GetParam(), changed)) {
      ASSERT_TRUE(equal(key->raw(), changed));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Both, DerKeys, testing::Values(KeyType::rsa, KeyType::ecdsa),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST(RsaKeys, have_2048_to_8192_bits) {
  const Handle small(EVP_RSA_gen(1024));
  EXPECT_EQ(PublicKey::from_raw(KeyType::rsa, public_der(small.get())).error(), Errc::unsupported);
  EXPECT_EQ(PrivateKey::from_raw(KeyType::rsa, private_der(small.get())).error(), Errc::unsupported);

  // A modulus of the wanted size is enough for a public key; no prime is needed.
  const auto with_bits = [](std::size_t bits) {
    Bytes modulus(bits / 8, 0xff);
    const auto header = [](std::uint8_t tag, std::size_t size) {
      return Bytes{tag, 0x82, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    };
    Bytes number = header(0x02, modulus.size() + 1);
    number.push_back(0);
    append(number, modulus);
    append(number, Bytes{0x02, 0x03, 0x01, 0x00, 0x01});
    Bytes bits_string = header(0x30, number.size());
    append(bits_string, number);
    Bytes inner{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    append(inner, header(0x03, bits_string.size() + 1));
    inner.push_back(0);
    append(inner, bits_string);
    Bytes out = header(0x30, inner.size());
    append(out, inner);
    return out;
  };
  EXPECT_TRUE(PublicKey::from_raw(KeyType::rsa, with_bits(2048)));
  EXPECT_TRUE(PublicKey::from_raw(KeyType::rsa, with_bits(8192)));
  EXPECT_EQ(PublicKey::from_raw(KeyType::rsa, with_bits(8200)).error(), Errc::too_large);
}

TEST(EcdsaKeys, are_on_p256_and_uncompressed) {
  const Handle other(EVP_EC_gen("P-384"));
  EXPECT_EQ(PublicKey::from_raw(KeyType::ecdsa, public_der(other.get())).error(), Errc::unsupported);
  EXPECT_EQ(PrivateKey::from_raw(KeyType::ecdsa, private_der(other.get())).error(), Errc::unsupported);
  const Handle compressed(EVP_EC_gen("P-256"));
  EVP_PKEY_set_utf8_string_param(compressed.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
  EXPECT_EQ(PublicKey::from_raw(KeyType::ecdsa, public_der(compressed.get())).error(), Errc::malformed);
}

TEST(EcdsaKeys, refuse_a_public_half_of_another_key) {
  auto mixed = p256_secret();
  const auto other = p256_secret();
  std::copy(other.end() - 64, other.end(), mixed.end() - 64);  // the point stands last
  EXPECT_EQ(PrivateKey::from_raw(KeyType::ecdsa, mixed).error(), Errc::mismatch);
}

TEST(KeysInDer, of_one_type_are_not_taken_for_the_other) {
  const auto rsa = PrivateKey::from_raw(KeyType::rsa, rsa_secret()).value();
  const auto ecdsa = PrivateKey::from_raw(KeyType::ecdsa, p256_secret()).value();
  EXPECT_EQ(PublicKey::from_raw(KeyType::ecdsa, rsa.public_key().raw()).error(), Errc::malformed);
  EXPECT_EQ(PublicKey::from_raw(KeyType::rsa, ecdsa.public_key().raw()).error(), Errc::malformed);
  EXPECT_FALSE(PrivateKey::from_raw(KeyType::rsa, ecdsa.raw()));
  EXPECT_FALSE(PrivateKey::from_raw(KeyType::ecdsa, rsa.raw()));
}

}  // namespace
}  // namespace libp2p::crypto
