// Unsigned varints (multiformats/unsigned-varint): seven bits a byte, least significant first, at most nine bytes
// (63 bits), minimal encoding required.
#pragma once

#include <bit>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::multiformats {

inline constexpr std::size_t kMaxVarintSize = 9;

struct Varint {
  std::uint64_t value;
  std::size_t size;  // bytes it took
};

// Errc::truncated when the view ends inside it, Errc::malformed when it is not minimal or longer than nine bytes.
// read_long_varint is the general way; the other reads numbers of one byte, which are most, without a call.
Result<Varint> read_long_varint(ByteView in);
inline Result<Varint> read_varint(ByteView in) {
  if (!in.empty() && in[0] < 0x80) return Varint{in[0], 1};
  return read_long_varint(in);
}
void append_varint(Bytes& out, std::uint64_t value);
inline std::size_t varint_size(std::uint64_t value) {
  return value < 0x80 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}
// Writes at `out`, which must hold varint_size(value) bytes; returns the bytes written. Values above 63 bits take ten
// bytes and cannot be read back by read_varint.
inline std::size_t write_varint(std::uint8_t* out, std::uint64_t value) {
  std::size_t n = 0;
  for (; value >= 0x80; value >>= 7) out[n++] = static_cast<std::uint8_t>(value | 0x80);
  out[n++] = static_cast<std::uint8_t>(value);
  return n;
}

}  // namespace libp2p::multiformats
