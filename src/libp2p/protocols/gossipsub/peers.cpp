#include "libp2p/protocols/gossipsub/peers.hpp"

#include "libp2p/base/assert.hpp"

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
  const bool is_new = keys_.emplace(peer.id, key).second;
  OPP2P_ASSERT(is_new, "a peer has one row", peer.id);
  rows_.emplace(key, std::move(peer));
  return key;
}

void PeerTable::erase(PeerKey key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return;
  keys_.erase(found->second.id);
  rows_.erase(found);
  OPP2P_ASSERT(keys_.size() == rows_.size(), "a peer has one row", keys_, rows_);
}

void PeerTable::check() const {
  OPP2P_CHECK(keys_.size() == rows_.size(), "a peer has one row", keys_, rows_);
  for (const auto& [key, peer] : rows_) {
    const auto found = keys_.find(peer.id);
    OPP2P_CHECK(key > 0 && key < next_ && found != keys_.end() && found->second == key,
                "keys grow with the arrival of peers and lead to them", peer.id, key, next_);
  }
}

}  // namespace libp2p::gossipsub
