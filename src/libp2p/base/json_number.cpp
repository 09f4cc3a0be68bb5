#include "libp2p/base/json_number.hpp"

#include <charconv>
#include <cmath>
#include <string_view>

namespace libp2p {

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out.append("null");
    return;
  }
  // d.ddde±xx: the shortest digits, and where their point belongs.
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, std::fabs(number), std::chars_format::scientific).ptr;
  const std::string_view shortest(text, static_cast<std::size_t>(end - text));
  const auto split = shortest.find('e');
  int exponent = 0;
  const auto* digits_of_exponent = text + split + (shortest[split + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, end, exponent);
  std::string digits(1, shortest.front());
  if (split > 2) digits.append(shortest.substr(2, split - 2));

  if (std::signbit(number)) out.push_back('-');
  const bool zero = number == 0;
  if (!zero && (exponent < -6 || exponent >= 21)) {
    out.push_back(digits.front());
    if (digits.size() > 1) out.append(".").append(digits, 1);
    out.append(exponent < 0 ? "e" : "e+");
    out.append(std::to_string(exponent));
    return;
  }
  if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
    return;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole)
    out.append(digits).append(whole - digits.size(), '0');
  else
    out.append(digits, 0, whole).append(".").append(digits, whole);
}

}  // namespace libp2p
