#include "opstack/chain/chain_id.hpp"

#include <algorithm>

namespace opstack::chain {

libp2p::Result<ChainId> ChainId::from_decimal(std::string_view text) {
  const auto wrong = [text] {
    return libp2p::fail(
        libp2p::Errc::malformed,
        "'" + std::string(text.substr(0, 80)) + "' is no chain id: a decimal number of at most 256 bits is expected");
  };
  if (text.empty() || text.size() > 78) return wrong();
  ChainId out;
  for (const char c : text) {
    if (c < '0' || c > '9') return wrong();
    unsigned carry = static_cast<unsigned>(c - '0');
    for (auto byte = out.big_endian_.rbegin(); byte != out.big_endian_.rend(); ++byte) {
      const unsigned value = *byte * 10u + carry;
      *byte = static_cast<std::uint8_t>(value);
      carry = value >> 8;
    }
    if (carry != 0) return wrong();
  }
  return out;
}

std::string ChainId::to_decimal() const {
  auto left = big_endian_;
  std::string out;
  do {
    unsigned rest = 0;
    for (auto& byte : left) {
      const unsigned value = rest << 8 | byte;
      byte = static_cast<std::uint8_t>(value / 10);
      rest = value % 10;
    }
    out.push_back(static_cast<char>('0' + rest));
  } while (std::any_of(left.begin(), left.end(), [](std::uint8_t b) { return b != 0; }));
  std::reverse(out.begin(), out.end());
  return out;
}

std::optional<std::uint64_t> ChainId::as_u64() const {
  if (std::any_of(big_endian_.begin(), big_endian_.end() - 8, [](std::uint8_t b) { return b != 0; }))
    return std::nullopt;
  return libp2p::load_be64(big_endian_.data() + 24);
}

}  // namespace opstack::chain
