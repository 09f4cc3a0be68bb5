#include "libp2p/protocols/gossipsub/partial_outbox.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {

std::vector<PartialOutbox::Item> PartialOutbox::push(Item item, std::size_t max_items, std::size_t max_bytes) {
  OPP2P_ASSERT(item.frame != nullptr && !item.frame->empty(), "a partial message has a frame");
  bytes_ += item.frame->size();
  const auto is_older = [&](const Item& waiting) {
    return !waiting.has_message && waiting.topic == item.topic && waiting.group == item.group;
  };
  if (!item.has_message) {
    const auto older = std::find_if(items_.begin(), items_.end(), is_older);
    if (older != items_.end()) {  // the newest word has to be the last
      bytes_ -= older->frame->size();
      items_.erase(older);
    }
  }
  items_.push_back(std::move(item));
  std::vector<Item> dropped;
  while (items_.size() > max_items || bytes_ > max_bytes) {
    bytes_ -= items_.front().frame->size();
    dropped.push_back(std::move(items_.front()));
    items_.pop_front();
  }
  return dropped;
}

std::size_t PartialOutbox::front_size() const {
  OPP2P_ASSERT(!items_.empty(), "an outbox that is asked has something");
  return items_.front().frame->size();
}

SharedBytes PartialOutbox::take_front() {
  OPP2P_ASSERT(!items_.empty(), "what is taken out of an outbox is in it");
  SharedBytes frame = std::move(items_.front().frame);
  bytes_ -= frame->size();
  items_.pop_front();
  return frame;
}

void PartialOutbox::clear() {
  items_.clear();
  bytes_ = 0;
}

void PartialOutbox::check() const {
  std::size_t bytes = 0;
  for (const Item& item : items_) bytes += item.frame->size();
  OPP2P_CHECK(bytes == bytes_, "the bytes of partial messages that wait are counted", bytes, bytes_);
}

}  // namespace libp2p::gossipsub
