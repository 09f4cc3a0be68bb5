#include "libp2p/base/rng.hpp"

#include <bit>

#include "libp2p/base/assert.hpp"

namespace libp2p {

std::uint64_t Rng::next_u64() {
  std::uint8_t raw[8];
  fill(raw);
  return load_le64(raw);
}

std::uint64_t Rng::below(std::uint64_t bound) {
  OPP2P_ASSERT(bound > 0, "there is no number below zero");
  // Rejection keeps the distribution exact: values under `skip` would make some residues one more likely.
  const std::uint64_t skip = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next_u64();
    if (value >= skip) return value % bound;
  }
}

double Rng::next_unit() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

SeededRng::SeededRng(std::uint64_t seed) {
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SeededRng::step() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRng::fill(MutableBytes out) {
  while (!out.empty()) {
    std::uint8_t raw[8];
    store_le64(raw, step());
    const std::size_t n = out.size() < 8 ? out.size() : 8;
    std::memcpy(out.data(), raw, n);
    out = out.subspan(n);
  }
}

}  // namespace libp2p
