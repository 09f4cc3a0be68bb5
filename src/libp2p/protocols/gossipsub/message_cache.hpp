// The messages of the last heartbeats: what IHAVE advertises and IWANT gets (gossipsub v1.0, "Message Cache"). Owned by
// the router. Bounded in windows and in bytes of frames; the oldest goes first.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/protocols/gossipsub/id_table.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

class MessageCache {
 public:
  struct Entry {
    MessageId id;
    std::string topic;
    SharedMessage message;
    std::uint64_t window = 0;
  };

  // `gossip` of the `history` windows are advertised. `secret` keeps strangers from choosing where their messages land
  // in the table.
  MessageCache(std::size_t gossip, std::size_t history, std::size_t max_bytes, std::uint64_t secret)
      : gossip_(gossip), history_(history), max_bytes_(max_bytes), serials_(secret) {}

  // Answers the ids that had to go for the bound in bytes; a message above that bound is not kept at all.
  std::vector<MessageId> put(const MessageId& id, std::string_view topic, const SharedMessage& message);
  const Entry* find(const MessageId& id) const;
  // Ids of the topic in the advertised windows, oldest first.
  std::vector<MessageId> gossip_ids(std::string_view topic) const;
  // A heartbeat has passed: the next window begins. Answers the ids that are too old now.
  std::vector<MessageId> shift();

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  void check() const;

 private:
  MessageId drop_oldest();

  std::size_t gossip_;
  std::size_t history_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t window_ = 0;
  std::uint64_t first_ = 0;  // serial of entries_.front()
  std::deque<Entry> entries_;
  IdTable<std::uint64_t> serials_;
};

}  // namespace libp2p::gossipsub
