#include "protocols/gossipsub/seen_cache.hpp"

#include <algorithm>

namespace libp2p::gossipsub {

const SeenCache::Entry* SeenCache::find(const MessageId& id, MonoTime now) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return nullptr;
  if (found->second.expires > now) return &found->second.entry;
  forget(found->second);
  return nullptr;
}

bool SeenCache::add(const MessageId& id, Entry entry, MonoTime now, std::string_view owner) {
  bool evicted = false;
  if (entries_.size() >= capacity_) {
    forget_expired(now);
    if (evicted = entries_.size() >= capacity_; evicted) evict_oldest();
  }
  auto at = owners_.find(owner);
  if (at == owners_.end()) at = owners_.emplace(std::string(owner), List{}).first;
  const auto place = entries_.try_emplace(id).first;
  Node& node = place->second;
  node.entry = entry;
  node.expires = now + ttl_;
  node.id = &place->first;
  node.owner = at;
  node.accepted = entry.state == SeenState::delivered;
  append(list_of(node), node);
  return evicted;
}

void SeenCache::set(const MessageId& id, Entry entry) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Node& node = found->second;
  node.entry = entry;
  if (node.accepted || entry.state != SeenState::delivered) return;
  unlink(node);
  node.accepted = true;
  append(accepted_, node);
}

void SeenCache::append(List& list, Node& node) {
  node.older = list.last;
  node.newer = nullptr;
  (list.last != nullptr ? list.last->newer : list.first) = &node;
  list.last = &node;
  ++list.size;
}

void SeenCache::unlink(Node& node) {
  List& list = list_of(node);
  (node.older != nullptr ? node.older->newer : list.first) = node.newer;
  (node.newer != nullptr ? node.newer->older : list.last) = node.older;
  --list.size;
}

void SeenCache::forget(Node& node) {
  unlink(node);
  entries_.erase(entries_.find(*node.id));
}

void SeenCache::evict_oldest() {
  const auto most = std::max_element(owners_.begin(), owners_.end(),
                                     [](const auto& a, const auto& b) { return a.second.size < b.second.size; });
  const bool only_accepted = most == owners_.end() || most->second.size == 0;
  if (Node* oldest = only_accepted ? accepted_.first : most->second.first) forget(*oldest);
}

void SeenCache::expire(List& list, MonoTime now) {
  while (list.first != nullptr && list.first->expires <= now) forget(*list.first);
}

void SeenCache::forget_expired(MonoTime now) {
  expire(accepted_, now);
  for (auto at = owners_.begin(); at != owners_.end();) {
    expire(at->second, now);
    at = at->second.size == 0 ? owners_.erase(at) : std::next(at);
  }
}

bool SeenCache::consistent() const {
  std::size_t listed = 0;
  const auto holds = [&](const List& list, bool accepted) {
    std::size_t size = 0;
    for (const Node* node = list.first; node != nullptr; node = node->newer) {
      if (node->accepted != accepted || (!accepted && &node->owner->second != &list)) return false;
      if ((node->newer == nullptr) != (node == list.last) || !entries_.contains(*node->id)) return false;
      ++size;
    }
    listed += size;
    return size == list.size;
  };
  bool right = holds(accepted_, true);
  for (const auto& [owner, list] : owners_) right = right && holds(list, false);
  return right && listed == entries_.size() && listed <= capacity_;
}

}  // namespace libp2p::gossipsub
