// Peers that are not listened to for a time. To the rest of the router such a peer has the lowest score there is.
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {

void Router::blacklist(const PeerId& id, Now now, std::optional<Nanos> duration) {
  const Entry entry(entered_, kNotFromCallbacks);
  const Nanos length = duration.value_or(params().blacklist_ttl);
  const MonoTime until = length < MonoTime::max() - now.mono ? now.mono + length : MonoTime::max();
  end_blacklisting(blacklist_.add(id, until));
  PeerKey key = 0;
  Peer* const peer = peers_.find(id, &key);
  if (peer == nullptr || peer->blacklisted || !blacklist_.contains(id)) return;
  peer->blacklisted = true;
  promises_.remove_peer(key);  // it could not keep them
  for (auto& [name, topic] : topics_) {
    topic.fanout.erase(key);
    if (topic.mesh.contains(key)) prune(name, topic, key, PruneCause::blacklist, 0, now);
  }
}

void Router::pardon(const PeerId& id) {
  const Entry entry(entered_, kNotFromCallbacks);
  blacklist_.remove(id);
  end_blacklisting({id});
}

void Router::end_blacklisting(const std::vector<PeerId>& peers) {
  for (const PeerId& id : peers) {
    if (Peer* const peer = peers_.find(id)) peer->blacklisted = false;
  }
}

}  // namespace libp2p::gossipsub
