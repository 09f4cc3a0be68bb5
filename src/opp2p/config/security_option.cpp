#include "opp2p/config/security_option.hpp"

#include <algorithm>
#include <cctype>

#include "opp2p/base/go_values.hpp"
#include "opp2p/config/flag_reader.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

constexpr std::string_view kChoice = "write noise, tls, or both, or leave the option out";

}  // namespace

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    auto name = std::string(text.substr(at, comma - at));
    const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
    name.erase(std::find_if_not(name.rbegin(), name.rend(), is_space).base(), name.end());
    name.erase(name.begin(), std::find_if_not(name.begin(), name.end(), is_space));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.push_back(std::move(name));
    at = comma + 1;
  }
  return out;
}

Result<std::vector<std::string>> read_security_option(std::string_view text) {
  const std::string choice(kChoice);
  const auto given = names_in(text);
  if (given.size() == 1 && given[0] == "none") return std::vector<std::string>{"plaintext"};
  std::vector<std::string> out;
  for (const auto& name : given) {
    if (name == "none")
      return fail(Errc::invalid_argument, "names none together with others, so a peer could choose it; " + choice);
    if (name != "noise" && name != "tls")
      return fail(Errc::invalid_argument, "names " + go_quote(name) + ", which is not a security protocol; " + choice);
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

}  // namespace opp2p
