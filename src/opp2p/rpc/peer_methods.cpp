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
  using List = PeerList;
  using Item = PeerSnapshot;
  const Node& node;
  bool connected_only;

  PeerList list() const { return node.snapshots().list_peers(connected_only); }
  std::size_t size(const PeerList& peers) const { return peers.ids.size(); }
  PeerSnapshot item(const PeerList& peers, std::size_t i) const {
    return node.snapshots().snapshot_of(peers.ids[i], peers);
  }
  std::string begin(const PeerList& peers) const { return peer_dump_begin(peers.connected); }
  std::string text(const PeerSnapshot& peer) const { return peer_dump_item(peer); }
  std::string end(const PeerList&) const { return peer_dump_end(BlockedSnapshot{}); }
};

RpcHandler peers_method(const NodeApi& api) {
  return [&snapshots = api.snapshots, &node = api.node](const json::array& params, RpcDone done) {
    if (!params[0].is_bool()) return done(invalid_argument(0, "want true for connected peers, false for all"));
    const bool connected = params[0].get_bool();
    ask_list(snapshots, connected ? "opp2p_peers true" : "opp2p_peers false", PeerDump{node, connected},
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

RpcReply disconnect_peer(Node& node, const PeerId& peer) {
  const auto done = node.disconnect(peer);
  if (!done) return server_error(done.error().message());
  return json::value(nullptr);
}

RpcHandler disconnect_method(const NodeApi& api) {
  return [&runtime = api.runtime, &node = api.node](const json::array& params, const RpcDone& done) {
    const auto peer = peer_argument(params, 0);
    if (!peer) return done(peer.error());
    runtime.post([&node, target = *peer, done] { done(disconnect_peer(node, target)); });
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
       .help = "The peers, by their id."},
      {.name = "opp2p_peerStats",
       .handler = reads_value(
           api.snapshots, "opp2p_peerStats", [&node] { return node.snapshots().peer_stats(); },
           [](const PeerStatsSnapshot& stats) { return json::value(peer_stats_json(stats)); }),
       .help = "How many peers are connected, known, and in each of the topics of blocks."},
      {.name = "opp2p_connectPeer",
       .parameters = {{"address", "a multiaddr that ends with /p2p/ID"}},
       .access = RpcAccess::changes_with_token,
       .handler = connect_method(api),
       .help = "Connects to a peer. Answers null when the connection is there, within 30 s."},
      {.name = "opp2p_disconnectPeer",
       .parameters = {{"peer", "a peer id"}},
       .access = RpcAccess::changes_with_token,
       .handler = disconnect_method(api),
       .help = "Closes the connections to a peer. Answers null."},
  };
}

}  // namespace opp2p
