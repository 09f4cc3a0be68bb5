// `opp2p peer`: what happened with one peer of a running node.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "peer_texts.hpp"
#include "running_node.hpp"

namespace opp2p {
namespace {

struct PeerOptions {
  RunningNodeOptions node;
  std::string peer;
  unsigned events = 1000;
};

int show_peer(Output& out, const PeerOptions& options) {
  const auto rpc = connect_rpc(options.node);
  if (!rpc) return report(rpc.error());
  const auto peer = resolve_peer(*rpc, options.peer);
  if (!peer) return report(peer.error());
  return print_answer(
      out, options.node, of_kind(rpc->call("opp2p_peerEvents", {*peer, options.events}), boost::json::kind::object),
      [&out](const boost::json::value& answer) { return timeline_text(answer, terminal_columns(out)); });
}

}  // namespace

void add_peer_command(CLI::App& app, Output& out, int& exit_code) {
  auto* command = app.add_subcommand(
      "peer", "Tell what happened with a peer: connected, identified, in the mesh, its faults, its score, why it went");
  auto options = std::make_shared<PeerOptions>();
  add_running_node_options(*command, options->node);
  command->add_option("--events", options->events, "How many of the last events")->check(CLI::Range(0, 1000));
  command->add_option("ID", options->peer, "A peer id, or the beginning or end of one that the node knows")->required();
  command->callback([options, &out, &exit_code] { exit_code = show_peer(out, *options); });
}

}  // namespace opp2p
