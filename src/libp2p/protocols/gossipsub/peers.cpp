#include "libp2p/protocols/gossipsub/peers.hpp"

namespace libp2p::gossipsub {

Peer* PeerTable::find(const PeerId& id, PeerKey* key) {
  const auto found = keys_.find(id);
  if (found == keys_.end()) return nullptr;
  if (key != nullptr) *key = found->second;
  return at(found->second);
}

const Peer* PeerTable::find(const PeerId& id) const {
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : at(found->second);
}

Peer* PeerTable::at(PeerKey key) {
  const auto found = rows_.find(key);
  return found == rows_.end() ? nullptr : &found->second;
}

const Peer* PeerTable::at(PeerKey key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? nullptr : &found->second;
}

PeerKey PeerTable::add(Peer peer) {
  const PeerKey key = next_++;
  keys_.emplace(peer.id, key);
  rows_.emplace(key, std::move(peer));
  return key;
}

void PeerTable::erase(PeerKey key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return;
  keys_.erase(found->second.id);
  rows_.erase(found);
}

}  // namespace libp2p::gossipsub
