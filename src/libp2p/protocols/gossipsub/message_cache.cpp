#include "libp2p/protocols/gossipsub/message_cache.hpp"

namespace libp2p::gossipsub {

std::vector<MessageId> MessageCache::put(const MessageId& id, std::string_view topic, const SharedMessage& message) {
  std::vector<MessageId> dropped;
  if (serials_.contains(id)) return dropped;
  const std::size_t size = message.frame_size();
  if (size > max_bytes_) return {id};
  while (bytes_ + size > max_bytes_) dropped.push_back(drop_oldest());
  serials_.emplace(id, first_ + entries_.size());
  entries_.push_back({id, std::string(topic), message, window_});
  bytes_ += size;
  return dropped;
}

const MessageCache::Entry* MessageCache::find(const MessageId& id) const {
  const auto found = serials_.find(id);
  return found == serials_.end() ? nullptr : &entries_[static_cast<std::size_t>(found->second - first_)];
}

std::vector<MessageId> MessageCache::gossip_ids(std::string_view topic) const {
  std::vector<MessageId> ids;
  for (const auto& entry : entries_) {
    if (window_ - entry.window < gossip_ && entry.topic == topic) ids.push_back(entry.id);
  }
  return ids;
}

std::vector<MessageId> MessageCache::shift() {
  ++window_;
  std::vector<MessageId> expired;
  while (!entries_.empty() && window_ - entries_.front().window >= history_) expired.push_back(drop_oldest());
  return expired;
}

MessageId MessageCache::drop_oldest() {
  const MessageId id = entries_.front().id;
  bytes_ -= entries_.front().message.frame_size();
  serials_.erase(id);
  entries_.pop_front();
  ++first_;
  return id;
}

}  // namespace libp2p::gossipsub
