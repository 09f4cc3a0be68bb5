// Randomness as data: engines get an Rng&, so that a seed reproduces a run. SeededRng is for tests and simulation only;
// the runtime provides one that draws from the operating system (libp2p/runtime/entropy.hpp). Keys are never made from
// a seed outside tests.
#pragma once

#include <cstdint>
#include <utility>

#include "libp2p/base/bytes.hpp"

namespace libp2p {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(MutableBytes out) = 0;

  std::uint64_t next_u64();
  // Uniform in [0, bound); bound must not be 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double next_unit();

  template <class Range>
  void shuffle(Range& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      using std::swap;
      swap(items[i - 1], items[static_cast<std::size_t>(below(i))]);
    }
  }

  template <std::size_t N>
  ByteArray<N> array() {
    ByteArray<N> out;
    fill(out);
    return out;
  }
};

// splitmix64-seeded xoshiro256**: fast, reproducible, not for secrets.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed);
  void fill(MutableBytes out) override;

 private:
  std::uint64_t step();
  std::uint64_t state_[4];
};

}  // namespace libp2p
