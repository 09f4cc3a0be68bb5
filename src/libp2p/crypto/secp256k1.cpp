#include "libp2p/crypto/secp256k1.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <stdexcept>

#include "libp2p/crypto/secp256k1_context.hpp"

namespace libp2p::crypto::secp256k1 {

const secp256k1_context* context() {
  // Signing reads a table in it; nothing writes to it after this, so threads share it.
  static const secp256k1_context* const made =
      secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
  return made;
}

namespace {

Result<secp256k1_pubkey> parse_public(ByteView raw) {
  if (raw.size() != 33 && raw.size() != 65)
    return fail(Errc::malformed, "a secp256k1 public key has 33 or 65 bytes, not " + std::to_string(raw.size()));
  // The library also knows the hybrid forms 6 and 7, which nobody here speaks.
  if (raw.size() == 65 && raw[0] != 0x04)
    return Error::at(0, Errc::malformed, "an uncompressed secp256k1 public key begins with 04");
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_parse(context(), &key, raw.data(), raw.size()) != 1)
    return fail(Errc::malformed, "secp256k1 public key is no point of the curve");
  return key;
}

template <std::size_t N>
ByteArray<N> serialize(const secp256k1_pubkey& key) {
  ByteArray<N> out;
  std::size_t size = N;
  secp256k1_ec_pubkey_serialize(context(), out.data(), &size, &key,
                                N == 33 ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED);
  return out;
}

secp256k1_pubkey derive(const Secret& secret) {
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_create(context(), &key, secret.data()) != 1)
    throw std::invalid_argument("secp256k1 secret is out of range; make it with parse_secret or generate");
  return key;
}

}  // namespace

Result<Secret> parse_secret(ByteView raw) {
  if (raw.size() != 32)
    return fail(Errc::malformed, "a secp256k1 secret has 32 bytes, not " + std::to_string(raw.size()));
  if (secp256k1_ec_seckey_verify(context(), raw.data()) != 1)
    return fail(Errc::malformed, "secp256k1 secret is zero or not below the order of the group");
  Secret secret;
  std::copy(raw.begin(), raw.end(), secret.begin());
  return secret;
}

Secret generate(Rng& rng) {
  for (;;) {  // all but 2^-128 of the strings are good
    auto secret = rng.array<32>();
    if (secp256k1_ec_seckey_verify(context(), secret.data()) == 1) return secret;
  }
}

Compressed public_key(const Secret& secret) { return serialize<33>(derive(secret)); }

Result<Uncompressed> decompress(ByteView public_key) {
  OPP2P_TRY(const auto key, parse_public(public_key));
  return serialize<65>(key);
}

Result<Compressed> compress(ByteView public_key) {
  OPP2P_TRY(const auto key, parse_public(public_key));
  return serialize<33>(key);
}

Address address(const Uncompressed& public_key) {
  const auto digest = keccak256(ByteView(public_key).subspan(1));
  Address out;
  std::copy(digest.begin() + 12, digest.end(), out.begin());
  return out;
}

Address address_of(const Secret& secret) { return address(serialize<65>(derive(secret))); }

Signature sign(const Secret& secret, const Hash256& digest) {
  secp256k1_ecdsa_recoverable_signature made;
  if (secp256k1_ecdsa_sign_recoverable(context(), &made, digest.data(), secret.data(), nullptr, nullptr) != 1)
    throw std::invalid_argument("secp256k1 secret is out of range; make it with parse_secret or generate");
  Signature out;
  int recovery_id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), out.data(), &recovery_id, &made);
  out[64] = static_cast<std::uint8_t>(recovery_id);
  return out;
}

Result<Uncompressed> recover(const Hash256& digest, ByteView signature65) {
  if (signature65.size() != 65)
    return fail(Errc::malformed, "a recoverable signature has 65 bytes, not " + std::to_string(signature65.size()));
  if (signature65[64] > 3)
    return Error::at(64, Errc::malformed,
                     "recovery id is " + std::to_string(signature65[64]) + ", at most 3 is allowed");
  secp256k1_ecdsa_recoverable_signature signature;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &signature, signature65.data(), signature65[64]) !=
      1)
    return fail(Errc::malformed, "signature's r or s is not below the order of the group");
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_recover(context(), &key, &signature, digest.data()) != 1)
    return fail(Errc::malformed, "no public key belongs to this signature");
  return serialize<65>(key);
}

Result<Address> recover_address(const Hash256& digest, ByteView signature65) {
  OPP2P_TRY(const auto key, recover(digest, signature65));
  return address(key);
}

}  // namespace libp2p::crypto::secp256k1
