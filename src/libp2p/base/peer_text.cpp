#include "libp2p/base/peer_text.hpp"

#include <algorithm>

namespace libp2p {
namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

Utf8Character first_utf8_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  std::uint32_t point = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (!continues_character(text[i])) return {};
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  constexpr std::uint32_t kFirst[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kFirst[size] || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff) return {};
  return {point, size};
}

bool is_control_character(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x061c || point == 0x200e || point == 0x200f ||
         (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

void append_escape(std::string& out, std::uint32_t point) {
  constexpr char kDigits[] = "0123456789abcdef";
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kDigits[(point >> shift) & 0xf]);
}

std::string peer_text(std::string_view bytes, std::size_t max_bytes) {
  std::string out;
  out.reserve(std::min(bytes.size(), max_bytes));
  while (!bytes.empty()) {
    const std::size_t before = out.size();
    const auto [point, size] = first_utf8_character(bytes);
    if (size == 0)
      out.append("\xef\xbf\xbd");
    else if (is_control_character(point))
      append_escape(out, point);
    else
      out.append(bytes.substr(0, size));
    if (out.size() > max_bytes) {
      out.resize(before);
      return out + " (" + std::to_string(bytes.size()) + " more bytes)";
    }
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace libp2p
