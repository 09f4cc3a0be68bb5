// X25519 Diffie-Hellman (RFC 7748), used by Noise.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"

namespace libp2p::crypto {

struct X25519KeyPair {
  ByteArray<32> secret;
  ByteArray<32> public_key;

  ~X25519KeyPair();  // wipes the secret

  static X25519KeyPair generate(Rng& rng);
  static X25519KeyPair from_secret(const ByteArray<32>& secret);
};

// The shared secret; Errc::malformed when the other side's point is of low order (the result would be all zero).
Result<ByteArray<32>> x25519(const ByteArray<32>& secret, const ByteArray<32>& their_public);

}  // namespace libp2p::crypto
