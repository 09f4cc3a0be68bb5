// Certificates as a peer may show them: of any kind of key, with any digest, and with fields that libp2p forbids.
#pragma once

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <functional>
#include <string>

#include "libp2p/protocols/tls/certificate.hpp"

namespace libp2p::tls::test {

inline constexpr UnixTime kNow = from_unix_seconds(1'800'000'000);

inline crypto::PrivateKey identity_key(std::uint64_t seed, crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(type, rng).value();
}

inline Bytes tlv(std::uint8_t tag, ByteView content) {
  Bytes out{tag};
  if (content.size() >= 0x80) {
    const bool two = content.size() > 0xff;
    out.push_back(two ? 0x82 : 0x81);
    if (two) out.push_back(static_cast<std::uint8_t>(content.size() >> 8));
  }
  out.push_back(static_cast<std::uint8_t>(content.size()));
  append(out, content);
  return out;
}

struct Forgery {
  std::string key = "P-256";  // P-384, P-521, ED25519, RSA
  const EVP_MD* digest = EVP_sha256();
  std::int64_t from = 1'700'000'000;
  std::int64_t until = 1'900'000'000;
  bool critical = false;                               // libp2p's extension
  std::string other_critical = {};                     // the id of one more
  std::function<void(Bytes& signed_key)> change = {};  // the value of libp2p's extension
  bool without_extension = false;
};

inline Bytes der_of_key(EVP_PKEY* key) {
  Bytes out(static_cast<std::size_t>(i2d_PUBKEY(key, nullptr)));
  unsigned char* place = out.data();
  i2d_PUBKEY(key, &place);
  return out;
}

inline void add_extension(X509* form, const std::string& id, bool critical, const Bytes& value) {
  ASN1_OBJECT* const object = OBJ_txt2obj(id.c_str(), 1);
  ASN1_OCTET_STRING* const octets = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(octets, value.data(), static_cast<int>(value.size()));
  X509_EXTENSION* const extension = X509_EXTENSION_create_by_OBJ(nullptr, object, critical, octets);
  X509_add_ext(form, extension, -1);
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(octets);
  ASN1_OBJECT_free(object);
}

inline Certificate forge(const crypto::PrivateKey& identity, const Forgery& how, OpenSslWorld& world) {
  Certificate out;
  if (how.key == "RSA")
    out.key.reset(EVP_PKEY_Q_keygen(world.context(), nullptr, "RSA", std::size_t{2048}));
  else if (how.key == "ED25519")
    out.key.reset(EVP_PKEY_Q_keygen(world.context(), nullptr, "ED25519"));
  else
    out.key.reset(EVP_PKEY_Q_keygen(world.context(), nullptr, "EC", how.key.c_str()));
  out.form.reset(X509_new_ex(world.context(), nullptr));
  X509* const form = out.form.get();
  X509_set_version(form, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(form), 7);
  ASN1_TIME_set(X509_getm_notBefore(form), how.from);
  ASN1_TIME_set(X509_getm_notAfter(form), how.until);
  X509_set_pubkey(form, out.key.get());
  Bytes text = to_bytes("libp2p-tls-handshake:");
  append(text, der_of_key(out.key.get()));
  Bytes content = tlv(0x04, identity.public_key().to_protobuf());
  append(content, tlv(0x04, identity.sign(text).value()));
  Bytes signed_key = tlv(0x30, content);
  if (how.change) how.change(signed_key);
  if (!how.without_extension) add_extension(form, "1.3.6.1.4.1.53594.1.1", how.critical, signed_key);
  if (!how.other_critical.empty()) add_extension(form, how.other_critical, true, Bytes{0x05, 0x00});
  X509_sign(form, out.key.get(), how.key == "ED25519" ? nullptr : how.digest);
  return out;
}

// What a DER element holds, and what follows it.
struct Element {
  ByteView whole, content, rest;
};
inline Element first_of(ByteView der) {
  std::size_t header = 2, size = der[1];
  if (size > 0x80) {
    header += size - 0x80;
    size = 0;
    for (std::size_t i = 2; i < header; ++i) size = size << 8 | der[i];
  }
  return {der.first(header + size), der.subspan(header, size), der.subspan(header + size)};
}

// The same certificate with an issuerUniqueID, signed anew by its own key.
inline Bytes with_unique_id(const Certificate& certificate, OpenSslWorld& world) {
  const Bytes der = certificate.to_der();
  const Element to_be_signed = first_of(first_of(der).content);
  const ByteView algorithm = first_of(to_be_signed.rest).whole;
  Bytes fields;
  for (ByteView rest = to_be_signed.content; !rest.empty();) {
    const Element field = first_of(rest);
    if (field.whole[0] == 0xa3) append(fields, tlv(0x81, Bytes{0x00, 0xaa}));  // right before the extensions
    append(fields, field.whole);
    rest = field.rest;
  }
  Bytes out = tlv(0x30, fields);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  std::size_t size = 256;
  Bytes signature(size);
  const char* const digest = EVP_PKEY_is_a(certificate.key.get(), "ED25519") == 1 ? nullptr : "SHA256";
  EVP_DigestSignInit_ex(context, nullptr, digest, world.context(), nullptr, certificate.key.get(), nullptr);
  EVP_DigestSign(context, signature.data(), &size, out.data(), out.size());
  EVP_MD_CTX_free(context);
  signature.resize(size);
  signature.insert(signature.begin(), 0x00);  // no unused bits
  append(out, algorithm);
  append(out, tlv(0x03, signature));
  return tlv(0x30, out);
}

}  // namespace libp2p::tls::test
