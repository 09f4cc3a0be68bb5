// The ids that a node's peers had when they connected: a peer that takes a new one is known by the old one until its
// connection ends. One block of memory, in the order of the members. Owner: a node. Bounds: its connections.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

class IdsOfPeers {
 public:
  // Null for who is not there.
  const PeerId* find(Member peer) const {
    const auto at = place(peer);
    return at != ids_.end() && at->first == peer ? &at->second : nullptr;
  }
  void put(Member peer, PeerId id) { ids_.insert(place(peer), {peer, std::move(id)}); }  // who is not there
  void erase(Member peer) { ids_.erase(place(peer)); }                                   // who is
  std::size_t size() const { return ids_.size(); }
  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }

 private:
  std::vector<std::pair<Member, PeerId>>::const_iterator place(Member peer) const {
    return std::lower_bound(ids_.begin(), ids_.end(), peer,
                            [](const auto& entry, Member wanted) { return entry.first < wanted; });
  }
  std::vector<std::pair<Member, PeerId>> ids_;
};

}  // namespace opp2p::sim::gossip
