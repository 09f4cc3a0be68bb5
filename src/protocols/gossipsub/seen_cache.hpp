// Which messages were met before, and what became of them: this is what ends every loop, for there is no hop count on the
// wire. An entry lives for the TTL from the first sight, whatever is heard of it later. Owned by the router; bounded in
// items, the oldest goes first.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>

#include "base/time.hpp"
#include "protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

enum class SeenState : std::uint8_t { validating, delivered, rejected, ignored };

class SeenCache {
 public:
  struct Entry {
    SeenState state = SeenState::validating;
    std::uint64_t request = 0;  // of the validation that runs, while it runs
  };

  SeenCache(Nanos ttl, std::size_t capacity, std::uint64_t secret)
      : ttl_(ttl), capacity_(capacity), entries_(0, MessageIdHash{secret}) {}

  // The live entry, or null.
  Entry* find(const MessageId& id, MonoTime now);
  bool contains(const MessageId& id, MonoTime now) { return find(id, now) != nullptr; }
  // `id` must not be there. Answers whether an older entry had to go before its time.
  bool add(const MessageId& id, Entry entry, MonoTime now);
  void forget_expired(MonoTime now);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Age {
    MonoTime expires;
    MessageId id;
  };

  Nanos ttl_;
  std::size_t capacity_;
  std::unordered_map<MessageId, Entry, MessageIdHash> entries_;  // never iterated
  std::deque<Age> by_age_;
};

}  // namespace libp2p::gossipsub
