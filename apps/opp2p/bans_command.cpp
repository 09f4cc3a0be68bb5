// `opp2p bans`: who is banned by a running node and why; `opp2p bans undo` ends a ban.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "peer_texts.hpp"
#include "running_node.hpp"

namespace opp2p {
namespace {

struct BansOptions {
  RunningNodeOptions node;
  std::string target;
};

int list_bans(Output& out, const RunningNodeOptions& options) {
  const auto rpc = connect_rpc(options);
  if (!rpc) return report(rpc.error());
  return print_answer(out, options, of_kind(rpc->call("opp2p_bans"), boost::json::kind::array),
                      [](const boost::json::value& bans) {
                        return bans_text(bans, libp2p::UnixTime(std::chrono::system_clock::now().time_since_epoch()));
                      });
}

int undo_ban(Output& out, const BansOptions& options) {
  const auto rpc = connect_rpc(options.node);
  if (!rpc) return report(rpc.error());
  const auto ip = libp2p::canonical_ip(options.target);
  const auto target = ip ? ip : resolve_peer(*rpc, options.target);
  if (!target) return report(target.error());
  return print_answer(out, options.node, of_kind(rpc->change("opp2p_unban", {*target}), boost::json::kind::bool_),
                      [&target, &ip](const boost::json::value& undone) {
                        if (undone != true)
                          return *target + " was not banned" + (ip ? "." : "; its scores are cleared.");
                        return "The ban of " + *target + " is undone" + (ip ? "." : ", and its scores are cleared.");
                      });
}

}  // namespace

void add_bans_command(CLI::App& app, Output& out, int& exit_code) {
  auto* command = app.add_subcommand("bans", "List the bans of a running node with their reasons, or undo one");
  command->require_subcommand(0, 1);
  auto options = std::make_shared<BansOptions>();
  add_running_node_options(*command, options->node);
  auto* undo =
      command->add_subcommand("undo", "End the ban of a peer or an IP address. The scores of a peer are cleared, too");
  add_running_node_options(*undo, options->node);  // before or behind the word
  undo->add_option("TARGET", options->target, "A peer id (or the beginning or end of one), or an IP address")
      ->required();
  undo->callback([options, &out, &exit_code] { exit_code = undo_ban(out, *options); });
  command->callback([command, undo, options, &out, &exit_code] {
    if (!command->got_subcommand(undo)) exit_code = list_bans(out, options->node);
  });
}

}  // namespace opp2p
