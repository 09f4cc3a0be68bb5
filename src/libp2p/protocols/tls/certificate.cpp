#include "libp2p/protocols/tls/certificate.hpp"

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <set>
#include <string>
#include <string_view>

namespace libp2p::tls {
namespace {

constexpr std::string_view kExtension = "1.3.6.1.4.1.53594.1.1";
constexpr std::string_view kSigned = "libp2p-tls-handshake:";
constexpr std::int64_t kValidFrom = 157'766'400;      // 1975-01-01
constexpr std::int64_t kValidUntil = 67'090'118'400;  // 4096-01-01
constexpr int kMostExtensions = 32;
constexpr std::size_t kMostBytes = 32 * 1024;  // of a certificate
constexpr int kMostRsaBits = 8192;             // a larger key would make each check a denial of service

struct Free {
  void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
  void operator()(ASN1_OCTET_STRING* octets) const { ASN1_OCTET_STRING_free(octets); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(ASN1_SEQUENCE_ANY* items) const { sk_ASN1_TYPE_pop_free(items, ASN1_TYPE_free); }
};
template <class Form>
using Owned = std::unique_ptr<Form, Free>;

// The DER of a form, by its i2d function.
template <class Form>
Bytes der_of(const Form* form, int (*write)(const Form*, unsigned char**)) {
  const int size = write(form, nullptr);
  if (size <= 0) return {};
  Bytes out(static_cast<std::size_t>(size));
  unsigned char* place = out.data();
  write(form, &place);
  return out;
}

Error broken(std::string_view rule) { return fail(Errc::malformed, "the certificate " + std::string(rule)); }

// What the identity signs: that this key of a certificate is its own.
Bytes signed_text(const EVP_PKEY* key) {
  Bytes out = to_bytes(kSigned);
  append(out, der_of<EVP_PKEY>(key, i2d_PUBKEY));
  return out;
}

// SignedKey ::= SEQUENCE { publicKey OCTET STRING, signature OCTET STRING }
struct SignedKey {
  Bytes public_key;
  Bytes signature;
};

bool push_octets(ASN1_SEQUENCE_ANY* to, ByteView bytes) {
  ASN1_TYPE* const item = ASN1_TYPE_new();
  if (item == nullptr) return false;
  Owned<ASN1_OCTET_STRING> octets(ASN1_OCTET_STRING_new());
  if (octets && ASN1_OCTET_STRING_set(octets.get(), bytes.data(), static_cast<int>(bytes.size())) == 1) {
    ASN1_TYPE_set(item, V_ASN1_OCTET_STRING, octets.release());
    if (sk_ASN1_TYPE_push(to, item) > 0) return true;
  }
  ASN1_TYPE_free(item);
  return false;
}

Bytes encode(const SignedKey& key) {
  const Owned<ASN1_SEQUENCE_ANY> items(sk_ASN1_TYPE_new_null());
  if (!items || !push_octets(items.get(), key.public_key) || !push_octets(items.get(), key.signature)) return {};
  return der_of<ASN1_SEQUENCE_ANY>(items.get(), i2d_ASN1_SEQUENCE_ANY);
}

Result<SignedKey> decode_signed_key(ByteView der) {
  const unsigned char* place = der.data();
  const Owned<ASN1_SEQUENCE_ANY> items(d2i_ASN1_SEQUENCE_ANY(nullptr, &place, static_cast<long>(der.size())));
  const bool is_two = items && place == der.data() + der.size() && sk_ASN1_TYPE_num(items.get()) == 2;
  SignedKey out;
  for (int i = 0; is_two && i < 2; ++i) {
    const ASN1_TYPE* const item = sk_ASN1_TYPE_value(items.get(), i);
    if (ASN1_TYPE_get(item) != V_ASN1_OCTET_STRING)
      return broken("has another extension of libp2p than two octet strings");
    const ASN1_OCTET_STRING* const octets = item->value.octet_string;
    const ByteView bytes(ASN1_STRING_get0_data(octets), static_cast<std::size_t>(ASN1_STRING_length(octets)));
    (i == 0 ? out.public_key : out.signature) = to_bytes(bytes);
  }
  if (is_two) return out;
  return openssl_error(Errc::malformed, "the certificate has an extension of libp2p that is no sequence of two");
}

std::string id_of(const ASN1_OBJECT* object) {
  char text[128];
  const int size = OBJ_obj2txt(text, sizeof text, object, 1);
  return size > 0 && size < static_cast<int>(sizeof text) ? std::string(text) : std::string();
}

// The value of libp2p's extension. Each may be there once; a critical one must be known here or to OpenSSL.
Result<SignedKey> find_signed_key(const X509& certificate) {
  const int count = X509_get_ext_count(&certificate);
  if (count > kMostExtensions)
    return fail(Errc::too_large, "the certificate has " + std::to_string(count) + " extensions");
  std::set<std::string> ids;
  const ASN1_OCTET_STRING* value = nullptr;
  for (int i = 0; i < count; ++i) {
    X509_EXTENSION* const extension = X509_get_ext(&certificate, i);
    const std::string id = id_of(X509_EXTENSION_get_object(extension));
    if (id.empty() || !ids.insert(id).second) return broken("has the extension " + id + " twice, or one without an id");
    if (id == kExtension)
      value = X509_EXTENSION_get_data(extension);
    else if (X509_EXTENSION_get_critical(extension) != 0 && X509_supported_extension(extension) == 0)
      return broken("has the critical extension " + id + ", which is not known here");
  }
  if (value == nullptr) return broken("has no extension of libp2p");
  return decode_signed_key({ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))});
}

Result<void> check_valid_at(const X509& certificate, UnixTime now) {
  const auto at = static_cast<time_t>(unix_seconds(now));
  const int begun = ASN1_TIME_cmp_time_t(X509_get0_notBefore(&certificate), at);
  const int ended = ASN1_TIME_cmp_time_t(X509_get0_notAfter(&certificate), at);
  if (begun == -2 || ended == -2) return broken("has a time of validity that cannot be read");
  if (begun > 0) return fail(Errc::denied, "the certificate is not valid yet; check the clocks of both machines");
  if (ended < 0) return fail(Errc::denied, "the certificate has expired; check the clocks of both machines");
  return {};
}

// By its own key, with an algorithm that is not broken.
Result<void> check_self_signed(X509& certificate, EVP_PKEY* key) {
  int hash = 0;
  int bits = 0;
  if (X509_get_signature_info(&certificate, &hash, nullptr, &bits, nullptr) != 1 || bits < 112)
    return openssl_error(Errc::malformed, "the certificate is signed by an algorithm that is not taken");
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) > kMostRsaBits)
    return fail(Errc::too_large,
                "the certificate has an RSA key of more than " + std::to_string(kMostRsaBits) + " bits");
  if (X509_verify(&certificate, key) != 1)
    return openssl_error(Errc::mismatch, "the certificate is not signed by its own key");
  return {};
}

bool has_unique_ids(const X509& certificate) {
  const ASN1_BIT_STRING* issuer = nullptr;
  const ASN1_BIT_STRING* subject = nullptr;
  X509_get0_uids(&certificate, &issuer, &subject);
  return issuer != nullptr || subject != nullptr;
}

bool set_name(X509* certificate, const std::string& serial) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_NID(name, NID_serialNumber, MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(serial.data()),
                                    static_cast<int>(serial.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

bool add_extension(X509* certificate, const SignedKey& signed_key) {
  const Bytes value = encode(signed_key);
  const Owned<ASN1_OBJECT> id(OBJ_txt2obj(std::string(kExtension).c_str(), 1));
  const Owned<ASN1_OCTET_STRING> octets(ASN1_OCTET_STRING_new());
  if (value.empty() || !id || !octets ||
      ASN1_OCTET_STRING_set(octets.get(), value.data(), static_cast<int>(value.size())) != 1)
    return false;
  const Owned<X509_EXTENSION> extension(X509_EXTENSION_create_by_OBJ(nullptr, id.get(), 0, octets.get()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

}  // namespace

void FreeOpenSsl::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
void FreeOpenSsl::operator()(X509* certificate) const { X509_free(certificate); }

Bytes Certificate::to_der() const { return der_of<X509>(form.get(), i2d_X509); }

Result<Certificate> make_certificate(const crypto::PrivateKey& identity, OpenSslWorld& world) {
  const auto failed = [] { return openssl_error(Errc::unsupported, "OpenSSL cannot make a certificate"); };
  Certificate out;
  out.key.reset(EVP_PKEY_Q_keygen(world.context(), nullptr, "EC", "P-256"));
  out.form.reset(X509_new_ex(world.context(), nullptr));
  if (!out.key || !out.form) return failed();
  OPP2P_TRY(Bytes signature, identity.sign(signed_text(out.key.get())));
  const SignedKey signed_key{identity.public_key().to_protobuf(), std::move(signature)};
  X509* const form = out.form.get();
  const std::uint64_t serial = world.rng().next_u64() >> 1 | 1;
  const bool made = X509_set_version(form, X509_VERSION_3) == 1 &&
                    ASN1_INTEGER_set_uint64(X509_get_serialNumber(form), serial) == 1 &&
                    ASN1_TIME_set(X509_getm_notBefore(form), kValidFrom) != nullptr &&
                    ASN1_TIME_set(X509_getm_notAfter(form), kValidUntil) != nullptr &&
                    set_name(form, std::to_string(serial)) && X509_set_pubkey(form, out.key.get()) == 1 &&
                    add_extension(form, signed_key) && X509_sign(form, out.key.get(), EVP_sha256()) > 0;
  if (!made) return failed();
  return out;
}

Result<CertificateForm> read_certificate(ByteView der, OpenSslWorld& world) {
  if (der.size() > kMostBytes) return fail(Errc::too_large, "the certificate has more than 32 KiB");
  X509* form = X509_new_ex(world.context(), nullptr);
  const unsigned char* place = der.data();
  if (form != nullptr && d2i_X509(&form, &place, static_cast<long>(der.size())) != nullptr) {
    CertificateForm out(form);
    if (place != der.data() + der.size()) return broken("has bytes behind its end");
    return out;
  }
  return openssl_error(Errc::malformed, "no certificate");  // d2i_X509 has freed the form
}

Result<crypto::PublicKey> verify_certificate(X509& certificate, UnixTime now) {
  EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  if (key == nullptr) return openssl_error(Errc::malformed, "the certificate has a key that cannot be read");
  if (has_unique_ids(certificate)) return broken("has unique ids, which libp2p forbids");
  OPP2P_TRYV(check_valid_at(certificate, now));
  OPP2P_TRY(const SignedKey signed_key, find_signed_key(certificate));
  OPP2P_TRYV(check_self_signed(certificate, key));
  auto identity = crypto::PublicKey::from_protobuf(signed_key.public_key);
  if (!identity) return identity.error().within("the identity key in the certificate");
  const auto proved = identity->verify(signed_text(key), signed_key.signature);
  if (!proved) return proved.error().within("the signature of the identity key over the certificate's");
  return identity;
}

Result<crypto::PublicKey> verify_chain(std::span<const Bytes> chain, UnixTime now, OpenSslWorld& world) {
  if (chain.size() != 1)
    return fail(Errc::malformed, "a peer of libp2p shows one certificate, not " + std::to_string(chain.size()));
  OPP2P_TRY(const CertificateForm certificate, read_certificate(chain.front(), world));
  return verify_certificate(*certificate, now);
}

}  // namespace libp2p::tls
