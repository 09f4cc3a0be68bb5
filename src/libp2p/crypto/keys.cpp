#include "libp2p/crypto/keys.hpp"

#include <openssl/crypto.h>
#include <secp256k1.h>
#include <sodium.h>

#include <algorithm>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <utility>

#include "libp2p/base/protobuf.hpp"
#include "libp2p/crypto/hash.hpp"
#include "libp2p/crypto/openssl_keys.hpp"
#include "libp2p/crypto/secp256k1.hpp"
#include "libp2p/crypto/secp256k1_context.hpp"
#include "libp2p/crypto/sodium.hpp"

namespace libp2p::crypto {
namespace {

constexpr std::size_t kEd25519Public = crypto_sign_ed25519_PUBLICKEYBYTES;
constexpr std::size_t kEd25519Seed = crypto_sign_ed25519_SEEDBYTES;
constexpr std::size_t kEd25519Secret = crypto_sign_ed25519_SECRETKEYBYTES;
// An RSA key of 8192 bits takes 4.7 KB as a private key; nothing well formed is longer.
constexpr std::size_t kMaxKeyMessage = 8192;

Error wrong_signature() { return fail(Errc::mismatch, "signature does not belong to this key and message"); }

std::string size_text(std::string_view what, std::size_t wanted, std::size_t got) {
  return std::string(what) + " has " + std::to_string(wanted) + " bytes, not " + std::to_string(got);
}

// The two messages of the specification, PublicKey and PrivateKey, have the same shape: 1 = type, 2 = data, both
// required.
struct KeyMessage {
  KeyType type;
  ByteView data;
};

Result<KeyMessage> parse_message(ByteView message) {
  if (message.size() > kMaxKeyMessage)
    return fail(Errc::too_large, "key message has " + std::to_string(message.size()) + " bytes, at most " +
                                     std::to_string(kMaxKeyMessage) + " are allowed");
  std::optional<std::int32_t> type;
  std::optional<ByteView> data;
  ProtobufReader reader(message, "key message");
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) break;
    // An enum has 32 bits; what is above them is lost, as in Go.
    if (field.number == 1 && field.is_varint())
      type = static_cast<std::int32_t>(static_cast<std::uint32_t>(field.value));
    if (field.number == 2 && field.is_bytes()) data = field.bytes;
  }
  if (!type) return fail(Errc::malformed, "key message has no type");
  if (!data) return fail(Errc::malformed, "key message has no data");
  if (*type < 0 || *type > 3) return fail(Errc::unsupported, "key type " + std::to_string(*type) + " is not known");
  return KeyMessage{static_cast<KeyType>(*type), *data};
}

Bytes write_message(KeyType type, ByteView data) {
  std::string out;
  out.reserve(data.size() + 8);  // in one piece, so that no copy of a secret stays behind
  protozero::pbf_writer writer(out);
  writer.add_enum(1, static_cast<std::int32_t>(type));
  writer.add_bytes(2, reinterpret_cast<const char*>(data.data()), data.size());
  Bytes bytes = to_bytes(out);
  OPENSSL_cleanse(out.data(), out.size());
  return bytes;
}

Result<void> verify_ed25519(ByteView key, ByteView message, ByteView signature) {
  ensure_sodium();
  if (signature.size() != crypto_sign_ed25519_BYTES ||
      crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(), key.data()) != 0)
    return wrong_signature();
  return {};
}

Result<void> verify_secp256k1(ByteView key, ByteView message, ByteView signature) {
  const auto* const context = secp256k1::context();
  secp256k1_pubkey parsed;
  secp256k1_ecdsa_signature made;
  if (secp256k1_ec_pubkey_parse(context, &parsed, key.data(), key.size()) != 1 || signature.empty() ||
      secp256k1_ecdsa_signature_parse_der(context, &made, signature.data(), signature.size()) != 1)
    return wrong_signature();
  // libp2p has no low-s rule; this library verifies the low form only, which is the same signature.
  secp256k1_ecdsa_signature_normalize(context, &made, &made);
  const auto digest = sha256(message);
  if (secp256k1_ecdsa_verify(context, &made, digest.data(), &parsed) != 1) return wrong_signature();
  return {};
}

Result<Bytes> sign_secp256k1(ByteView secret, ByteView message) {
  const auto* const context = secp256k1::context();
  const auto digest = sha256(message);
  secp256k1_ecdsa_signature made;
  if (secp256k1_ecdsa_sign(context, &made, digest.data(), secret.data(), nullptr, nullptr) != 1)
    return fail(Errc::invalid_argument, "secp256k1 secret is out of range");
  Bytes out(72);
  std::size_t size = out.size();
  secp256k1_ecdsa_signature_serialize_der(context, out.data(), &size, &made);
  out.resize(size);
  return out;
}

}  // namespace

std::string_view to_string(KeyType type) {
  switch (type) {
    case KeyType::rsa: return "rsa";
    case KeyType::ed25519: return "ed25519";
    case KeyType::secp256k1: return "secp256k1";
    case KeyType::ecdsa: return "ecdsa";
  }
  return "unknown";
}

Result<PublicKey> PublicKey::from_raw(KeyType type, ByteView raw) {
  switch (type) {
    case KeyType::ed25519:
      if (raw.size() != kEd25519Public)
        return fail(Errc::malformed, size_text("an Ed25519 public key", kEd25519Public, raw.size()));
      return PublicKey(type, to_bytes(raw));
    case KeyType::secp256k1: {
      OPP2P_TRY(const auto compressed, secp256k1::compress(raw));
      return PublicKey(type, to_bytes(compressed));
    }
    case KeyType::rsa:
    case KeyType::ecdsa: OPP2P_TRYV(check_public_der(type, raw)); return PublicKey(type, to_bytes(raw));
  }
  return fail(Errc::unsupported, "key type is not known");
}

Result<PublicKey> PublicKey::from_protobuf(ByteView message) {
  OPP2P_TRY(const auto parsed, parse_message(message));
  return from_raw(parsed.type, parsed.data);
}

Bytes PublicKey::to_protobuf() const { return write_message(type_, raw_); }

Result<void> PublicKey::verify(ByteView message, ByteView signature) const {
  switch (type_) {
    case KeyType::ed25519: return verify_ed25519(raw_, message, signature);
    case KeyType::secp256k1: return verify_secp256k1(raw_, message, signature);
    case KeyType::rsa:
    case KeyType::ecdsa:
      if (!verify_with_der(type_, raw_, message, signature)) return wrong_signature();
      return {};
  }
  return wrong_signature();
}

PrivateKey::~PrivateKey() { OPENSSL_cleanse(raw_.data(), raw_.size()); }

PrivateKey& PrivateKey::operator=(PrivateKey other) noexcept {
  std::swap(public_, other.public_);
  std::swap(raw_, other.raw_);  // the old secret goes, wiped, with `other`
  return *this;
}

Result<PrivateKey> PrivateKey::generate(KeyType type, Rng& rng) {
  if (type != KeyType::ed25519 && type != KeyType::secp256k1)
    return fail(Errc::unsupported,
                "only Ed25519 and secp256k1 keys are generated, not " + std::string(to_string(type)));
  auto secret = type == KeyType::ed25519 ? rng.array<32>() : secp256k1::generate(rng);
  auto key = from_raw(type, secret);
  OPENSSL_cleanse(secret.data(), secret.size());
  return key;
}

namespace {

struct KeyPair {
  Bytes public_raw;
  Bytes secret_raw;
};

Result<KeyPair> ed25519_pair(ByteView raw) {
  if (raw.size() != kEd25519Seed && raw.size() != kEd25519Secret && raw.size() != kEd25519Secret + kEd25519Public)
    return fail(Errc::malformed, "an Ed25519 private key has 32, 64 or 96 bytes, not " + std::to_string(raw.size()));
  ensure_sodium();
  KeyPair pair{Bytes(kEd25519Public), Bytes(kEd25519Secret)};
  crypto_sign_ed25519_seed_keypair(pair.public_raw.data(), pair.secret_raw.data(), raw.data());
  for (std::size_t at = kEd25519Seed; at < raw.size(); at += kEd25519Public)
    if (!equal(raw.subspan(at, kEd25519Public), pair.public_raw)) {
      OPENSSL_cleanse(pair.secret_raw.data(), pair.secret_raw.size());
      return Error::at(at, Errc::mismatch, "the public half of an Ed25519 private key does not belong to its seed");
    }
  return pair;
}

}  // namespace

Result<PrivateKey> PrivateKey::from_raw(KeyType type, ByteView raw) {
  switch (type) {
    case KeyType::ed25519: {
      OPP2P_TRY(auto pair, ed25519_pair(raw));
      return PrivateKey(PublicKey(type, std::move(pair.public_raw)), std::move(pair.secret_raw));
    }
    case KeyType::secp256k1: {
      OPP2P_TRY(auto secret, secp256k1::parse_secret(raw));
      PrivateKey key(PublicKey(type, to_bytes(secp256k1::public_key(secret))), to_bytes(secret));
      OPENSSL_cleanse(secret.data(), secret.size());
      return key;
    }
    case KeyType::rsa:
    case KeyType::ecdsa: {
      OPP2P_TRY(auto public_der, public_der_of(type, raw));
      return PrivateKey(PublicKey(type, std::move(public_der)), to_bytes(raw));
    }
  }
  return fail(Errc::unsupported, "key type is not known");
}

Result<PrivateKey> PrivateKey::from_protobuf(ByteView message) {
  OPP2P_TRY(const auto parsed, parse_message(message));
  return from_raw(parsed.type, parsed.data);
}

Bytes PrivateKey::to_protobuf() const { return write_message(type(), raw_); }

Result<Bytes> PrivateKey::sign(ByteView message) const {
  switch (type()) {
    case KeyType::ed25519: {
      ensure_sodium();
      Bytes out(crypto_sign_ed25519_BYTES);
      crypto_sign_ed25519_detached(out.data(), nullptr, message.data(), message.size(), raw_.data());
      return out;
    }
    case KeyType::secp256k1: return sign_secp256k1(raw_, message);
    case KeyType::rsa:
    case KeyType::ecdsa: return sign_with_der(type(), raw_, message);
  }
  return fail(Errc::unsupported, "key type is not known");
}

}  // namespace libp2p::crypto
