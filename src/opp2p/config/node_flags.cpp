#include "opp2p/config/node_flags.hpp"

#include <algorithm>

#include "opp2p/config/node_flags_table.hpp"
#include "opp2p/config/security_option.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

std::vector<NodeFlag> make_table() {
  std::vector<NodeFlag> out;
  add_working_flags(out);
  add_other_flags_of_op_node(out);
  return out;
}

std::vector<FlagSpec> make_specs() {
  std::vector<FlagSpec> out;
  for (const auto& flag : node_flags()) out.push_back(flag.spec);
  return out;
}

// Puts a value of a flag where its target says. The types agree because the flag's type follows from its target.
struct Store {
  NodeOptions& options;
  const FlagContent& content;

  void operator()(std::monostate) const {}
  void operator()(opstack::chain::Fork fork) const {
    options.fork_times[static_cast<std::size_t>(fork)] = std::get<std::uint64_t>(content);
  }
  template <class T>
  void operator()(T NodeOptions::* member) const {
    options.*member = std::get<T>(content);
  }
  template <class T>
  void operator()(std::optional<T> NodeOptions::* member) const {
    options.*member = std::get<T>(content);
  }
};

bool asks_for_what_is_so(const NodeFlag& flag, const FlagContent& content) {
  return flag.kept && parse_flag(flag.spec, *flag.kept).value() == content;
}

// What is wrong with it is known before anything starts.
Result<void> check_security(const FlagValue& value, const NodeCommandLine& out) {
  const auto security = read_security_option(out.options.security);
  if (!security) return fail(security.error().code(), value.given_as + " " + security.error().text());
  return {};
}

std::string printed(const FlagContent& content) {
  if (const auto* truth = std::get_if<bool>(&content)) return *truth ? "=true" : "=false";
  return "";
}

Result<void> take(const NodeFlag& flag, const FlagValue& value, NodeCommandLine& out) {
  if (flag.effect == FlagEffect::works) {
    std::visit(Store{out.options, value.content}, flag.target);
    return flag.spec.name == "p2p.security" ? check_security(value, out) : Result<void>();
  }
  if (asks_for_what_is_so(flag, value.content)) return {};
  if (flag.effect == FlagEffect::refused)
    return fail(Errc::unsupported, value.given_as + printed(value.content) + " is not supported: " + flag.about);
  out.without_effect.push_back(value.given_as);
  return {};
}

bool is_on(const FlagValues& given, std::string_view name) {
  const auto* value = given.find(name);
  return value != nullptr && std::get<bool>(value->content);
}

Result<void> check_rest(const FlagValues& given) {
  if (given.rest.empty()) return {};
  const std::string first = go_quote(given.rest[0]);
  if (!given.last_switch.empty() && parse_bool(given.rest[0]))
    return fail(Errc::invalid_argument, first + " after --" + given.last_switch +
                                            " is not an option. Write the value of a switch after an equals sign: --" +
                                            given.last_switch + "=" + given.rest[0]);
  return fail(Errc::invalid_argument, first + " is not an option. opp2p node --help lists the options.");
}

// Options whose effect another one takes away, or which lack one. op-node reads no other p2p option with --p2p.disable.
void add_what_p2p_leaves_without_effect(NodeCommandLine& out) {
  const auto& options = out.options;
  for (const auto& [name, value] : out.given.set) {
    const bool of_p2p = name.starts_with("p2p.") && name != "p2p.disable";
    const bool disabled = options.p2p_disable && (of_p2p || name.starts_with("metrics."));
    const bool without_ip = name == "p2p.advertise.tcp" && options.advertise_ip.empty();
    const bool told =
        std::find(out.without_effect.begin(), out.without_effect.end(), value.given_as) != out.without_effect.end();
    if ((disabled || without_ip) && !told) out.without_effect.push_back(value.given_as);
  }
}

std::vector<std::string> unknown_variables(const Environment& environment) {
  std::vector<FlagSpec> variables;
  for (const auto& flag : node_flags())
    for (const auto& variable : flag.spec.environment) variables.push_back({variable, FlagType::text, {}, nullptr});
  std::vector<std::string> out;
  for (const auto& [name, text] : environment) {
    const bool known = std::any_of(node_flags().begin(), node_flags().end(), [&searched = name](const NodeFlag& flag) {
      const auto& its = flag.spec.environment;
      return std::find(its.begin(), its.end(), searched) != its.end();
    });
    if (!name.starts_with("OP_NODE_") || known) continue;
    const auto meant = nearest_name(name, variables);
    out.push_back(meant ? name + " (" + *meant + "?)" : name);
  }
  return out;
}

bool continues_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_'; }

}  // namespace

std::span<const NodeFlag> node_flags() {
  static const std::vector<NodeFlag> table = make_table();
  return table;
}

std::span<const FlagSpec> node_flag_specs() {
  static const std::vector<FlagSpec> specs = make_specs();
  return specs;
}

Result<NodeCommandLine> read_node_command_line(std::span<const std::string> arguments, const Environment& environment) {
  NodeCommandLine out;
  OPP2P_TRY(out.given, read_flags(node_flag_specs(), arguments, environment));
  out.help = is_on(out.given, "help");
  out.help_all = is_on(out.given, "help-all");
  out.version = is_on(out.given, "version");
  if (out.help || out.help_all || out.version) return out;
  OPP2P_TRYV(check_rest(out.given));
  for (const auto& flag : node_flags())
    if (const auto* value = out.given.find(flag.spec.names()[0])) OPP2P_TRYV(take(flag, *value, out));
  // op-node lets the name win, which we cannot: the file is what was named on purpose.
  if (!out.options.network.empty() && !out.options.rollup_config.empty())
    out.without_effect.push_back(out.given.find("network")->given_as);
  add_what_p2p_leaves_without_effect(out);
  out.unknown_variables = unknown_variables(environment);
  return out;
}

std::string name_variables(std::string_view text, const FlagValues& given) {
  std::string out;
  while (!text.empty()) {
    const auto begin = text.find("--");
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    std::size_t size = 2;
    while (size < text.size() && continues_name(text[size])) ++size;
    // A full stop behind the name ends the sentence.
    while (size > 2 && text[size - 1] == '.') --size;
    out += text.substr(0, size);
    const auto* value = given.find(text.substr(2, size - 2));
    if (value != nullptr && value->from_environment) out += " (from " + value->given_as + ")";
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace opp2p
