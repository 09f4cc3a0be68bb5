// CRC-32C (Castagnoli), as snappy's framing format and our stores use it. Stateless and thread-safe; the processor's
// instruction (SSE 4.2) where there is one, else eight tables. Source: google/snappy framing_format.txt, section 3.
#pragma once

#include "libp2p/base/bytes.hpp"

namespace libp2p {

std::uint32_t crc32c(ByteView data);
// The same without the processor's instruction: what other machines get, and the oracle of the tests.
std::uint32_t crc32c_portable(ByteView data);

// A checksum as it is stored beside its own data: rotated, so that a checksum over checksums keeps its strength.
constexpr std::uint32_t masked_crc32c(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

}  // namespace libp2p
