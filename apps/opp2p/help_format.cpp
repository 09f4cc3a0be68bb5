#include "help_format.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace opp2p {
namespace {

// CLI11's name of a type, and behind a colon each what its checks are called: "UINT:INT in [1 - 50]".
struct Kind {
  explicit Kind(const std::string& name) : value(name.substr(0, name.find(':'))) {
    for (std::size_t at = value.size(); at < name.size();) {
      const auto end = std::min(name.find(':', at + 1), name.size());
      checks.push_back(name.substr(at + 1, end - at - 1));
      at = end;
    }
  }

  std::string value;
  std::vector<std::string> checks;
};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// In words. What is not known here stays as CLI11 has it.
std::string in_words(const std::string& check) {
  if (check == "NONNEGATIVE") return "at least 0";
  if (check.starts_with('{') && check.ends_with('}')) return replaced(check.substr(1, check.size() - 2), ",", ", ");
  if (const auto range = check.find(" in ["); range != std::string::npos && check.ends_with(']'))
    return replaced(check.substr(range + 5, check.size() - range - 6), " - ", " to ");
  return check;
}

}  // namespace

std::string HelpFormat::make_option_opts(const CLI::Option* option) const {
  const auto kind = Kind(option->get_type_name()).value;
  if (kind.empty()) return {};  // a flag
  std::string out = " " + (kind == "INT" || kind == "UINT" || kind == "FLOAT" ? "N" : kind);
  if (option->get_expected_max() == CLI::detail::expected_max_vector_size) out += " ...";
  return out;
}

std::string HelpFormat::make_option_desc(const CLI::Option* option) const {
  std::vector<std::string> notes;
  for (const auto& check : Kind(option->get_type_name()).checks) notes.push_back(in_words(check));
  if (option->get_required()) notes.push_back("required");
  if (!option->get_default_str().empty()) notes.push_back("default " + option->get_default_str());
  std::string out = option->get_description();
  for (std::size_t i = 0; i < notes.size(); ++i) out += (i > 0 ? "; " : out.empty() ? "(" : " (") + notes[i];
  return notes.empty() ? out : out + ")";
}

}  // namespace opp2p
