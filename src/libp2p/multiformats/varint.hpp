// Unsigned varints (multiformats/unsigned-varint): seven bits a byte, least significant first, at most nine bytes
// (63 bits), minimal encoding required.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::multiformats {

inline constexpr std::size_t kMaxVarintSize = 9;

struct Varint {
  std::uint64_t value;
  std::size_t size;  // bytes it took
};

// Errc::truncated when the view ends inside it, Errc::malformed when it is not minimal or longer than nine bytes.
Result<Varint> read_varint(ByteView in);
void append_varint(Bytes& out, std::uint64_t value);
std::size_t varint_size(std::uint64_t value);
// Writes at `out`, which must hold varint_size(value) bytes; returns the bytes written. Values above 63 bits take ten
// bytes and cannot be read back by read_varint.
std::size_t write_varint(std::uint8_t* out, std::uint64_t value);

}  // namespace libp2p::multiformats
