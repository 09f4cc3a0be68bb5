#include "runtime/entropy.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace libp2p::runtime {

void SystemRng::fill(MutableBytes out) {
  constexpr std::size_t kMost = 1 << 20;  // RAND_bytes takes an int
  while (!out.empty()) {
    const std::size_t n = std::min(out.size(), kMost);
    if (RAND_bytes(out.data(), static_cast<int>(n)) != 1) {
      throw std::runtime_error("the operating system gives no entropy (RAND_bytes failed); cannot go on");
    }
    out = out.subspan(n);
  }
}

}  // namespace libp2p::runtime
