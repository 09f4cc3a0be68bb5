// The text of `opp2p node --help`.
#include <algorithm>

#include "opp2p/config/node_flags.hpp"
#include "opp2p/config/node_flags_table.hpp"

namespace opp2p {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kIndent = 6;

constexpr std::string_view kGroups[] = {
    "Chain", "Peers", "Scores and bans", "Limits and latency", "Blocks", "JSON-RPC", "Metrics", "Log", "Other"};

// Words, wrapped, each line indented.
void add_wrapped(std::string& out, std::string_view text, std::size_t indent) {
  std::size_t column = 0;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const bool begins = column == 0;
    if (begins || column + 1 + word.size() > kColumns) {
      if (!begins) out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  out += '\n';
}

struct DefaultOf {
  const NodeOptions& options;

  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(opstack::chain::Fork) const { return {}; }
  std::string operator()(std::string NodeOptions::* member) const { return options.*member; }
  std::string operator()(bool NodeOptions::* member) const { return options.*member ? "true" : ""; }
  std::string operator()(double NodeOptions::* member) const {
    auto text = std::to_string(options.*member);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }
  std::string operator()(libp2p::Nanos NodeOptions::* member) const { return duration_text(options.*member); }
  template <class T>
  std::string operator()(std::optional<T> NodeOptions::*) const {
    return {};
  }
  template <class T>
  std::string operator()(T NodeOptions::* member) const {
    return std::to_string(options.*member);
  }
};

void add_flag(std::string& out, const NodeFlag& flag) {
  std::string line = " ";
  for (const auto& name : flag.spec.names()) line += (name.size() == 1 ? " -" : " --") + name;
  if (!flag.placeholder.empty()) line += " " + flag.placeholder;
  out += line + '\n';
  std::string about = flag.about;
  if (const auto value = std::visit(DefaultOf{NodeOptions()}, flag.target); !value.empty()) about += " (" + value + ")";
  for (const auto& variable : flag.spec.environment)
    if (variable != variable_of(flag.spec.names()[0])) about += " [" + variable + "]";
  add_wrapped(out, about, kIndent);
}

void add_names(std::string& out, FlagEffect effect) {
  std::string names;
  for (const auto& flag : node_flags())
    if (flag.effect == effect)
      for (const auto& name : flag.spec.names()) names += (names.empty() ? "--" : " --") + name;
  add_wrapped(out, names, 2);
}

}  // namespace

std::string node_help(bool all) {
  std::string out = "Usage: opp2p node --rollup.config FILE [OPTION...]\n\n";
  add_wrapped(
      out,
      "Joins a chain's peer-to-peer network. Follows the chain's unsafe blocks and serves them to peers. Publishes "
      "blocks if it has the sequencer's key.",
      0);
  out += '\n';
  add_wrapped(
      out,
      "Write an option as --NAME=VALUE or --NAME VALUE, a switch as --NAME or --NAME=false. Each option also has an "
      "environment variable: --p2p.listen.ip is OP_NODE_P2P_LISTEN_IP. A different name is given in brackets. The "
      "command line takes precedence. Write times as 500ms, 30s, 1m30s or 1h. Defaults are in parentheses. Options "
      "that op-node has too have its names and values.",
      0);
  for (std::size_t group = 0; group < std::size(kGroups); ++group) {
    (out += "\n").append(kGroups[group]) += ":\n";
    for (const auto& flag : node_flags())
      if (flag.effect == FlagEffect::works && flag.group == static_cast<FlagGroup>(group) && (all || !flag.hidden))
        add_flag(out, flag);
  }
  if (!all) return out;
  out += "\nOptions of op-node that are accepted with a warning and have no effect:\n";
  add_names(out, FlagEffect::none);
  out += "\nOptions of op-node that are refused, unless the value has no effect:\n";
  add_names(out, FlagEffect::refused);
  return out;
}

}  // namespace opp2p
