#include "libp2p/crypto/x25519.hpp"

#include <sodium.h>

#include "libp2p/crypto/sodium.hpp"

namespace libp2p::crypto {

X25519KeyPair::~X25519KeyPair() { sodium_memzero(secret.data(), secret.size()); }

X25519KeyPair X25519KeyPair::generate(Rng& rng) {
  auto secret = rng.array<32>();
  auto pair = from_secret(secret);
  sodium_memzero(secret.data(), secret.size());
  return pair;
}

X25519KeyPair X25519KeyPair::from_secret(const ByteArray<32>& secret) {
  ensure_sodium();
  X25519KeyPair pair{secret, {}};
  crypto_scalarmult_curve25519_base(pair.public_key.data(), secret.data());
  return pair;
}

Result<ByteArray<32>> x25519(const ByteArray<32>& secret, const ByteArray<32>& their_public) {
  ensure_sodium();
  ByteArray<32> shared;
  if (crypto_scalarmult_curve25519(shared.data(), secret.data(), their_public.data()) != 0)
    return fail(Errc::malformed, "the other side's X25519 key is a point of low order");
  return shared;
}

}  // namespace libp2p::crypto
