// The settings of a simulated run as they are written behind --set: "key=value". Pure.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "libp2p/base/result.hpp"

namespace opp2p::sim {

struct Assignment {
  std::string_view key;
  std::string_view value;  // empty without "="
};

inline Assignment assignment_of(std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  return {text.substr(0, equals), text.substr(std::min(equals + 1, text.size()))};
}

// The number that is all of the value. Errc::invalid_argument with what may be written.
template <class Number>
libp2p::Result<Number> number_within(const Assignment& written, double least, double most) {
  Number value{};
  const auto* const end = written.value.data() + written.value.size();
  const auto [rest, error] = std::from_chars(written.value.data(), end, value);
  const auto number = static_cast<double>(value);
  if (error != std::errc() || rest != end || !(number >= least && number <= most))
    return libp2p::fail(libp2p::Errc::invalid_argument, fmt::format("--set {}={}: write a number from {} to {}",
                                                                    written.key, written.value, least, most));
  return value;
}

}  // namespace opp2p::sim
