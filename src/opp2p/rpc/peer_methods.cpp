// The methods about peers: who is there, and connecting to them.
#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/p2p_json.hpp"
#include "opp2p/rpc/rpc_arguments.hpp"

namespace opp2p {
namespace {

using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::runtime::Runtime;

// The dump of opp2p_peers, taken peer by peer.
struct PeerDump {
  struct List {
    PeerList peers;
    std::optional<BlockedSnapshot> blocked;
  };
  using Item = PeerSnapshot;
  const Node& node;
  ApiPorts ports;
  bool connected_only;

  List list() const {
    List out{node.snapshots().list_peers(connected_only), std::nullopt};
    if (ports.gating != nullptr) out.blocked = ports.gating->blocked();
    return out;
  }
  std::size_t size(const List& list) const { return list.peers.ids.size(); }
  PeerSnapshot item(const List& list, std::size_t i) const {
    auto out = node.snapshots().snapshot_of(list.peers.ids[i], list.peers);
    if (ports.reputation == nullptr) return out;
    if (const auto scores = ports.reputation->scores_of(out.id)) out.req_resp = scores->req_resp;
    if (auto metadata = ports.reputation->metadata_of(out.id)) {
      out.enr = std::move(metadata->enr);
      out.chain_id = metadata->op_stack_id;
    }
    return out;
  }
  std::string begin(const List& list) const { return peer_dump_begin(list.peers.connected); }
  std::string text(const PeerSnapshot& peer) const { return peer_dump_item(peer); }
  std::string end(const List& list) const { return peer_dump_end(list.blocked); }
};

RpcHandler peers_method(const NodeApi& api) {
  return [&snapshots = api.snapshots, &node = api.node, ports = api.ports](const json::array& params, RpcDone done) {
    if (!params[0].is_bool()) return done(invalid_argument(0, "want true for connected peers, false for all"));
    const bool connected = params[0].get_bool();
    ask_list(snapshots, connected ? "opp2p_peers true" : "opp2p_peers false", PeerDump{node, ports, connected},
             "opp2p_peers(true) tells those that are connected", std::move(done));
  };
}

void connect_peer(Runtime& runtime, RpcDials& dials, const json::array& params, const RpcDone& done,
                  const RpcWatchClient& watch) {
  if (!params[0].is_string()) return done(invalid_argument(0, "want a multiaddr"));
  auto address = Multiaddr::from_text(std::string_view(params[0].get_string()));
  if (!address) return done(server_error("bad peer address: " + address.error().message()));
  if (!address->peer_id()) return done(server_error("bad peer address: it does not end with /p2p/ID"));
  runtime.post([&runtime, &dials, target = *address, done, watch] {
    const auto id = dials.dial(target, [done](const Result<void>& connected) {
      if (connected)
        done(json::value(nullptr));
      else
        done(server_error("failed to dial: " + connected.error().message()));
    });
    if (id) watch([&runtime, &dials, id] { runtime.post([&dials, id] { dials.abandon(*id); }); });
  });
}

RpcWatchingHandler connect_method(const NodeApi& api) {
  return [&runtime = api.runtime, &dials = api.dials](const json::array& params, const RpcDone& done,
                                                      const RpcWatchClient& watch) {
    connect_peer(runtime, dials, params, done, watch);
  };
}

// Closes, forgets what the peerstore has of the peer, takes its block back and ends its ban, as op-node does.
void disconnect_peer(const NodeApi& api, const PeerId& peer, const RpcDone& done) {
  const auto closed = api.node.disconnect(peer);
  if (!closed) return done(server_error(closed.error().message()));
  const auto unblocked = [done](const libp2p::Result<bool>& changed) {
    if (!changed) return done(server_error("closed peer but failed to unblock: " + changed.error().text()));
    done(json::value(nullptr));
  };
  const GateTarget target{GateTarget::Kind::peer, peer, {}};
  const auto unban = [target, unblocked, reputation = api.ports.reputation](const libp2p::Result<bool>& changed) {
    if (!changed || reputation == nullptr) return unblocked(changed);
    reputation->unban(target, unblocked);
  };
  if (api.ports.gating == nullptr) return unban(false);
  api.ports.gating->unblock(target, unban);
}

RpcHandler disconnect_method(const NodeApi& api) {
  return [api](const json::array& params, const RpcDone& done) {
    const auto peer = peer_argument(params, 0);
    if (!peer) return done(peer.error());
    api.runtime.post([api, peer = *peer, done] { disconnect_peer(api, peer, done); });
  };
}

}  // namespace

std::vector<RpcMethod> peer_methods(const NodeApi& api) {
  const auto& node = api.node;
  return {
      {.name = "opp2p_self",
       .handler = reads_value(
           api.snapshots, "opp2p_self", [&node] { return node.snapshots().self(); },
           [](const PeerSnapshot& self) { return json::value(peer_json(self)); }),
       .help = "The node itself, in the form in which opp2p_peers describes a peer."},
      {.name = "opp2p_peers",
       .parameters = {{"connected", "true for connected peers, false for all that are known"}},
       .handler = peers_method(api),
       .help = "The peers, by their id. Among all that are known is the node itself, as in op-node."},
      {.name = "opp2p_peerStats",
       .handler = reads_value(
           api.snapshots, "opp2p_peerStats",
           [&node, gating = api.ports.gating] {
             auto out = node.snapshots().peer_stats();
             if (gating != nullptr) out.banned = gating->blocked().peers.size();
             return out;
           },
           [](const PeerStatsSnapshot& stats) { return json::value(peer_stats_json(stats)); }),
       .help = "How many peers are connected, known (with the node itself), blocked, and in each of the topics of "
               "blocks."},
      {.name = "opp2p_discoveryTable",
       .handler = [](const json::array&, const RpcDone& done) { done(server_error("discovery disabled")); },
       .help = "Answers the error of op-node without discovery, which this node does not have."},
      {.name = "opp2p_connectPeer",
       .parameters = {{"address", "a multiaddr that ends with /p2p/ID"}},
       .access = RpcAccess::changes_with_token,
       .handler = connect_method(api),
       .help = "Connects to a peer. Answers null when the connection is there, within 30 s."},
      {.name = "opp2p_disconnectPeer",
       .parameters = {{"peer", "a peer id"}},
       .access = RpcAccess::changes_with_token,
       .handler = disconnect_method(api),
       .help =
           "Closes the connections to a peer, forgets its addresses, and ends its block and its ban. Answers null."},
  };
}

}  // namespace opp2p
