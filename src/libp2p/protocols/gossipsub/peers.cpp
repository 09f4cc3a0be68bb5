#include "libp2p/protocols/gossipsub/peers.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {

Peer* PeerTable::find(const PeerId& id, PeerKey* key) {
  Row* const found = by_id_.find(id);
  if (found == nullptr) return nullptr;
  if (key != nullptr) *key = found->first;
  return &found->second;
}

const Peer* PeerTable::find(const PeerId& id) const {
  const Row* const found = by_id_.find(id);
  return found == nullptr ? nullptr : &found->second;
}

Peer* PeerTable::at(PeerKey key) { return const_cast<Peer*>(std::as_const(*this).at(key)); }

const Peer* PeerTable::at(PeerKey key) const {
  const std::size_t place = place_of(key);
  return place == in_order_.size() ? nullptr : &in_order_[place].row->second;
}

// A place is at most the distance from the first key, and is that where nobody between has gone.
std::size_t PeerTable::place_of(PeerKey key) const {
  const std::size_t none = in_order_.size();
  if (none == 0 || key < in_order_.front().key) return none;
  const auto most = static_cast<std::size_t>(std::min<PeerKey>(key - in_order_.front().key, none - 1));
  if (in_order_[most].key == key) return most;
  const auto end = in_order_.begin() + static_cast<std::ptrdiff_t>(most);
  const auto found =
      std::lower_bound(in_order_.begin(), end, key, [](const Place& at, PeerKey wanted) { return at.key < wanted; });
  return found == end || found->key != key ? none : static_cast<std::size_t>(found - in_order_.begin());
}

PeerKey PeerTable::add(Peer peer) {
  const PeerKey key = next_++;
  const auto row = rows_.emplace_hint(rows_.end(), key, std::move(peer));
  in_order_.push_back({key, &*row});
  const bool is_new = by_id_.insert(*row);
  OPP2P_ASSERT(is_new, "a peer has one row", row->second.id);
  return key;
}

void PeerTable::erase(PeerKey key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return;
  by_id_.erase(found->second.id);
  in_order_.erase(in_order_.begin() + static_cast<std::ptrdiff_t>(place_of(key)));
  rows_.erase(found);
  OPP2P_ASSERT(by_id_.size() == rows_.size() && in_order_.size() == rows_.size(), "a peer has one row", by_id_.size(),
               rows_);
}

void PeerTable::check() const {
  OPP2P_CHECK(by_id_.size() == rows_.size() && in_order_.size() == rows_.size(), "a peer has one row", by_id_.size(),
              rows_);
  auto at = in_order_.begin();
  for (const auto& row : rows_) {
    const auto& [key, peer] = row;
    const Place& place = *at++;
    OPP2P_CHECK(key > 0 && key < next_ && by_id_.find(peer.id) == &row && place.row == &row && place.key == key,
                "keys grow with the arrival of peers and lead to them", peer.id, key, next_);
    OPP2P_CHECK(this->at(key) == &peer, "a peer is found by its key", peer.id, key);
  }
}

}  // namespace libp2p::gossipsub
