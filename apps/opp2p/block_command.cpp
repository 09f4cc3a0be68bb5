// `opp2p block` and `opp2p unblock`: peers, addresses and subnets that a running node keeps out.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "commands.hpp"
#include "input.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "opp2p/rpc/gate_arguments.hpp"
#include "running_node.hpp"

namespace opp2p {
namespace {

struct BlockOptions {
  RunningNodeOptions node;
  std::string target;
};

// What is blocked, and by which methods.
struct BlockTarget {
  std::string text;
  std::string what;  // "peer", "address", "subnet"
  std::string method;
};

libp2p::Result<BlockTarget> read_target(const RpcClient& rpc, const std::string& text) {
  if (text.find('/') != std::string::npos) {
    const auto subnet = libp2p::Cidr::from_text(text);
    if (!subnet) return subnet.error();
    return BlockTarget{subnet->text(), "subnet", "Subnet"};
  }
  if (const auto ip = libp2p::canonical_ip(text)) return BlockTarget{*ip, "address", "Addr"};
  OPP2P_TRY(auto peer, resolve_peer(rpc, text));
  return BlockTarget{std::move(peer), "peer", "Peer"};
}

// The subnet that keeps an address or a subnet blocked, or the ban of an address.
libp2p::Result<std::optional<std::string>> kept_out_by(const RpcClient& rpc, const BlockTarget& target) {
  if (target.what == "peer") return std::optional<std::string>();
  OPP2P_TRY(const auto inner, libp2p::Cidr::from_text(target.text));
  OPP2P_TRY(const auto subnets, of_kind(rpc.call("opp2p_listBlockedSubnets"), boost::json::kind::array));
  for (const auto& listed : subnets.get_array()) {
    const auto subnet = gate_subnet_argument({listed});
    if (!subnet) continue;
    const auto outer = libp2p::Cidr::from_text(subnet->text);
    if (outer && outer->prefix() <= inner.prefix() && outer->contains(inner.ip())) return "the subnet " + outer->text();
  }
  OPP2P_TRY(const auto bans, of_kind(rpc.call("opp2p_bans"), boost::json::kind::array));
  for (const auto& ban : bans.get_array()) {
    const auto* ip = ban.is_object() ? ban.get_object().if_contains("ip") : nullptr;
    if (ip != nullptr && *ip == boost::json::value(target.text)) return "a ban of it (opp2p bans undo ends it)";
  }
  return std::optional<std::string>();
}

int change(Output& out, const BlockOptions& options, bool block) {
  const auto rpc = connect_rpc(options.node);
  if (!rpc) return report(rpc.error());
  const auto target = read_target(*rpc, options.target);
  if (!target) return report(target.error());
  const std::string method = (block ? "opp2p_block" : "opp2p_unblock") + target->method;
  const auto changed = of_kind(rpc->change(method, {target->text}), boost::json::kind::null);
  if (!changed) return report(changed.error());
  const auto still = block ? libp2p::Result<std::optional<std::string>>(std::nullopt) : kept_out_by(*rpc, *target);
  if (!still) return report(still.error());
  return print_answer(out, options.node, changed, [&](const boost::json::value&) {
    const auto named = "The " + target->what + " " + target->text;
    if (block) return named + " is blocked: its connections are closed, and no new ones are made.";
    if (*still) return named + " is no entry of the blocked any more, but it is still kept out by " + **still + ".";
    // Whether it was blocked, the RPC does not say.
    return named + (target->what == "peer" ? " is neither blocked nor banned." : " is not blocked.");
  });
}

void add(CLI::App& app, Output& out, int& exit_code, const std::string& name, const std::string& about, bool block) {
  auto* command = app.add_subcommand(name, about);
  auto options = std::make_shared<BlockOptions>();
  add_running_node_options(*command, options->node);
  command
      ->add_option("TARGET", options->target,
                   "A peer id (or the beginning or end of one that the node knows), an IP address, or a subnet such as "
                   "10.0.0.0/8")
      ->required();
  command->callback([options, block, &out, &exit_code] { exit_code = change(out, *options, block); });
}

}  // namespace

void add_block_commands(CLI::App& app, Output& out, int& exit_code) {
  add(app, out, exit_code, "block", "Block a peer, an address or a subnet, until it is unblocked", true);
  add(app, out, exit_code, "unblock", "Unblock a peer, an address or a subnet; for a peer, end its ban, too", false);
}

}  // namespace opp2p
