#include <cstdio>

#include "libp2p/multiformats/peer_id.hpp"

int main() {
  libp2p::SeededRng rng(1);
  const auto key = libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::ed25519, rng).value();
  std::printf("%s\n", libp2p::PeerId::from_public_key(key.public_key()).to_base58().c_str());
}
