// RSA and ECDSA keys on OpenSSL, for libp2p/crypto/keys.hpp: reading DER, signing, verifying. Private to this folder. A
// key is accepted only in strict DER (it must encode to the same bytes again), so that one key has one peer id.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/keys.hpp"

namespace libp2p::crypto {

inline constexpr int kMinRsaBits = 2048;
inline constexpr int kMaxRsaBits = 8192;  // a larger key would make each verification a denial of service

// `der` is a SubjectPublicKeyInfo of the type: RSA within the bounds, or ECDSA on P-256.
Result<void> check_public_der(KeyType type, ByteView der);
// The SubjectPublicKeyInfo of a private key: PKCS#1 (RSA) or SEC 1 (ECDSA).
Result<Bytes> public_der_of(KeyType type, ByteView private_der);
bool verify_with_der(KeyType type, ByteView public_der, ByteView message, ByteView signature);
Result<Bytes> sign_with_der(KeyType type, ByteView private_der, ByteView message);

}  // namespace libp2p::crypto
