#include "protocols/gossipsub/seen_cache.hpp"

namespace libp2p::gossipsub {

SeenCache::Entry* SeenCache::find(const MessageId& id, MonoTime now) {
  forget_expired(now);
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

bool SeenCache::add(const MessageId& id, Entry entry, MonoTime now) {
  forget_expired(now);
  bool evicted = false;
  if (entries_.size() >= capacity_ && !by_age_.empty()) {
    entries_.erase(by_age_.front().id);
    by_age_.pop_front();
    evicted = true;
  }
  entries_.emplace(id, entry);
  by_age_.push_back({now + ttl_, id});
  return evicted;
}

void SeenCache::forget_expired(MonoTime now) {
  while (!by_age_.empty() && by_age_.front().expires <= now) {
    entries_.erase(by_age_.front().id);
    by_age_.pop_front();
  }
}

}  // namespace libp2p::gossipsub
