#include "libp2p/protocols/mplex/frame.hpp"

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::mplex {

using multiformats::read_varint;
using multiformats::varint_size;
using multiformats::write_varint;

Result<ReadHeader> read_header(ByteView in) {
  OPP2P_TRY(const auto first, read_varint(in));
  OPP2P_TRY(const auto length, read_varint(in.subspan(first.size)));
  if (length.value > kMaxMessage)
    return Error::at(first.size, Errc::too_large,
                     "an Mplex message of " + std::to_string(length.value) + " bytes, at most " +
                         std::to_string(kMaxMessage) + " are allowed");
  return ReadHeader{
      {first.value >> 3, static_cast<std::uint8_t>(first.value & 7), static_cast<std::size_t>(length.value)},
      first.size + length.size};
}

std::size_t header_size(const Header& header) {
  return varint_size(header.stream_id << 3) + varint_size(header.length);
}

std::size_t write_header(MutableBytes out, const Header& header) {
  OPP2P_ASSERT(header_size(header) <= out.size(), "there is room for a header", header.stream_id, header.length, out);
  const std::size_t n = write_varint(out.data(), header.stream_id << 3 | header.flag);
  return n + write_varint(out.data() + n, header.length);
}

}  // namespace libp2p::mplex
