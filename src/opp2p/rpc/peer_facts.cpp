#include "opp2p/rpc/peer_facts.hpp"

namespace opp2p {

PeerKnowledge know_peer(const NodeApi& api, const libp2p::PeerId& peer, std::size_t events) {
  PeerKnowledge out;
  out.now = api.runtime.now().wall;
  auto& host = api.node.host();
  auto& facts = out.facts;
  facts.peer = peer;
  facts.is_self = peer == host.id();
  facts.connected = host.connected(peer);
  facts.is_static = api.node.view().is_static(peer);
  facts.is_protected = host.is_protected(peer);
  const auto& ports = api.ports;
  if (ports.gating != nullptr) facts.blocked = ports.gating->is_blocked(peer);
  if (ports.reputation != nullptr) {
    facts.ban = ports.reputation->ban_of(peer);
    facts.kept_out = ports.reputation->kept_out(peer);
    facts.faults = ports.reputation->faults_of(peer);
    out.standing = ports.reputation->standing_of(peer);
    facts.thresholds = out.standing.thresholds;
    if (out.standing.live) facts.score = out.standing.live->score;
  }
  if (ports.peers != nullptr) facts.timeline = ports.peers->timeline(peer, events);
  return out;
}

}  // namespace opp2p
