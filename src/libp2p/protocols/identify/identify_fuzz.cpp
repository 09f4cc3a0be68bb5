#include <cstdlib>

#include "libp2p/protocols/identify/identify.hpp"

// Whatever decodes must encode to something that decodes to the same, within the bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  const ByteView in(data, size);
  for (const auto& decoded : {identify::decode(in), identify::decode_parts(in)}) {
    if (!decoded) continue;
    if (decoded->listen_addrs.size() > identify::kMaxEntries) std::abort();
    if (decoded->protocols.size() > identify::kMaxEntries) std::abort();
    const auto again = identify::decode(identify::encode(*decoded));
    if (!again || *again != *decoded) std::abort();
  }
  return 0;
}
