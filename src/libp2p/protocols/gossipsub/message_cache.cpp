#include "libp2p/protocols/gossipsub/message_cache.hpp"

#include <iterator>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {

std::vector<MessageId> MessageCache::put(const MessageId& id, std::string_view topic, const SharedMessage& message) {
  const std::size_t size = message.frame_size();
  if (size > max_bytes_) return serials_.contains(id) ? std::vector<MessageId>() : std::vector<MessageId>{id};
  // The serial number stays the right one when messages at the front go.
  std::vector<MessageId> dropped;
  if (!serials_.try_emplace(id, first_ + entries_.size()).second) return dropped;
  while (bytes_ + size > max_bytes_) dropped.push_back(drop_oldest());
  entries_.push_back({id, std::string(topic), message, window_});
  bytes_ += size;
  OPP2P_ASSERT(bytes_ <= max_bytes_, "the message cache is bounded in bytes", bytes_, max_bytes_);
  return dropped;
}

const MessageCache::Entry* MessageCache::find(const MessageId& id) const {
  const std::uint64_t* const serial = serials_.find(id);
  if (serial == nullptr) return nullptr;
  const Entry& entry = entries_[static_cast<std::size_t>(*serial - first_)];
  OPP2P_ASSERT(entry.id == id, "a serial number leads to the message that it was given to", *serial, first_);
  return &entry;
}

std::vector<MessageId> MessageCache::gossip_ids(std::string_view topic) const {
  std::vector<MessageId> ids;
  auto at = entries_.end();
  while (at != entries_.begin() && window_ - std::prev(at)->window < gossip_) --at;
  for (; at != entries_.end(); ++at) {
    if (at->topic == topic) ids.push_back(at->id);
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
  OPP2P_ASSERT(!entries_.empty(), "what is over the bound of the cache is in it", bytes_);
  const MessageId id = entries_.front().id;
  OPP2P_ASSERT(bytes_ >= entries_.front().message.frame_size(), "the cache counts the bytes of each message", bytes_);
  bytes_ -= entries_.front().message.frame_size();
  serials_.erase(id);
  entries_.pop_front();
  ++first_;
  return id;
}

void MessageCache::check() const {
  serials_.check();
  OPP2P_CHECK(serials_.size() == entries_.size(), "each message is in the cache once", serials_, entries_);
  std::size_t bytes = 0;
  std::uint64_t serial = first_;
  std::uint64_t window = 0;
  for (const auto& entry : entries_) {
    const std::uint64_t* const known = serials_.find(entry.id);
    OPP2P_CHECK(known != nullptr && *known == serial, "a message is found by its id", serial);
    OPP2P_CHECK(entry.window >= window && entry.window <= window_, "the oldest message is first", entry.window, window);
    OPP2P_CHECK(window_ - entry.window < history_ || window_ == entry.window, "what is too old is gone", entry.window,
                window_);
    window = entry.window;
    bytes += entry.message.frame_size();
    ++serial;
  }
  OPP2P_CHECK(bytes == bytes_ && bytes <= max_bytes_, "the message cache is bounded in bytes", bytes, bytes_);
}

}  // namespace libp2p::gossipsub
