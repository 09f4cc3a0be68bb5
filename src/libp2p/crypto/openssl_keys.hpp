// The RSA and ECDSA half of libp2p/crypto/keys.hpp, on OpenSSL: reading DER, signing, verifying. For the sources of
// this folder. Only the strict DER form of a key is taken (it must encode back to the same bytes), so that one key has
// one peer id.
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
