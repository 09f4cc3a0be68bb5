// Reads Prometheus's text format, for the tests of metrics.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace opp2p {

// By the name with its labels as they are written: 'opp2p_blocks_total{reason="valid",verdict="accept"}'.
inline std::map<std::string, double, std::less<>> read_samples(std::string_view text) {
  std::map<std::string, double, std::less<>> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto space = line.rfind(' ');
    out[std::string(line.substr(0, space))] = std::stod(std::string(line.substr(space + 1)));
  }
  return out;
}

// -1 for a sample that is not there: no metric of the tests has that value.
inline double sample(const std::map<std::string, double, std::less<>>& samples, std::string_view name) {
  const auto found = samples.find(name);
  return found == samples.end() ? -1 : found->second;
}

}  // namespace opp2p
