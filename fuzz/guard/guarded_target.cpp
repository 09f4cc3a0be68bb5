// The entry of every libFuzzer program: the target itself, which fuzz/CMakeLists.txt has compiled as fuzz_target, under
// the guard.
#include <cstddef>
#include <cstdint>

#include "guard.hpp"

extern "C" int fuzz_target(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const libp2p::guard::Guarded guarded;
  return fuzz_target(data, size);
}
