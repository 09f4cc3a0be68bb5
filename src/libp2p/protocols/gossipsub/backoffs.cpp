#include "libp2p/protocols/gossipsub/backoffs.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {

void Backoffs::add(std::string_view topic, const PeerId& peer, Nanos duration, MonoTime now) {
  auto found = topics_.find(topic);
  if (found == topics_.end()) found = topics_.emplace(std::string(topic), ByPeer{}).first;
  auto& by_peer = found->second;
  const MonoTime end = now + duration;
  const auto [at, added] = by_peer.try_emplace(peer, end);
  if (!added) {
    at->second = std::max(at->second, end);
    OPP2P_ASSERT(at->second >= end, "a backoff is prolonged and never shortened", at->second, end);
    return;
  }
  if (by_peer.size() <= max_per_topic_) return;
  by_peer.erase(std::max_element(by_peer.begin(), by_peer.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; }));
}

const MonoTime* Backoffs::end_of(std::string_view topic, const PeerId& peer) const {
  const auto by_peer = topics_.find(topic);
  if (by_peer == topics_.end()) return nullptr;
  const auto found = by_peer->second.find(peer);
  return found == by_peer->second.end() ? nullptr : &found->second;
}

const MonoTime* Backoffs::active(std::string_view topic, const PeerId& peer, MonoTime now) const {
  const MonoTime* end = end_of(topic, peer);
  return end != nullptr && now < *end ? end : nullptr;
}

bool Backoffs::blocks(std::string_view topic, const PeerId& peer, MonoTime now) const {
  const MonoTime* end = end_of(topic, peer);
  return end != nullptr && now < *end + slack_;
}

void Backoffs::forget_expired(MonoTime now) {
  for (auto topic = topics_.begin(); topic != topics_.end();) {
    std::erase_if(topic->second, [&](const auto& entry) { return entry.second + slack_ <= now; });
    topic = topic->second.empty() ? topics_.erase(topic) : std::next(topic);
  }
}

void Backoffs::check() const {
  for (const auto& [topic, by_peer] : topics_) {
    OPP2P_CHECK(by_peer.size() <= max_per_topic_, "backoffs of a topic are bounded", topic, by_peer, max_per_topic_);
    OPP2P_CHECK(!by_peer.empty() || max_per_topic_ == 0, "a topic without backoffs has no row", topic);
  }
}

std::size_t Backoffs::size() const {
  std::size_t count = 0;
  for (const auto& [topic, by_peer] : topics_) count += by_peer.size();
  return count;
}

}  // namespace libp2p::gossipsub
