// The partial messages that wait to be sent to one peer, each a frame of its own. Of metadata
// without a message only the newest of a group waits. Owned by the outbox of the peer.
// Bounds: items and bytes; the oldest goes first, and is told, so that the group can be told anew.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/bytes.hpp"

namespace libp2p::gossipsub {

class PartialOutbox {
 public:
  struct Item {
    std::string topic;
    Bytes group;
    SharedBytes frame;
    bool has_message = false;
  };

  // Answers what had to go for it; that can be itself.
  std::vector<Item> push(Item item, std::size_t max_items, std::size_t max_bytes);
  bool empty() const { return items_.empty(); }
  // The oldest. Not on an empty outbox.
  SharedBytes take_front();
  std::size_t front_size() const;
  void clear();

  std::size_t items() const { return items_.size(); }
  std::size_t bytes() const { return bytes_; }
  void check() const;

 private:
  std::deque<Item> items_;
  std::size_t bytes_ = 0;
};

}  // namespace libp2p::gossipsub
