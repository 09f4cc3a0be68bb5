// Randomness from the operating system, through OpenSSL's generator. Without entropy it throws std::runtime_error,
// because nothing that needs randomness may continue. Words come from a small stock, because one call of the generator
// costs as much as a hundred words. A byte of the stock is wiped when it is used. Owner: one thread at a time.
#pragma once

#include "libp2p/base/rng.hpp"

namespace libp2p::runtime {

class SystemRng final : public Rng {
 public:
  void fill(MutableBytes out) override;

 private:
  static constexpr std::size_t kWord = 8;
  ByteArray<512> stock_{};
  std::size_t left_ = 0;  // at the end of stock_
};

}  // namespace libp2p::runtime
