// Randomness from the operating system, by way of OpenSSL's generator. Never fails quietly: without entropy it throws
// std::runtime_error, because nothing that needs randomness may go on. What is drawn in words, as every shuffle does,
// comes from a small stock, because a call of the generator costs as much as a hundred of them; a byte is wiped as it
// is given out. Owner: one thread at a time.
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
