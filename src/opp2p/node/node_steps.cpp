#include "opp2p/node/node_steps.hpp"

#include <exception>

#include "opp2p/node/node_parts.hpp"
#include "opp2p/node/part_listener.hpp"
#include "opstack/gossip/block_gossip.hpp"

namespace opp2p {
namespace {

using libp2p::Nanos;
using libp2p::Result;
using libp2p::runtime::Task;

// --- the host's configuration, and the host ---

Result<void> begin_node_key(NodeWiring& w) {
  using libp2p::crypto::PrivateKey;
  OPP2P_TRY(auto key, PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, w.config.node_key));
  w.parts.host_config.emplace(std::move(key));
  if (!w.config.user_agent.empty()) w.parts.host_config->user_agent = w.config.user_agent;
  return {};
}

Result<void> begin_connection_manager(NodeWiring& w) {
  auto& manager = w.parts.host_config->connection_manager;
  manager.low = w.config.peers_lo;
  manager.high = w.config.peers_hi;
  manager.grace = w.config.peers_grace;
  manager.silence = libp2p::Seconds(60);  // op-node's
  manager.count_streams = false;
  return {};
}

Result<void> begin_transports(NodeWiring& w) {
  auto& host = *w.parts.host_config;
  OPP2P_TRY(host.muxers, libp2p::muxers_named(w.config.muxers));
  OPP2P_TRY(host.securities, libp2p::securities_named(w.config.securities));
  host.limits = w.config.limits;
  host.limits.dial_timeout = w.config.dial_timeout;
  return {};
}

Result<void> begin_host(NodeWiring& w) {
  try {
    w.parts.host = std::make_unique<libp2p::Host>(w.runtime, std::move(*w.parts.host_config));
  } catch (const std::invalid_argument& error) {
    return libp2p::fail(libp2p::Errc::invalid_argument, error.what());
  }
  w.parts.host_config.reset();
  w.listener.listen_to_host();
  return {};
}

Task<void> close_host(NodeWiring& w, Nanos limit) { return w.parts.host->close(limit); }

// --- services ---

Result<void> begin_identify(NodeWiring& w) {
  w.parts.identify = std::make_unique<libp2p::IdentifyService>(*w.parts.host);
  return {};
}
Task<void> close_identify(NodeWiring& w, Nanos) { return w.parts.identify->close(); }

Result<void> begin_ping(NodeWiring& w) {
  libp2p::PingConfig pings;
  pings.background = w.config.ping;
  w.parts.ping = std::make_unique<libp2p::PingService>(*w.parts.host, pings);
  w.listener.listen_to_ping();
  return {};
}
Task<void> close_ping(NodeWiring& w, Nanos) { return w.parts.ping->close(); }

Result<void> begin_gossip(NodeWiring& w) {
  libp2p::gossipsub::Params params;
  params.mesh = w.config.mesh;
  params.thresholds = w.config.scoring.thresholds;
  auto topics = opstack::gossip::block_gossip_config(w.config.rollup.l2_chain_id, params);
  topics.tracer = w.config.gossip_tracer;
  w.parts.gossip =
      std::make_unique<libp2p::GossipsubService>(*w.parts.host, std::move(topics), w.parts.reputation->scores());
  return {};
}
Task<void> close_gossip(NodeWiring& w, Nanos) { return w.parts.gossip->close(); }

// --- peers ---

// Those of the configuration; what has no port yet gets that of the first address that we listen at.
std::vector<libp2p::Multiaddr> announced_addresses(const NodeWiring& w) {
  std::vector<libp2p::Multiaddr> out;
  const auto bound = w.parts.host->bound_addresses();
  for (const auto& address : w.config.announce) {
    const auto port = address.value_of(libp2p::multiformats::Protocol::tcp);
    if (port != "0" || bound.empty()) {
      out.push_back(address);
      continue;
    }
    const auto text = address.text();
    const auto real = bound.front().value_of(libp2p::multiformats::Protocol::tcp).value_or("0");
    if (auto whole = libp2p::Multiaddr::from_text(text.substr(0, text.rfind('/') + 1) + real))
      out.push_back(*std::move(whole));
  }
  return out;
}

Result<void> begin_listening(NodeWiring& w) {
  auto& host = *w.parts.host;
  for (const auto& address : w.config.listen)
    if (const auto listening = host.listen(address); !listening)
      return listening.error().within("--p2p.listen.ip, --p2p.listen.tcp");
  for (const auto& address : host.listen_addresses()) w.events.tell(ListeningAt{address});
  if (const auto ips = w.runtime.interface_ips(); !ips) w.events.tell(InterfacesUnreadable{ips.error()});
  w.parts.announced = announced_addresses(w);
  w.parts.identify->set_announced(w.parts.announced);
  return {};
}

Result<void> begin_static_peers(NodeWiring& w) {
  auto& parts = w.parts;
  parts.static_peers = std::make_unique<StaticPeerList>(*parts.host, *parts.writer, parts.static_ids, w.events);
  w.listener.listen_to_static_peers();
  return parts.static_peers->load(w.config.static_peers);
}
// Nobody is dialled again. Who was static stays known for what is told after that.
Task<void> close_static_peers(NodeWiring& w, Nanos) {
  w.parts.static_peers.reset();
  co_return;
}

}  // namespace

NodeSteps node_steps() {
  return {
      {"peer id", begin_node_key, {}, [](NodeWiring& w) { w.parts.host_config.reset(); }},
      {"peerstore", begin_peerstore, close_peerstore, drop_peerstore},
      {"own keys", begin_own_keys},
      {"gaters", begin_gater, {}, drop_gater},
      {"reputation", begin_reputation, close_reputation, drop_reputation},
      {"connection manager", begin_connection_manager},
      {"transports", begin_transports},
      {"host", begin_host, close_host, [](NodeWiring& w) { w.parts.host.reset(); }},
      {"known peers", begin_known_peers, close_known_peers, drop_known_peers},
      {"identify", begin_identify, close_identify, [](NodeWiring& w) { w.parts.identify.reset(); }},
      {"ping", begin_ping, close_ping, [](NodeWiring& w) { w.parts.ping.reset(); }},
      {"gossip", begin_gossip, close_gossip, [](NodeWiring& w) { w.parts.gossip.reset(); }},
      {"chain", begin_chain, close_chain, drop_chain},
      {"block gossip", begin_block_gossip, {}, [](NodeWiring& w) { w.parts.blocks.reset(); }},
      {"topics", begin_topics, leave_topics, drop_topics},
      {"peer monitor", begin_peer_monitor, close_peer_monitor, drop_peer_monitor},
      {"listen addresses", begin_listening},
      {"static peers", begin_static_peers, close_static_peers, [](NodeWiring& w) { w.parts.static_peers.reset(); }},
  };
}

}  // namespace opp2p
