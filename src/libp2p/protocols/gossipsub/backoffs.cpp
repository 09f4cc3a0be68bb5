#include "libp2p/protocols/gossipsub/backoffs.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {

// The row of the peer, which ends at `end` or later. One that was over begins anew.
Backoffs::Entry& Backoffs::put(std::string_view topic, const PeerId& peer, MonoTime end, MonoTime now) {
  auto found = topics_.find(topic);
  if (found == topics_.end()) found = topics_.emplace(std::string(topic), ByPeer{}).first;
  Entry& entry = found->second[peer];
  if (entry.end <= now) entry = Entry{};
  changes_ += entry.end < end;
  entry.end = std::max(entry.end, end);
  OPP2P_ASSERT(entry.end >= end, "a backoff is prolonged and never shortened", entry.end, end);
  return entry;
}

void Backoffs::bound(ByPeer& by_peer) const {
  if (by_peer.size() <= max_per_topic_) return;
  by_peer.erase(std::max_element(by_peer.begin(), by_peer.end(),
                                 [](const auto& a, const auto& b) { return a.second.end < b.second.end; }));
}

void Backoffs::add(std::string_view topic, const PeerId& peer, Nanos duration, MonoTime now) {
  put(topic, peer, now + duration, now).told = now;
  bound(topics_.find(topic)->second);
}

void Backoffs::restore(const BackoffLeft& backoff, MonoTime now) {
  put(backoff.topic, backoff.peer, now + backoff.left - slack_, now).told = MonoTime::min();
  bound(topics_.find(backoff.topic)->second);
}

bool Backoffs::excuse(std::string_view topic, const PeerId& peer, MonoTime connected, MonoTime now) {
  const auto by_peer = topics_.find(topic);
  if (by_peer == topics_.end()) return false;
  const auto found = by_peer->second.find(peer);
  if (found == by_peer->second.end()) return false;
  Entry& entry = found->second;
  if (now >= entry.end || entry.told >= connected || entry.excused >= kMostExcused) return false;
  entry.told = now;
  ++entry.excused;
  return true;
}

std::vector<BackoffLeft> Backoffs::left(MonoTime now) const {
  std::vector<BackoffLeft> out;
  for (const auto& [topic, by_peer] : topics_) {
    for (const auto& [peer, entry] : by_peer)
      if (now < entry.end + slack_) out.push_back({topic, peer, entry.end + slack_ - now});
  }
  return out;
}

const Backoffs::Entry* Backoffs::find(std::string_view topic, const PeerId& peer) const {
  const auto by_peer = topics_.find(topic);
  if (by_peer == topics_.end()) return nullptr;
  const auto found = by_peer->second.find(peer);
  return found == by_peer->second.end() ? nullptr : &found->second;
}

const MonoTime* Backoffs::active(std::string_view topic, const PeerId& peer, MonoTime now) const {
  const Entry* const entry = find(topic, peer);
  return entry != nullptr && now < entry->end ? &entry->end : nullptr;
}

bool Backoffs::blocks(std::string_view topic, const PeerId& peer, MonoTime now) const {
  const Entry* const entry = find(topic, peer);
  return entry != nullptr && now < entry->end + slack_;
}

void Backoffs::forget_expired(MonoTime now) {
  for (auto topic = topics_.begin(); topic != topics_.end();) {
    std::erase_if(topic->second, [&](const auto& entry) { return entry.second.end + slack_ <= now; });
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
