// The methods that block peers, addresses and subnets, list them, and protect peers from the connection manager.
#include "opp2p/rpc/gate_arguments.hpp"
#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/p2p_json.hpp"
#include "opp2p/rpc/rpc_changes.hpp"

namespace opp2p {
namespace {

using ReadTarget = Argument<GateTarget> (*)(const json::array&);
constexpr const char* kNoGater = "no connection gater";
constexpr std::string_view kProtected = "api-protected";  // op-node's tag

// What would block nobody, or everybody until somebody unblocks it: a mistake that op-node lets its operator make.
std::optional<RpcError> refusal_of(const NodeApi& api, const GateTarget& target) {
  if (target.kind == GateTarget::Kind::peer && target.peer == api.node.view().id())
    return server_error("this is the node's own peer id");
  if (target.kind == GateTarget::Kind::subnet && target.text.ends_with("/0"))
    return server_error("the subnet " + target.text +
                        " has every address, so the node would lose all its peers; block smaller subnets");
  return std::nullopt;
}

RpcHandler block_method(const NodeApi& api, ReadTarget read) {
  return [api, read](const json::array& params, const RpcDone& done) {
    const auto target = read(params);
    if (!target) return done(target.error());
    if (const auto refusal = refusal_of(api, *target)) return done(*refusal);
    change(api, api.ports.gating, kNoGater, done,
           [target = *target](GatingPort& gating, PortDone changed) { gating.block(target, std::move(changed)); });
  };
}

// op-node's unblockPeer lifts the ban of the peer too.
RpcHandler unblock_method(const NodeApi& api, ReadTarget read) {
  return [api, read](const json::array& params, const RpcDone& done) {
    const auto target = read(params);
    if (!target) return done(target.error());
    change(api, api.ports.gating, kNoGater, done,
           [target = *target, reputation = api.ports.reputation](GatingPort& gating, const PortDone& changed) {
             gating.unblock(target, [target, reputation, changed](const libp2p::Result<bool>& unblocked) {
               if (!unblocked || reputation == nullptr || target.kind != GateTarget::Kind::peer)
                 return changed(unblocked);
               reputation->unban(target, changed);
             });
           });
  };
}

RpcHandler list_method(const NodeApi& api, const std::string& name, json::value (*part)(const BlockedSnapshot&)) {
  const auto take = [gating = api.ports.gating]() -> std::optional<BlockedSnapshot> {
    if (gating == nullptr) return std::nullopt;
    return gating->blocked();
  };
  return reads_value(api.snapshots, name, take, [part](const std::optional<BlockedSnapshot>& blocked) -> RpcReply {
    if (!blocked) return server_error(kNoGater);
    return part(*blocked);
  });
}

RpcHandler protect_method(const NodeApi& api, bool protect) {
  return [&runtime = api.runtime, &node = api.node, protect](const json::array& params, const RpcDone& done) {
    const auto peer = peer_argument(params, 0);
    if (!peer) return done(peer.error());
    runtime.post([&node, peer = *peer, protect, done] {
      if (protect)
        node.host().protect(peer, std::string(kProtected));
      else
        node.host().unprotect(peer, kProtected);
      done(json::value(nullptr));
    });
  };
}

std::vector<RpcMethod> subnet_methods(const NodeApi& api) {
  const std::vector<RpcParameter> subnet = {
      {"subnet", R"(an object {"IP":"10.0.0.0","Mask":"/wAAAA=="} with the mask in base64, or "10.0.0.0/8")", false}};
  return {
      {.name = "opp2p_blockSubnet",
       .parameters = subnet,
       .access = RpcAccess::changes_with_token,
       .handler = block_method(api, gate_subnet_argument),
       .help = "Blocks a subnet as opp2p_blockAddr blocks an address. Answers null."},
      {.name = "opp2p_unblockSubnet",
       .parameters = subnet,
       .access = RpcAccess::changes_with_token,
       .handler = unblock_method(api, gate_subnet_argument),
       .help = "Unblocks a subnet. Answers null."},
      {.name = "opp2p_listBlockedSubnets",
       .handler = list_method(api, "opp2p_listBlockedSubnets", &blocked_subnets_json),
       .help = "The blocked subnets, as objects of IP and Mask."},
  };
}

std::vector<RpcMethod> address_methods(const NodeApi& api) {
  const std::vector<RpcParameter> address = {{"ip", "an IP address"}};
  return {
      {.name = "opp2p_blockAddr",
       .parameters = address,
       .access = RpcAccess::changes_with_token,
       .handler = block_method(api, gate_ip_argument),
       .help = "Blocks an IP address: its connections are closed, and no new ones are made. Holds over a restart. "
               "Answers null when it is durable."},
      {.name = "opp2p_blocAddr",
       .parameters = address,
       .access = RpcAccess::changes_with_token,
       .handler = block_method(api, gate_ip_argument),
       .help = "The same as opp2p_blockAddr, in the spelling of kona's clients."},
      {.name = "opp2p_unblockAddr",
       .parameters = address,
       .access = RpcAccess::changes_with_token,
       .handler = unblock_method(api, gate_ip_argument),
       .help = "Unblocks an IP address. Answers null."},
      {.name = "opp2p_listBlockedAddrs",
       .handler = list_method(api, "opp2p_listBlockedAddrs", &blocked_addresses_json),
       .help = "The blocked IP addresses."},
  };
}

}  // namespace

std::vector<RpcMethod> gating_methods(const NodeApi& api) {
  const std::vector<RpcParameter> peer = {{"peer", "a peer id"}};
  std::vector<RpcMethod> out = {
      {.name = "opp2p_blockPeer",
       .parameters = peer,
       .access = RpcAccess::changes_with_token,
       .handler = block_method(api, gate_peer_argument),
       .help = "Blocks a peer: its connections are closed, and no new ones are made. Holds over a restart. Answers "
               "null when it is durable."},
      {.name = "opp2p_unblockPeer",
       .parameters = peer,
       .access = RpcAccess::changes_with_token,
       .handler = unblock_method(api, gate_peer_argument),
       .help = "Unblocks a peer, and ends its ban. Answers null."},
      {.name = "opp2p_listBlockedPeers",
       .handler = list_method(api, "opp2p_listBlockedPeers", &blocked_peers_json),
       .help = "The blocked peers."},
      {.name = "opp2p_protectPeer",
       .parameters = peer,
       .access = RpcAccess::changes_with_token,
       .handler = protect_method(api, true),
       .help =
           "Exempts a peer from trimming and from the minimum score, until opp2p_unprotectPeer or the end of the node. "
           "Answers null."},
      {.name = "opp2p_unprotectPeer",
       .parameters = peer,
       .access = RpcAccess::changes_with_token,
       .handler = protect_method(api, false),
       .help = "Takes opp2p_protectPeer back. Answers null."},
  };
  for (auto& method : address_methods(api)) out.push_back(std::move(method));
  for (auto& method : subnet_methods(api)) out.push_back(std::move(method));
  return out;
}

}  // namespace opp2p
