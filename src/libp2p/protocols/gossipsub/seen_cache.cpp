#include "libp2p/protocols/gossipsub/seen_cache.hpp"

#include <algorithm>

namespace libp2p::gossipsub {
namespace {

// A full cache looks at all owners for what has expired no more often than this.
constexpr Nanos kSweepInterval = Millis(100);

}  // namespace

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
    if (now >= swept_ + kSweepInterval) forget_expired(now);
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
  append(node);
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
  append(node);
}

template <class Change>
void SeenCache::change(const Node& node, Change how) {
  if (node.accepted) return how(accepted_);
  List& list = node.owner->second;
  if (list.size > 0) by_size_.erase(node.owner);
  how(list);
  if (list.size > 0) by_size_.insert(node.owner);
}

void SeenCache::append(Node& node) {
  change(node, [&node](List& list) {
    node.older = list.last;
    node.newer = nullptr;
    (list.last != nullptr ? list.last->newer : list.first) = &node;
    list.last = &node;
    ++list.size;
  });
}

void SeenCache::unlink(Node& node) {
  change(node, [&node](List& list) {
    (node.older != nullptr ? node.older->newer : list.first) = node.newer;
    (node.newer != nullptr ? node.newer->older : list.last) = node.older;
    --list.size;
  });
}

void SeenCache::forget(Node& node) {
  unlink(node);
  entries_.erase(entries_.find(*node.id));
}

void SeenCache::evict_oldest() {
  if (Node* oldest = by_size_.empty() ? accepted_.first : (*by_size_.rbegin())->second.first) forget(*oldest);
}

void SeenCache::expire(List& list, MonoTime now) {
  while (list.first != nullptr && list.first->expires <= now) forget(*list.first);
}

void SeenCache::forget_expired(MonoTime now) {
  swept_ = now;
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
  const auto with_entry =
      std::count_if(owners_.begin(), owners_.end(), [](const auto& owner) { return owner.second.size > 0; });
  return right && static_cast<std::size_t>(with_entry) == by_size_.size() && listed == entries_.size() &&
         listed <= capacity_;
}

}  // namespace libp2p::gossipsub
