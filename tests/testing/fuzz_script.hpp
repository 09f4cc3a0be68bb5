// What the fuzz targets of engines share: a script of choices that is read from the fuzzer's bytes, and the check that
// ends a run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>

#include "libp2p/base/bytes.hpp"

namespace libp2p::fuzzing {

inline void require(bool holds, std::source_location at = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u does not hold\n", at.file_name(), static_cast<unsigned>(at.line()));
  std::abort();
}

// Events that the engines of all runs of this process were given; fuzz_replay prints how many a target had. Each target
// is a unit of its own, and they run one after another.
inline std::uint64_t& events() {
  static std::uint64_t count = 0;
  return count;
}
inline void count_event() { ++events(); }

// Bytes that run out as zeros.
class Script {
 public:
  explicit Script(ByteView bytes) : bytes_(bytes) {}
  bool done() const { return bytes_.empty(); }
  std::uint8_t next() {
    if (done()) return 0;
    const std::uint8_t out = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return out;
  }
  std::uint16_t next16() {
    const std::uint8_t high = next();
    return static_cast<std::uint16_t>(high << 8 | next());
  }
  // In [0, bound); bound must not be 0.
  std::size_t below(std::size_t bound) { return (bound > 256 ? next16() : next()) % bound; }
  bool flip() { return next() % 2 != 0; }
  // Up to `count` of the bytes that are left.
  ByteView take(std::size_t count) {
    const ByteView out = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(out.size());
    return out;
  }

 private:
  ByteView bytes_;
};

}  // namespace libp2p::fuzzing
