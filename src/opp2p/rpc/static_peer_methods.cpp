// The methods about static peers.
#include "libp2p/base/peer_text.hpp"
#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/p2p_json.hpp"
#include "opp2p/rpc/rpc_changes.hpp"

namespace opp2p {
namespace {

constexpr const char* kNoStaticPeers = "no static peers: the node runs without p2p";
constexpr std::size_t kLongestAddress = 1024;

json::object static_peer_json(const StaticPeerSnapshot& peer) {
  json::array addresses;
  for (const auto& address : peer.status.addresses)
    addresses.emplace_back(libp2p::peer_text(address.with_peer_id(peer.status.peer).text(), kLongestAddress));
  json::object out;
  out["peer"] = peer.status.peer.to_base58();
  out["addresses"] = std::move(addresses);
  out["source"] = peer.by_flag ? "flag" : "stored";
  out["connected"] = peer.status.connected;
  out["dialling"] = peer.status.dialling;
  out["nextAttemptMs"] =
      peer.next_attempt_in ? json::value(*peer.next_attempt_in / libp2p::Millis(1)) : json::value(nullptr);
  out["failures"] = peer.status.failures;
  out["lastError"] =
      peer.status.last_error.empty() ? json::value(nullptr) : json::value(libp2p::peer_text(peer.status.last_error));
  return out;
}

RpcHandler list_static(const NodeApi& api) {
  using Found = std::optional<std::vector<StaticPeerSnapshot>>;
  const auto take = [port = api.ports.static_peers]() -> Found {
    if (port == nullptr) return std::nullopt;
    return port->list();
  };
  return reads_value(api.snapshots, "opp2p_staticPeers", take, [](const Found& found) -> RpcReply {
    if (!found) return server_error(kNoStaticPeers);
    json::array out;
    for (const auto& peer : *found) out.push_back(static_peer_json(peer));
    return json::value(std::move(out));
  });
}

RpcHandler add_static(const NodeApi& api) {
  return [api](const json::array& params, const RpcDone& done) {
    const auto& given = argument(params, 0);
    if (!given.is_string() || given.get_string().size() > kLongestAddress)
      return done(invalid_argument(0, "want a multiaddr"));
    const auto address = libp2p::Multiaddr::from_text(std::string_view(given.get_string()));
    if (!address) return done(invalid_argument(0, "bad peer address: " + address.error().message()));
    if (!address->peer_id()) return done(invalid_argument(0, "bad peer address: it does not end with /p2p/ID"));
    change(
        api, api.ports.static_peers, kNoStaticPeers, done,
        [address = *address](StaticPeersPort& port, PortDone changed) { port.add(address, std::move(changed)); },
        &changed_or_error);
  };
}

RpcHandler remove_static(const NodeApi& api) {
  return [api](const json::array& params, const RpcDone& done) {
    const auto peer = peer_argument(params, 0);
    if (!peer) return done(peer.error());
    change(
        api, api.ports.static_peers, kNoStaticPeers, done,
        [peer = *peer](StaticPeersPort& port, PortDone changed) { port.remove(peer, std::move(changed)); },
        &changed_or_error);
  };
}

}  // namespace

std::vector<RpcMethod> static_peer_methods(const NodeApi& api) {
  return {
      {.name = "opp2p_staticPeers",
       .handler = list_static(api),
       .help = "The peers that the node keeps connected: from the flags or stored, the next attempt, the last error."},
      {.name = "opp2p_addStaticPeer",
       .parameters = {{"address", "a multiaddr that ends with /p2p/ID"}},
       .access = RpcAccess::changes_with_token,
       .handler = add_static(api),
       .help =
           "Keeps a connection to a peer from now on, over a restart too. Answers true when it is durable, or false "
           "when it was there."},
      {.name = "opp2p_removeStaticPeer",
       .parameters = {{"peer", "a peer id"}},
       .access = RpcAccess::changes_with_token,
       .handler = remove_static(api),
       .help = "Takes opp2p_addStaticPeer back; the connection stays open. A peer of --p2p.static cannot be removed."},
  };
}

}  // namespace opp2p
