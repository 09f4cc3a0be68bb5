#include "libp2p/crypto/openssl_keys.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

namespace libp2p::crypto {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;

// OpenSSL keeps a queue of errors per thread; what our own parsing left there must not reach a later TLS call.
struct ErrorMark {
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

int kind_of(KeyType type) { return type == KeyType::rsa ? EVP_PKEY_RSA : EVP_PKEY_EC; }

Bytes encode_public(const EVP_PKEY* key) {
  const int size = i2d_PUBKEY(key, nullptr);
  if (size <= 0) return {};
  Bytes out(static_cast<std::size_t>(size));
  auto* place = out.data();
  i2d_PUBKEY(key, &place);
  return out;
}

Key parse_public_der(ByteView der) {
  const auto* place = der.data();
  Key key(d2i_PUBKEY(nullptr, &place, static_cast<long>(der.size())));
  if (key && place != der.data() + der.size()) key.reset();
  return key;
}

Key parse_private(KeyType type, ByteView der) {
  const auto* place = der.data();
  Key key(d2i_PrivateKey(kind_of(type), nullptr, &place, static_cast<long>(der.size())));
  if (key && place != der.data() + der.size()) key.reset();
  return key;
}

Result<void> check_rsa(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kMinRsaBits || bits > kMaxRsaBits)
    return fail(bits < kMinRsaBits ? Errc::unsupported : Errc::too_large,
                "RSA key has " + std::to_string(bits) + " bits, 2048 to 8192 are allowed");
  BIGNUM* raw_exponent = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw_exponent);
  const std::unique_ptr<BIGNUM, Free> exponent(raw_exponent);
  // Go's bound, 2^31 - 1: a larger exponent only makes verification slow.
  if (!exponent || BN_num_bits(exponent.get()) > 31 || BN_num_bits(exponent.get()) < 2 || !BN_is_odd(exponent.get()))
    return fail(Errc::malformed, "RSA key has a public exponent that is even, below 3 or above 31 bits");
  return {};
}

Result<void> check_ecdsa(const EVP_PKEY* key) {
  char name[64] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, &size) != 1 ||
      std::string_view(name, size) != "prime256v1")
    return fail(Errc::unsupported, "ECDSA key is not on the curve P-256");
  return {};
}

Result<void> check_key(KeyType type, const EVP_PKEY* key) {
  if (key == nullptr || EVP_PKEY_get_base_id(key) != kind_of(type))
    return fail(Errc::malformed, "not the DER encoding of a key of type " + std::string(to_string(type)));
  return type == KeyType::rsa ? check_rsa(key) : check_ecdsa(key);
}

constexpr std::size_t kP256InfoSize = 91;  // header and uncompressed point

}  // namespace

Result<void> check_public_der(KeyType type, ByteView der) {
  const ErrorMark mark;
  const auto key = parse_public_der(der);
  OPP2P_TRYV(check_key(type, key.get()));
  if (!equal(encode_public(key.get()), der) || (type == KeyType::ecdsa && der.size() != kP256InfoSize))
    return fail(Errc::malformed, "public key is not in its DER form");
  return {};
}

Result<Bytes> public_der_of(KeyType type, ByteView private_der) {
  const ErrorMark mark;
  const auto key = parse_private(type, private_der);
  OPP2P_TRYV(check_key(type, key.get()));
  auto out = encode_public(key.get());
  OPP2P_TRYV(check_public_der(type, out));
  // The encoding may carry a public half of its own, and RSA's numbers may not belong together.
  const auto message = as_bytes("do the halves belong together?");
  OPP2P_TRY(const auto signature, sign_with_der(type, private_der, message));
  if (!verify_with_der(type, out, message, signature))
    return fail(Errc::mismatch, "the public half of a private key does not belong to it");
  return out;
}

bool verify_with_der(KeyType, ByteView public_der, ByteView message, ByteView signature) {
  const ErrorMark mark;
  const auto key = parse_public_der(public_der);
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  return key && context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

Result<Bytes> sign_with_der(KeyType type, ByteView private_der, ByteView message) {
  const ErrorMark mark;
  const auto key = parse_private(type, private_der);
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!key || !context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1)
    return fail(Errc::invalid_argument, "private key cannot sign");
  Bytes out(size);
  if (EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) != 1)
    return fail(Errc::invalid_argument, "private key cannot sign");
  out.resize(size);
  return out;
}

}  // namespace libp2p::crypto
