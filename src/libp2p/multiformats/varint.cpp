#include "libp2p/multiformats/varint.hpp"

#include <algorithm>

namespace libp2p::multiformats {

Result<Varint> read_long_varint(ByteView in) {
  std::uint64_t value = 0;
  const std::size_t most = std::min(in.size(), kMaxVarintSize);
  for (std::size_t i = 0; i < most; ++i) {
    value |= std::uint64_t{in[i] & 0x7fU} << (7 * i);
    if ((in[i] & 0x80) != 0) continue;
    if (in[i] == 0 && i > 0) return Error::at(i, Errc::malformed, "varint is not in its shortest form");
    return Varint{value, i + 1};
  }
  if (in.size() < kMaxVarintSize) return Error::at(in.size(), Errc::truncated, "input ends inside a varint");
  return Error::at(kMaxVarintSize, Errc::malformed, "varint is longer than nine bytes");
}

void append_varint(Bytes& out, std::uint64_t value) {
  std::uint8_t raw[10];  // a value of 64 bits takes ten; none that is read back has so many
  out.insert(out.end(), raw, raw + write_varint(raw, value));
}

}  // namespace libp2p::multiformats
