// PRUNE out, and peer exchange both ways (gossipsub v1.1, "PRUNE Backoff and Peer Exchange"): who is pruned because a
// mesh is full, or because we leave the topic, is told of other peers that are in it.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {

void Router::send_prune(PeerKey key, Peer& peer, std::string_view name, const Topic& topic, Nanos backoff,
                        Exchange exchange) {
  std::optional<std::uint64_t> seconds;
  std::vector<NamedPeer> peers;
  if (peer.reads_backoff()) {
    seconds = static_cast<std::uint64_t>(std::chrono::ceil<Seconds>(backoff).count());
    if (exchange == Exchange::allowed) peers = peers_to_name(key, peer, topic);
  }
  peer.outbox.prune(name, seconds, std::move(peers));
  say_ready(peer);
}

// Peers of good standing, at random. Whose score is negative learns of nobody.
std::vector<NamedPeer> Router::peers_to_name(PeerKey key, const Peer& peer, const Topic& topic) {
  const MeshParams& mesh = params().mesh;
  if (!mesh.peer_exchange || score_of(peer) < 0) return {};
  const auto fits = [&](PeerKey other, const Peer& known) { return other != key && score_of(known) >= 0; };
  std::vector<NamedPeer> named;
  for (const PeerKey other : pick(topic, mesh.prune_peers, fits)) {
    NamedPeer& entry = named.emplace_back(NamedPeer{peers_.at(other)->id});
    if (config_.signed_record) entry.record = config_.signed_record(entry.peer);
    if (entry.record.size() > mesh.max_named_record) entry.record.clear();
  }
  OPP2P_ASSERT(named.size() <= mesh.prune_peers, "a PRUNE names a bounded number of peers", named);
  counters_.peers_named += named.size();
  return named;
}

// At random, if they are too many. Only somebody of high standing may make us dial.
void Router::take_named_peers(Peer& peer, const Prune& prune) {
  const MeshParams& mesh = params().mesh;
  std::vector<PeerInfo> named = prune.peers;
  const double score = score_of(peer);
  const std::size_t most = score < 0 || score < params().thresholds.accept_px
                               ? 0
                               : std::min(mesh.prune_peers, mesh.max_named_taken - peer.named_taken);
  if (named.size() > most) {
    counters_.peers_not_taken += named.size() - most;
    if (most != 0) rng_.shuffle(named);
    named.resize(most);
  }
  peer.named_taken += named.size();
  for (const PeerInfo& info : named) {
    auto id = PeerId::from_bytes(info.peer_id.value_or(ByteView()));
    if (!id || peers_.find(*id) != nullptr) continue;
    ++counters_.peers_taken;
    Connect& connect = std::get<Connect>(actions_.push_back(Connect{std::move(*id), peer.id}));
    if (info.signed_peer_record) connect.record = to_bytes(*info.signed_peer_record);
  }
}

}  // namespace libp2p::gossipsub
