#include "libp2p/protocols/gossipsub/blacklist.hpp"

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {

std::vector<PeerId> Blacklist::add(const PeerId& peer, MonoTime until) {
  const auto found = ends_.find(peer);
  if (found != ends_.end()) {
    if (found->second >= until) return {};
    remove(peer);
  }
  ends_.emplace(peer, until);
  by_end_.emplace(until, peer);
  std::vector<PeerId> dropped;
  while (ends_.size() > capacity_) {
    dropped.push_back(by_end_.begin()->second);
    remove(dropped.back());
  }
  return dropped;
}

void Blacklist::remove(const PeerId& peer) {
  const auto found = ends_.find(peer);
  if (found == ends_.end()) return;
  by_end_.erase({found->second, peer});
  ends_.erase(found);
}

std::vector<PeerId> Blacklist::take_expired(MonoTime now) {
  std::vector<PeerId> expired;
  while (!by_end_.empty() && by_end_.begin()->first <= now) {
    expired.push_back(by_end_.begin()->second);
    remove(expired.back());
  }
  return expired;
}

void Blacklist::check() const {
  OPP2P_CHECK(ends_.size() == by_end_.size() && ends_.size() <= capacity_,
              "a blacklist is bounded, and each peer is once in it", ends_, by_end_);
  for (const auto& [peer, end] : ends_)
    OPP2P_CHECK(by_end_.contains({end, peer}), "a blacklisted peer has its end", peer);
}

}  // namespace libp2p::gossipsub
