// The program. Each family of subcommands is one function call here and has a file of its own.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <sstream>
#include <system_error>

#include "commands.hpp"
#include "help_format.hpp"
#include "input.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/base/output.hpp"
#include "opp2p/config/flag_reader.hpp"
#include "perf.hpp"
#include "ping.hpp"
#include "version.hpp"

namespace {

int refused(int code) {
  return opp2p::report("cannot start: the operating system refuses a resource: " + opp2p::file_error(code, ""));
}

bool is_option(const std::string& text) { return text.starts_with('-'); }

// The innermost subcommand that was called, and how it is called: "opp2p inspect gossip".
struct Called {
  explicit Called(const CLI::App& app) : command(&app), name(app.get_name()) {
    while (!command->get_subcommands().empty()) {
      command = command->get_subcommands().back();
      name += " " + command->get_name();
    }
  }
  std::string see_help() const { return "; see " + name + " --help"; }

  const CLI::App* command;
  std::string name;
};

// Help of a command that does not exist was asked for; the parser would give that of the one above it.
bool calls_unknown_command(const CLI::App& app) {
  const auto left = app.remaining(true);
  return !Called(app).command->get_subcommands(nullptr).empty() &&
         std::any_of(left.begin(), left.end(), [](auto& word) { return !is_option(word); });
}

// What the parser did not know, with what was probably meant; empty when the mistake is another one.
std::string unknown_word(const CLI::App& app) {
  const auto left = app.remaining(true);
  if (left.empty()) return {};
  const Called called(app);
  const auto subcommands = called.command->get_subcommands(nullptr);
  // A command that is not known comes before its options, an option before its value.
  auto at =
      std::find_if(left.begin(), left.end(), [&](const auto& text) { return is_option(text) == subcommands.empty(); });
  if (at == left.end()) at = left.begin();
  const std::string word = at->substr(0, at->find('='));
  const bool option = is_option(word);
  std::vector<std::string> names;
  if (option) {
    for (const auto* known : called.command->get_options())
      for (const auto& name : known->get_lnames()) names.push_back("--" + name);
  } else {
    for (const auto* known : subcommands) names.push_back(known->get_name());
  }
  const auto near = opp2p::nearest_name(word, names);
  return (option                ? "unknown option "
          : subcommands.empty() ? "unexpected argument "
                                : "unknown command ") +
         word + (near ? ". Did you mean " + *near + "?" : called.see_help());
}

// Help and the version are printed, mistakes are reported. CLI11 has a number for every kind of mistake; here all of
// them are 1.
int finish_parse(const CLI::App& app, const CLI::ParseError& error, opp2p::Output& out) {
  std::ostringstream printed;
  std::ostringstream reported;
  const int code = app.exit(error, printed, reported);
  if (code == 0 && !calls_unknown_command(app)) {
    out.write(printed.str());
    return 0;
  }
  const auto unknown = unknown_word(app);
  return opp2p::report(unknown.empty() ? reported.str() : unknown);
}

int run(int argc, char** argv, opp2p::Output& out) {
  CLI::App app("opp2p: the peer-to-peer layer of the OP Stack", "opp2p");
  int exit_code = 0;
  app.set_version_flag("--version", "opp2p " + opp2p::program_version());
  app.formatter(std::make_shared<opp2p::HelpFormat>());  // of the subcommands too
  app.require_subcommand(1);
  app.failure_message(
      [](const CLI::App* at, const CLI::Error& error) { return error.what() + Called(*at).see_help(); });
  opp2p::add_node_command(app);
  opp2p::add_peers_command(app, out, exit_code);
  opp2p::add_peer_command(app, out, exit_code);
  opp2p::add_why_command(app, out, exit_code);
  opp2p::add_bans_command(app, out, exit_code);
  opp2p::add_block_commands(app, out, exit_code);
  opp2p::add_devnet_commands(app, out, exit_code);
  opp2p::add_sim_commands(app, out, exit_code);
  opp2p::add_inspect_commands(app, out, exit_code);
  opp2p::add_key_commands(app, out, exit_code);
  opp2p::add_db_commands(app, out, exit_code);
  opp2p::add_doc_commands(app, out, exit_code);
  opp2p::add_peerstore_commands(app, out, exit_code);
  opp2p::add_ping_command(app, out, exit_code);
  opp2p::add_perf_commands(app, out, exit_code);
  try {
    if (argc > 1 && std::string_view(argv[1]) == "node")
      return opp2p::node_command(std::vector<std::string>(argv + 2, argv + argc), out);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return finish_parse(app, error, out);
  } catch (const boost::system::system_error& error) {  // of asio, whose parts throw when they cannot be made
    return refused(error.code().value());
  } catch (const std::system_error& error) {  // of threads
    return refused(error.code().value());
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  opp2p::hold_standard_descriptors();
  // A reader that has ended, and a file at the limit of `ulimit -f`, are errors to be told of, as a full disk is, and
  // not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  opp2p::Output out(STDOUT_FILENO);
  const int exit_code = run(argc, argv, out);
  const auto written = out.finish();
  return written ? exit_code : opp2p::report(written.error());
}
