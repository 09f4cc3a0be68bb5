#include "libp2p/multiformats/ip_text.hpp"

#include <algorithm>

namespace libp2p::multiformats {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Up to four hexadecimal digits from the front of `text`, which loses them.
std::optional<std::uint16_t> take_group(std::string_view& text) {
  unsigned value = 0;
  std::size_t n = 0;
  for (; n < text.size() && hex_value(text[n]) >= 0; ++n) {
    if (n == 4) return std::nullopt;
    value = value << 4 | static_cast<unsigned>(hex_value(text[n]));
  }
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return static_cast<std::uint16_t>(value);
}

void append_hex(std::string& out, unsigned group) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 12; shift >= 0; shift -= 4)
    if (shift == 0 || group >> shift != 0) out.push_back(kDigits[group >> shift & 0xf]);
}

bool is_zone(std::string_view text) {
  const auto takes = [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != '%'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), takes);
}

}  // namespace

std::optional<ByteArray<4>> parse_ip4(std::string_view text) {
  ByteArray<4> out;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) {
      if (!text.starts_with('.')) return std::nullopt;
      text.remove_prefix(1);
    }
    unsigned value = 0;
    std::size_t n = 0;
    for (; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n) {
      if (n > 0 && value == 0) return std::nullopt;  // "01": octal to some readers
      value = value * 10 + static_cast<unsigned>(text[n] - '0');
      if (value > 255) return std::nullopt;
    }
    if (n == 0) return std::nullopt;
    text.remove_prefix(n);
    out[i] = static_cast<std::uint8_t>(value);
  }
  if (!text.empty()) return std::nullopt;
  return out;
}

std::optional<ByteArray<16>> parse_ip6(std::string_view text) {
  ByteArray<16> out{};
  std::size_t filled = 0;
  std::optional<std::size_t> gap;  // where "::" stands
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
    if (text.empty()) return out;
  }
  for (;;) {
    if (filled == 16) return std::nullopt;
    if (const auto four = filled <= 12 ? parse_ip4(text) : std::nullopt) {
      // An embedded IPv4 address ends the text, so it fills the place unless a gap does.
      if (!gap && filled != 12) return std::nullopt;
      std::copy(four->begin(), four->end(), out.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += 4;
      break;
    }
    const auto group = take_group(text);
    if (!group) return std::nullopt;
    store_be16(out.data() + filled, *group);
    filled += 2;
    if (text.empty()) break;
    if (!text.starts_with(':')) return std::nullopt;
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;  // a single colon at the end
    if (!text.starts_with(':')) continue;
    if (gap) return std::nullopt;
    gap = filled;
    text.remove_prefix(1);
    if (text.empty()) break;
  }
  if (filled == 16) {
    if (gap) return std::nullopt;  // "::" stands for at least one group
    return out;
  }
  if (!gap) return std::nullopt;
  const auto from = out.begin() + static_cast<std::ptrdiff_t>(*gap);
  const auto end = out.begin() + static_cast<std::ptrdiff_t>(filled);
  std::move_backward(from, end, out.end());
  std::fill(from, from + static_cast<std::ptrdiff_t>(16 - filled), std::uint8_t{0});
  return out;
}

std::string ip4_text(ByteView four) {
  std::string out;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) out.push_back('.');
    out += std::to_string(four[i]);
  }
  return out;
}

std::string ip6_text(ByteView sixteen) {
  if (const auto four = unmap_ip4(sixteen)) return "::ffff:" + ip4_text(*four);
  // The longest run of at least two zero groups, the first of equals, becomes "::".
  std::size_t best = 0;
  std::size_t best_size = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && load_be16(sixteen.data() + 2 * end) == 0) ++end;
    if (end - i > best_size) {
      best = i;
      best_size = end - i;
    }
    i = std::max(end, i + 1);
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (best_size > 1 && i == best) {
      out += "::";
      i += best_size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    append_hex(out, load_be16(sixteen.data() + 2 * i));
  }
  return out;
}

std::optional<ByteArray<4>> unmap_ip4(ByteView sixteen) {
  constexpr std::uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (sixteen.size() != 16 || !equal(sixteen.first(12), kPrefix)) return std::nullopt;
  return ByteArray<4>{sixteen[12], sixteen[13], sixteen[14], sixteen[15]};
}

ByteArray<16> map_ip4(const ByteArray<4>& four) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, four[0], four[1], four[2], four[3]};
}

std::optional<Bytes> parse_ip(std::string_view text) {
  const auto percent = text.find('%');
  const bool has_zone = percent != std::string_view::npos;
  if (has_zone && !is_zone(text.substr(percent + 1))) return std::nullopt;
  text = text.substr(0, percent);
  const auto six = parse_ip6(text);
  if (has_zone && !six) return std::nullopt;
  const auto four = six ? unmap_ip4(*six) : parse_ip4(text);
  if (four) return to_bytes(*four);
  if (six) return to_bytes(*six);
  return std::nullopt;
}

}  // namespace libp2p::multiformats
