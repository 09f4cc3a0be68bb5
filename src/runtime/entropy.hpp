// Randomness from the operating system, by way of OpenSSL's generator. Never fails quietly: without entropy it throws
// std::runtime_error, because nothing that needs randomness may go on. Thread: any; no state of its own.
#pragma once

#include "base/rng.hpp"

namespace libp2p::runtime {

class SystemRng final : public Rng {
 public:
  void fill(MutableBytes out) override;
};

}  // namespace libp2p::runtime
