// The last messages as they came, with their names: a copy that comes from another peer is told by its bytes, and need not be
// named again, which can mean unpacking and hashing all of it. Owner: the router. Bounds: kItems and kBytes; the oldest go.
#pragma once

#include <cstring>
#include <deque>
#include <string>

#include "protocols/gossipsub/frame.hpp"
#include "protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

class RecentMessages {
 public:
  static constexpr std::size_t kItems = 16;
  static constexpr std::size_t kBytes = 16 << 20;

  // The name of a message that is here, byte for byte; null when it is not.
  const MessageId* find(std::string_view topic, ByteView data) const {
    for (const auto& item : items_) {
      if (item.data.view.size() == data.size() && item.topic == topic &&
          std::memcmp(item.data.view.data(), data.data(), data.size()) == 0)
        return &item.id;
    }
    return nullptr;
  }

  void add(std::string_view topic, const SharedSlice& data, const MessageId& id) {
    if (data.view.empty() || data.view.size() > kBytes) return;
    bytes_ += data.view.size();
    items_.push_front({std::string(topic), data, id});
    while (items_.size() > kItems || bytes_ > kBytes) {
      bytes_ -= items_.back().data.view.size();
      items_.pop_back();
    }
  }

  std::size_t bytes() const { return bytes_; }

 private:
  struct Item {
    std::string topic;
    SharedSlice data;
    MessageId id;
  };
  std::deque<Item> items_;
  std::size_t bytes_ = 0;
};

}  // namespace libp2p::gossipsub
