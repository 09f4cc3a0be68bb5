// libp2p's identity keys: the four types of the peer-ids specification, their protobuf forms, signing and verifying.
// Ed25519 and secp256k1 keys can be generated. ECDSA (P-256) and RSA keys (2048 to 8192 bits) are read, sign and
// verify. Values; a secret is wiped when it is destroyed.
//
// A signature is over the message itself. Ed25519 signs the message, the others its SHA-256. secp256k1 and ECDSA
// signatures are DER, RSA's are PKCS#1 v1.5.
#pragma once

#include <memory>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"

namespace libp2p::crypto {

// The numbers are those of the KeyType enum in the peer-ids specification ("Keys").
enum class KeyType : std::uint8_t { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };
std::string_view to_string(KeyType type);

class PublicKey {
 public:
  // `raw` is the Data field: 32 bytes (Ed25519), 33 bytes (secp256k1, compressed), DER PKIX (RSA, ECDSA). Checked here.
  // A secp256k1 key of 65 bytes is taken too, as the reference does, and held compressed.
  static Result<PublicKey> from_raw(KeyType type, ByteView raw);
  // The PublicKey protobuf message, in its deterministic encoding or any other valid one.
  static Result<PublicKey> from_protobuf(ByteView message);

  KeyType type() const { return type_; }
  ByteView raw() const { return raw_; }
  Bytes to_protobuf() const;  // deterministic: type first, both fields present

  // Errc::mismatch when `signature` is not this key's over `message`.
  Result<void> verify(ByteView message, ByteView signature) const;

  friend bool operator==(const PublicKey&, const PublicKey&) = default;

 private:
  friend class PrivateKey;  // makes its public half without checking again what it has just derived
  PublicKey(KeyType type, Bytes raw) : type_(type), raw_(std::move(raw)) {}
  KeyType type_;
  Bytes raw_;
};

class PrivateKey {
 public:
  // Ed25519 and secp256k1; another type is Errc::unsupported.
  static Result<PrivateKey> generate(KeyType type, Rng& rng);
  // Ed25519: 32-byte seed, 64 bytes (seed and public key) or 96 (with the key repeated). secp256k1: 32 bytes. RSA:
  // PKCS#1 DER. ECDSA: SEC 1 DER. The public half is derived from what was given; Errc::mismatch when a public half
  // that was given too is another.
  static Result<PrivateKey> from_raw(KeyType type, ByteView raw);
  static Result<PrivateKey> from_protobuf(ByteView message);

  PrivateKey(const PrivateKey&) = default;
  PrivateKey(PrivateKey&&) noexcept = default;
  PrivateKey& operator=(PrivateKey other) noexcept;
  ~PrivateKey();

  KeyType type() const { return public_.type(); }
  const PublicKey& public_key() const { return public_; }
  // The Data field: 64 bytes for Ed25519 (seed and public key), else as from_raw() takes it.
  ByteView raw() const { return raw_; }
  Bytes to_protobuf() const;
  Result<Bytes> sign(ByteView message) const;

 private:
  PrivateKey(PublicKey pub, Bytes raw) : public_(std::move(pub)), raw_(std::move(raw)) {}
  PublicKey public_;
  Bytes raw_;
};

}  // namespace libp2p::crypto
