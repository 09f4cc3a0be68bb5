// `opp2p node`: op-node's options and environment names where it has them, our own beside them. It does not go through
// CLI11, which reads options otherwise than op-node does; node/flag_reader.hpp reads them.
#include <CLI/CLI.hpp>
#include <iostream>
#include <utility>

#include "commands.hpp"
#include "input.hpp"
#include "node/config.hpp"
#include "node/daemon.hpp"
#include "node/log_fatal.hpp"
#include "node/node_flags.hpp"
#include "runtime/entropy.hpp"
#include "version.hpp"

namespace opp2p {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
constexpr std::size_t kMostFields = 12;

// A field of the log is cut at kMaxFieldBytes, so a long list goes on in another: no_effect, no_effect_2, …
void add_list(Fields& out, const std::string& key, const std::vector<std::string>& list) {
  std::size_t parts = 0;
  for (const auto& item : list) {
    if (parts == 0 || out.back().second.size() + 1 + item.size() > node::kMaxFieldBytes)
      out.emplace_back(++parts == 1 ? key : key + "_" + std::to_string(parts), item);
    else
      (out.back().second += ' ') += item;
  }
  if (out.size() > kMostFields) out.resize(kMostFields);
}

// The log takes its fields as a list of known size.
template <std::size_t... I>
void warn(node::Log& log, const Fields& fields, std::index_sequence<I...>) {
  log.warn(node::Component::node,
           "some of what was configured does nothing here; opp2p node --help-all lists what does",
           {node::Field{fields[I].first, fields[I].second}...});
}
template <std::size_t Count = 1>
void warn(node::Log& log, const Fields& fields) {
  if (fields.size() == Count) return warn(log, fields, std::make_index_sequence<Count>());
  if constexpr (Count < kMostFields) warn<Count + 1>(log, fields);
}

int run_node(const node::NodeCommandLine& line) {
  const auto& options = line.options;
  const auto failed = [&line](const libp2p::Error& error) {
    return report(node::name_variables(error.message(), line.given));
  };
  const auto format = node::parse_log_format(options.log_format);
  if (!format) return failed(format.error().within("--log.format"));
  node::LogOptions logging;
  logging.format = *format;
  logging.own_thread = true;
  node::Log log(std::move(logging));
  const node::FlushLogOnFatalSignals flush_when_fatal(log);
  if (const auto levels = log.set_levels(options.log_level); !levels)
    return failed(levels.error().within("--log.level"));
  Fields nothing;
  add_list(nothing, "no_effect", line.without_effect);
  add_list(nothing, "unknown_env", line.unknown_variables);
  warn(log, nothing);
  libp2p::runtime::SystemRng rng;
  const auto config = node::resolve(options, rng);
  const auto done = config ? node::run_daemon(*config, log, program_version()) : libp2p::Result<void>(config.error());
  log.flush();  // what ended it is said last
  return done ? 0 : failed(done.error());
}

int print(const std::string& text) {
  std::cout << text << std::flush;
  return std::cout ? 0 : report("standard output cannot be written to; check where it goes");
}

}  // namespace

void add_node_command(CLI::App& app) {
  app.add_subcommand("node", "Join a chain's network: follow its unsafe blocks, serve them, publish them");
}

int node_command(std::span<const std::string> arguments) {
  const auto line = node::read_node_command_line(arguments, node::process_environment());
  if (!line) return report(line.error().text());
  if (line->help || line->help_all) return print(node::node_help(line->help_all));
  if (line->version) return print("opp2p " + program_version() + "\n");
  return run_node(*line);
}

}  // namespace opp2p
