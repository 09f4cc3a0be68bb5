#include "opp2p/base/go_values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/peer_text.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;
using libp2p::Nanos;
using libp2p::Result;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error number_error(std::string_view function, std::string_view text, Errc code) {
  return fail(code, "strconv." + std::string(function) + ": parsing " + go_quote(text) +
                        (code == Errc::too_large ? ": value out of range" : ": invalid syntax"));
}

bool has_base_prefix(std::string_view text) {
  if (text.size() < 2 || text[0] != '0') return false;
  const char base = lower(text[1]);
  return base == 'b' || base == 'o' || base == 'x';
}

// Go's rule: an underscore stands between two digits, or between a base prefix and a digit.
bool underscores_are_placed_well(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  enum class Seen { begin, digit, underscore, other } seen = Seen::begin;
  bool hex = false;
  if (has_base_prefix(text)) {
    hex = lower(text[1]) == 'x';
    text.remove_prefix(2);
    seen = Seen::digit;
  }
  for (const char c : text) {
    if (is_digit(c) || (hex && lower(c) >= 'a' && lower(c) <= 'f')) {
      seen = Seen::digit;
    } else if (c == '_') {
      if (seen != Seen::digit) return false;
      seen = Seen::underscore;
    } else {
      if (seen == Seen::underscore) return false;
      seen = Seen::other;
    }
  }
  return seen != Seen::underscore;
}

std::string without_underscores(std::string_view text) {
  std::string out(text);
  out.erase(std::remove(out.begin(), out.end(), '_'), out.end());
  return out;
}

// The digits behind an optional base prefix. The error is the kind only; the caller names the function.
Result<std::uint64_t> magnitude(std::string_view text) {
  if (text.empty()) return Error(Errc::malformed);
  int base = 10;
  std::string_view digits = text;
  if (text[0] == '0' && text.size() > 1) {
    const char mark = lower(text[1]);
    const bool prefixed = text.size() >= 3 && has_base_prefix(text);
    base = !prefixed ? 8 : mark == 'b' ? 2 : mark == 'o' ? 8 : 16;
    digits.remove_prefix(prefixed ? 2 : 1);
  }
  const auto plain = without_underscores(digits);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value, base);
  if (error == std::errc::result_out_of_range) return Error(Errc::too_large);
  if (error != std::errc() || end != plain.data() + plain.size() || !underscores_are_placed_well(text))
    return Error(Errc::malformed);
  return value;
}

bool equals_ignoring_case(std::string_view text, std::string_view word) {
  return text.size() == word.size() &&
         std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) { return lower(a) == b; });
}

// Neither a sign nor a word.
Result<double> finite(std::string_view text) {
  const bool hex = text.size() > 2 && has_base_prefix(text) && lower(text[1]) == 'x';
  const auto plain = without_underscores(hex ? text.substr(2) : text);
  if (plain.empty() ||
      !(is_digit(plain[0]) || plain[0] == '.' || (hex && std::isxdigit(static_cast<unsigned char>(plain[0])))))
    return Error(Errc::malformed);
  if (hex && plain.find_first_of("pP") == std::string::npos) return Error(Errc::malformed);
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value,
                                            hex ? std::chars_format::hex : std::chars_format::general);
  if (end != plain.data() + plain.size() || error == std::errc::invalid_argument) return Error(Errc::malformed);
  if (error == std::errc()) return value;
  // Too large is an error, too small is zero.
  value = std::strtod(((hex ? "0x" : "") + plain).c_str(), nullptr);
  if (value > 1) return Error(Errc::too_large);
  return value;
}

struct Unit {
  std::string_view name;
  std::uint64_t nanos;
};
constexpr Unit kUnits[] = {{"ns", 1},         {"us", 1'000},        {"\u00b5s", 1'000},    {"\u03bcs", 1'000},
                           {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;

// Go's leadingInt: false when the digits are above 2^63.
bool take_integer(std::string_view& rest, std::uint64_t& value) {
  for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1)) {
    if (value > kHalf / 10) return false;
    value = value * 10 + static_cast<std::uint64_t>(rest[0] - '0');
    if (value > kHalf) return false;
  }
  return true;
}

// Go's leadingFraction: digits beyond what 63 bits hold are read and forgotten.
std::uint64_t take_fraction(std::string_view& rest, double& scale) {
  std::uint64_t value = 0;
  bool full = false;
  for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1)) {
    if (full) continue;
    full = value > (kHalf - 1) / 10;
    if (full) continue;
    const auto next = value * 10 + static_cast<std::uint64_t>(rest[0] - '0');
    full = next > kHalf;
    if (full) continue;
    value = next;
    scale *= 10;
  }
  return value;
}

std::string hex_escape(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return "\\x" + libp2p::to_hex({&byte, 1});
}

// time's own quoting: every byte beyond ASCII is escaped.
std::string quote_bytes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || byte < 0x20) {
      out += hex_escape(c);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

// "1.5": nanoseconds in a unit of 10^digits of them, without zeros at the end.
std::string decimal(std::uint64_t value, std::uint64_t unit) {
  std::string out = std::to_string(value / unit);
  auto fraction = std::to_string(unit + value % unit).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fraction.empty() || unit == 1 ? out : out + '.' + fraction;
}

}  // namespace

std::string go_quote(std::string_view text) {
  constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  std::string out = "\"";
  while (!text.empty()) {
    const char c = text[0];
    const auto size = libp2p::first_utf8_character(text).bytes;
    if (const auto known = kEscaped.find(c); known != std::string_view::npos) {
      (out += '\\') += kLetters[known];
    } else if (size == 0 || (size == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f))) {
      out += hex_escape(c);
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out + '"';
}

Result<bool> parse_bool(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "TRUE", "true", "True"})
    if (text == word) return true;
  for (const std::string_view word : {"0", "f", "F", "FALSE", "false", "False"})
    if (text == word) return false;
  return number_error("ParseBool", text, Errc::malformed);
}

Result<std::uint64_t> parse_unsigned(std::string_view text) {
  const auto value = magnitude(text);
  if (!value) return number_error("ParseUint", text, value.error().code());
  return *value;
}

Result<std::int64_t> parse_signed(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto value = magnitude(negative || text.starts_with('+') ? text.substr(1) : text);
  if (!value) return number_error("ParseInt", text, value.error().code());
  if (*value > kHalf - (negative ? 0 : 1)) return number_error("ParseInt", text, Errc::too_large);
  return static_cast<std::int64_t>(negative ? ~*value + 1 : *value);
}

Result<double> parse_real(std::string_view text) {
  if (equals_ignoring_case(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  const bool negative = text.starts_with('-');
  const auto rest = negative || text.starts_with('+') ? text.substr(1) : text;
  if (equals_ignoring_case(rest, "inf") || equals_ignoring_case(rest, "infinity"))
    return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  const auto value = underscores_are_placed_well(text) ? finite(rest) : Result<double>(Error(Errc::malformed));
  if (!value) return number_error("ParseFloat", text, value.error().code());
  return negative ? -*value : *value;
}

Result<Nanos> parse_duration(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return fail(Errc::malformed, "time: " + std::string(what) + " duration " + quote_bytes(text));
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return Nanos(0);
  if (rest.empty()) return wrong("invalid");
  std::uint64_t total = 0;
  while (!rest.empty()) {
    if (rest[0] != '.' && !is_digit(rest[0])) return wrong("invalid");
    const bool before = is_digit(rest[0]);
    std::uint64_t value = 0;
    std::uint64_t fraction = 0;
    double scale = 1;
    bool after = false;
    if (!take_integer(rest, value)) return wrong("invalid");
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      after = !rest.empty() && is_digit(rest[0]);
      fraction = take_fraction(rest, scale);
    }
    if (!before && !after) return wrong("invalid");
    const auto name = rest.substr(0, rest.find_first_of("0123456789."));
    if (name.empty()) return wrong("missing unit in");
    const auto unit =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& one) { return one.name == name; });
    if (unit == std::end(kUnits)) return wrong("unknown unit " + quote_bytes(name) + " in");
    if (value > kHalf / unit->nanos) return wrong("invalid");
    value *= unit->nanos;
    if (fraction > 0)
      value += static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit->nanos) / scale));
    if (value > kHalf) return wrong("invalid");
    total += value;
    if (total > kHalf) return wrong("invalid");
    rest.remove_prefix(name.size());
  }
  if (!negative && total > kHalf - 1) return wrong("invalid");
  return Nanos(static_cast<std::int64_t>(negative ? ~total + 1 : total));
}

std::string duration_text(Nanos time) {
  if (time.count() == 0) return "0s";
  const bool negative = time.count() < 0;
  const auto nanos =
      negative ? ~static_cast<std::uint64_t>(time.count()) + 1 : static_cast<std::uint64_t>(time.count());
  std::string out = negative ? "-" : "";
  if (nanos < 1'000) return out + std::to_string(nanos) + "ns";
  if (nanos < 1'000'000) return out + decimal(nanos, 1'000) + "\u00b5s";
  if (nanos < 1'000'000'000) return out + decimal(nanos, 1'000'000) + "ms";
  const auto minutes = nanos / 60'000'000'000;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  return out + decimal(nanos % 60'000'000'000, 1'000'000'000) + "s";
}

}  // namespace opp2p
