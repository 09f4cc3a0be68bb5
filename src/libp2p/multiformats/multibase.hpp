// Multibase text (a prefix character that names the base) and the bases themselves.
#pragma once

#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::multiformats {

// Digits that a text of base 10, 36 or 58 may have at most (Errc::too_large beyond): reading them takes quadratic time.
inline constexpr std::size_t kMaxNumberText = 4096;

// from_base58 refuses the empty text, as the reference does.
std::string to_base58(ByteView bytes);
Result<Bytes> from_base58(std::string_view text);

// The prefix characters of the multibase table.
enum class Base : char {
  identity = '\0',
  base2 = '0',
  base10 = '9',
  base16 = 'f',
  base16_upper = 'F',
  base32 = 'b',
  base32_upper = 'B',
  base32_pad = 'c',
  base32_pad_upper = 'C',
  base32_hex = 'v',
  base32_hex_upper = 'V',
  base36 = 'k',
  base36_upper = 'K',
  base58btc = 'z',
  base58flickr = 'Z',
  base64 = 'm',
  base64_pad = 'M',
  base64_url = 'u',
  base64_url_pad = 'U',
};

std::string encode_multibase(Base base, ByteView bytes);
// Letters of either case are read where the base has one case only, and trailing bits that are no byte are ignored, as
// go-multibase does.
struct MultibaseText {
  Base base;
  Bytes bytes;
};
Result<MultibaseText> decode_multibase(std::string_view text);

}  // namespace libp2p::multiformats
