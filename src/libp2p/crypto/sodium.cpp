#include "libp2p/crypto/sodium.hpp"

#include <sodium.h>

#include <stdexcept>

namespace libp2p::crypto {

void ensure_sodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw std::runtime_error("libsodium cannot start: the operating system gives no random numbers");
}

}  // namespace libp2p::crypto
