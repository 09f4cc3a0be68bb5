#include "libp2p/runtime/entropy.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace libp2p::runtime {
namespace {

void generate(MutableBytes out) {
  constexpr std::size_t kMost = 1 << 20;  // RAND_bytes takes an int
  while (!out.empty()) {
    const std::size_t n = std::min(out.size(), kMost);
    if (RAND_bytes(out.data(), static_cast<int>(n)) != 1) {
      throw std::runtime_error("the operating system gives no entropy (RAND_bytes failed); cannot go on");
    }
    out = out.subspan(n);
  }
}

}  // namespace

void SystemRng::fill(MutableBytes out) {
  if (out.size() > kWord) return generate(out);
  if (left_ < out.size()) {
    left_ = 0;  // should it throw
    generate(stock_);
    left_ = stock_.size();
  }
  const auto from = MutableBytes(stock_).subspan(stock_.size() - left_, out.size());
  std::copy(from.begin(), from.end(), out.begin());
  std::fill(from.begin(), from.end(), std::uint8_t{0});
  left_ -= out.size();
}

}  // namespace libp2p::runtime
