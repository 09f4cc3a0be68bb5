// The last messages as they came, with their names: a copy that comes from another peer is told by its bytes, and need
// not be named again, which can mean unpacking and hashing all of it. Owner: the router. Bounds: kItems and kBytes of
// those that were accepted and as many of others; the oldest of the same kind go, so that junk pushes no accepted
// message out.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

class RecentMessages {
 public:
  static constexpr std::size_t kItems = 16;
  static constexpr std::size_t kBytes = 16 << 20;

  // The name of a message that is here, byte for byte; null when it is not.
  const MessageId* find(std::string_view topic, ByteView data) const {
    for (const auto& item : items_) {
      if (item.data.size() != data.size()) continue;
      // Routers in one process share the bytes themselves.
      const bool same = item.data.data() == data.data() || std::memcmp(item.data.data(), data.data(), data.size()) == 0;
      if (same && item.topic == topic) return &item.id;
    }
    return nullptr;
  }

  // False when the message is empty or too large to be remembered.
  bool add(std::string_view topic, const SharedSlice& data, const MessageId& id) {
    if (data.empty() || data.size() > kBytes) return false;
    items_.push_front({std::string(topic), data, id, false});
    others_.add(data.size());
    shrink(others_, false);
    return true;
  }

  // The message was accepted. It is added again when it has gone meanwhile.
  void accept(std::string_view topic, const SharedSlice& data, const MessageId& id) {
    auto found = std::find_if(items_.begin(), items_.end(), [&](const Item& item) { return item.id == id; });
    if (found == items_.end()) {
      if (!add(topic, data, id)) return;
      found = items_.begin();
    }
    if (std::exchange(found->accepted, true)) return;
    const std::size_t size = found->data.size();
    others_.remove(size);
    accepted_.add(size);
    shrink(accepted_, true);
  }

  std::size_t bytes() const { return accepted_.bytes + others_.bytes; }
  std::size_t items() const { return items_.size(); }

  void check() const {
    Kind accepted, others;
    for (const auto& item : items_) {
      OPP2P_CHECK(item.data.owner() != nullptr && !item.data.empty(), "what is remembered has bytes of its own");
      (item.accepted ? accepted : others).add(item.data.size());
    }
    for (const auto& [counted, known] : {std::pair(accepted, accepted_), std::pair(others, others_)}) {
      OPP2P_CHECK(counted.items == known.items && counted.bytes == known.bytes, "messages of each kind are counted",
                  counted.items, known.items, counted.bytes, known.bytes);
      OPP2P_CHECK(known.items <= kItems && known.bytes <= kBytes, "messages of each kind are bounded", known.items,
                  known.bytes);
    }
  }

 private:
  struct Item {
    std::string topic;
    SharedSlice data;
    MessageId id;
    bool accepted = false;
  };
  struct Kind {
    std::size_t items = 0;
    std::size_t bytes = 0;
    void add(std::size_t size) { ++items, bytes += size; }
    void remove(std::size_t size) {
      OPP2P_ASSERT(items > 0 && bytes >= size, "messages of each kind are counted", items, bytes, size);
      --items, bytes -= size;
    }
  };

  void shrink(Kind& kind, bool accepted) {
    while (kind.items > kItems || kind.bytes > kBytes) {
      const auto oldest =
          std::find_if(items_.rbegin(), items_.rend(), [&](const Item& item) { return item.accepted == accepted; });
      OPP2P_ASSERT(oldest != items_.rend(), "messages of each kind are counted", kind.items, kind.bytes);
      kind.remove(oldest->data.size());
      items_.erase(std::next(oldest).base());
    }
  }

  std::deque<Item> items_;  // the newest first
  Kind accepted_;
  Kind others_;
};

}  // namespace libp2p::gossipsub
