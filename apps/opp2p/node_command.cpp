// `opp2p node`: op-node's options and environment variables, and options of our own. It does not use CLI11, which reads
// options differently from op-node. opp2p/config/flag_reader.hpp reads them.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>
#include <utility>

#include "commands.hpp"
#include "daemon.hpp"
#include "input.hpp"
#include "libp2p/runtime/entropy.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/config/config.hpp"
#include "opp2p/config/node_flags.hpp"
#include "opp2p/log/log_fatal.hpp"
#include "version.hpp"

namespace opp2p {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
constexpr std::size_t kMostParts = 5;                      // of a list
constexpr std::size_t kMostFields = 2 * (kMostParts + 1);  // of two lists, each with the count of what was left out

// A field of the log is cut at kMaxFieldBytes, so a long list goes on in another: no_effect, no_effect_2, …
void add_list(Fields& out, const std::string& key, const std::vector<std::string>& list) {
  std::size_t parts = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (parts > 0 && out.back().second.size() + 1 + list[i].size() <= opp2p::kMaxFieldBytes) {
      (out.back().second += ' ') += list[i];
    } else if (parts < kMostParts) {
      out.emplace_back(++parts == 1 ? key : key + "_" + std::to_string(parts), list[i]);
    } else {
      out.emplace_back(key + "_more", std::to_string(list.size() - i));
      return;
    }
  }
}

// The log takes its fields as a list of known size.
template <std::size_t... I>
void warn(opp2p::Log& log, const Fields& fields, std::index_sequence<I...>) {
  log.warn(opp2p::Component::node,
           "some of what was configured does nothing here; opp2p node --help-all lists what does",
           {opp2p::Field{fields[I].first, fields[I].second}...});
}
template <std::size_t Count = 1>
void warn(opp2p::Log& log, const Fields& fields) {
  if (fields.size() == Count) return warn(log, fields, std::make_index_sequence<Count>());
  if constexpr (Count < kMostFields) warn<Count + 1>(log, fields);
}

int run_node(const opp2p::NodeCommandLine& line) {
  const auto& options = line.options;
  const auto failed = [&line](const libp2p::Error& error) {
    return report(opp2p::name_variables(sentence_of(error), line.given));
  };
  const auto format = opp2p::parse_log_format(options.log_format);
  if (!format) return failed(format.error().within("--log.format"));
  opp2p::LogOptions logging;
  logging.format = *format;
  logging.own_thread = true;
  const auto sink = std::make_shared<opp2p::DescriptorSink>(STDERR_FILENO);
  logging.sink = sink;
  opp2p::Log log(std::move(logging));
  const opp2p::FlushLogOnFatalSignals flush_when_fatal(log);
  if (const auto levels = log.set_levels(options.log_level); !levels)
    return failed(levels.error().within("--log.level"));
  Fields nothing;
  add_list(nothing, "no_effect", line.without_effect);
  add_list(nothing, "unknown_env", line.unknown_variables);
  warn(log, nothing);
  libp2p::runtime::SystemRng rng;
  const auto config = opp2p::resolve(options, rng);
  const auto done = config ? opp2p::run_daemon(*config, log, program_version()) : libp2p::Result<void>(config.error());
  log.flush();  // what ended it is said last
  if (!done) return failed(done.error());
  // Of a reader that ended with the same Ctrl-C nothing is said.
  if (const int error = sink->last_error(); error != 0 && error != EPIPE)
    return report("the log cannot be written to standard error: " + opp2p::file_error(error, "standard error"));
  return 0;
}

int print(opp2p::Output& out, const std::string& text) {
  out.write(text);
  return 0;
}

}  // namespace

void add_node_command(CLI::App& app) {
  app.add_subcommand("node", "Join a chain's network: follow, serve and publish its unsafe blocks");
}

int node_command(std::span<const std::string> arguments, opp2p::Output& out) {
  const auto line = opp2p::read_node_command_line(arguments, opp2p::process_environment());
  if (!line) return report(line.error().text());
  if (line->help || line->help_all) return print(out, opp2p::node_help(line->help_all));
  if (line->version) return print(out, "opp2p " + program_version() + "\n");
  return run_node(*line);
}

}  // namespace opp2p
