// A number of seven bits a byte, least significant first, as Go's encoding/binary and protobuf read it: at most ten
// bytes, at most 64 bits, and it may be padded. Snappy's lengths and all of protobuf are such numbers; where the
// shortest form is required stands libp2p/multiformats/varint.hpp.
#pragma once

#include "libp2p/base/bytes.hpp"

namespace libp2p {

inline constexpr std::size_t kMaxUvarintSize = 10;

struct Uvarint {
  enum class Fault : std::uint8_t { none, truncated, overflow };
  std::uint64_t value = 0;
  std::size_t size = 0;  // bytes it took; with a fault: those that were looked at
  Fault fault = Fault::none;
};

inline Uvarint read_uvarint(ByteView in) {
  Uvarint out;
  const std::size_t most = in.size() < kMaxUvarintSize ? in.size() : kMaxUvarintSize;
  while (out.size < most) {
    const std::uint8_t byte = in[out.size];
    // The tenth byte has room for one bit.
    if (out.size == kMaxUvarintSize - 1 && byte > 1) {
      out.fault = Uvarint::Fault::overflow;
      return out;
    }
    out.value |= std::uint64_t{byte & 0x7fu} << (7 * out.size);
    ++out.size;
    if (byte < 0x80) return out;
  }
  out.fault = Uvarint::Fault::truncated;
  return out;
}

}  // namespace libp2p
