// `opp2p why`: one sentence about a peer or a block of a running node.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "peer_texts.hpp"
#include "running_node.hpp"

namespace opp2p {
namespace {

struct WhyOptions {
  RunningNodeOptions node;
  std::string subject;
};

// A number, or 0x and hexadecimal digits: no peer id begins so.
bool is_block(const std::string& subject) {
  return subject.starts_with("0x") ||
         std::all_of(subject.begin(), subject.end(), [](unsigned char digit) { return std::isdigit(digit) != 0; });
}

int explain(Output& out, const WhyOptions& options) {
  const auto rpc = connect_rpc(options.node);
  if (!rpc) return report(rpc.error());
  if (is_block(options.subject))
    return print_answer(out, options.node,
                        of_kind(rpc->call("opp2p_blockEvents", {options.subject}), boost::json::kind::object),
                        why_text);
  const auto peer = resolve_peer(*rpc, options.subject);
  if (!peer) return report(peer.error());
  return print_answer(out, options.node, of_kind(rpc->call("opp2p_peerEvents", {*peer}), boost::json::kind::object),
                      why_text);
}

}  // namespace

void add_why_command(CLI::App& app, Output& out, int& exit_code) {
  auto* command = app.add_subcommand(
      "why", "Say in one sentence why a peer is gone, banned or low, or why a block was accepted, rejected or late");
  auto options = std::make_shared<WhyOptions>();
  add_running_node_options(*command, options->node);
  command
      ->add_option("SUBJECT", options->subject,
                   "A block's number or hash, or a peer id (or the beginning or end of one that the node knows)")
      ->required();
  command->callback([options, &out, &exit_code] { exit_code = explain(out, *options); });
}

}  // namespace opp2p
