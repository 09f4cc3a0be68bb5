// `opp2p peers`: who is connected to a running node.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "peer_texts.hpp"
#include "running_node.hpp"

namespace opp2p {
namespace {

struct PeersOptions {
  RunningNodeOptions node;
  bool all = false;
};

// The dump without the node itself, which is no peer of its own.
boost::json::value without(boost::json::value dump, const std::string& own) {
  auto* peers = dump.get_object().if_contains("peers");
  if (peers != nullptr && peers->is_object()) peers->get_object().erase(own);
  return dump;
}

int list_peers(Output& out, const PeersOptions& options) {
  const auto rpc = connect_rpc(options.node);
  if (!rpc) return report(rpc.error());
  const auto own = options.all ? own_peer_id(*rpc) : libp2p::Result<std::string>(std::string());
  if (!own) return report(own.error());
  // Nobody who is connected is banned. A node without reputation has no bans.
  const auto bans =
      options.all && !options.node.json ? rpc->call("opp2p_bans") : libp2p::Result<boost::json::value>(nullptr);
  const auto text = [&](const boost::json::value& dump) {
    auto out_text = peers_text(without(dump, *own), terminal_columns(out), bans ? *bans : boost::json::value());
    if (!bans) out_text += "\n\nWho is banned is not marked: " + bans.error().text();
    return out_text;
  };
  return print_answer(out, options.node, of_kind(rpc->call("opp2p_peers", {!options.all}), boost::json::kind::object),
                      text);
}

}  // namespace

void add_peers_command(CLI::App& app, Output& out, int& exit_code) {
  auto* command = app.add_subcommand("peers", "List the peers of a running node: score, latency, agent");
  auto options = std::make_shared<PeersOptions>();
  add_running_node_options(*command, options->node);
  command->add_flag("--all", options->all, "Peers that the node remembers, too");
  command->callback([options, &out, &exit_code] { exit_code = list_peers(out, *options); });
}

}  // namespace opp2p
