// The program: every subcommand is one function call here, and lives in a file of its own.
#include <CLI/CLI.hpp>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <system_error>

#include "commands.hpp"
#include "input.hpp"
#include "node/file_error.hpp"
#include "perf.hpp"
#include "ping.hpp"
#include "version.hpp"

namespace {

int refused(int code) {
  return opp2p::report("the operating system refuses what the program needs to start: " + opp2p::node::file_error(code, ""));
}

}  // namespace

int main(int argc, char** argv) {
  // A file at the limit of `ulimit -f` is an error to be told of, as a full disk is, and not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App app("opp2p: the peer-to-peer layer of the OP Stack", "opp2p");
  int exit_code = 0;
  app.set_version_flag("--version", "opp2p " + opp2p::program_version());
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("opp2p: ") + error.what() + "; see opp2p --help\n";
  });
  opp2p::add_node_command(app);
  opp2p::add_devnet_commands(app, exit_code);
  opp2p::add_inspect_commands(app, exit_code);
  opp2p::add_key_commands(app, exit_code);
  opp2p::add_ping_command(app, exit_code);
  opp2p::add_perf_commands(app, exit_code);
  try {
    if (argc > 1 && std::string_view(argv[1]) == "node")
      return opp2p::node_command(std::vector<std::string>(argv + 2, argv + argc));
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 has a number for every kind of mistake; here all of them are 1.
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const boost::system::system_error& error) {  // of asio, whose parts throw when they cannot be made
    return refused(error.code().value());
  } catch (const std::system_error& error) {  // of threads
    return refused(error.code().value());
  }
  return exit_code;
}
