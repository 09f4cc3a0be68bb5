// A map that holds at most `capacity` entries and drops the one that was used least recently. Iteration is from the
// most to the least recently used, so it is the same in every run whatever the keys hash to.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

// The value of a map that is used as a set.
struct NoValue {};

template <class Key, class Value, class Hash = std::hash<Key>>
class LruMap {
 public:
  using Entry = std::pair<const Key, Value>;

  explicit LruMap(std::size_t capacity) : capacity_(capacity) {}

  // The value, now the most recently used; null when there is none.
  Value* get(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }

  // The value without touching the order.
  const Value* peek(const Key& key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }

  bool contains(const Key& key) const { return index_.contains(key); }

  // Sets the value and makes it the most recently used. Answers the entry that had to go, if one had.
  std::optional<std::pair<Key, Value>> put(Key key, Value value) {
    if (auto* present = get(key)) {
      *present = std::move(value);
      return std::nullopt;
    }
    order_.emplace_front(std::move(key), std::move(value));
    index_.emplace(order_.front().first, order_.begin());
    if (order_.size() <= capacity_) return std::nullopt;
    std::pair<Key, Value> evicted(order_.back().first, std::move(order_.back().second));
    index_.erase(evicted.first);
    order_.pop_back();
    OPP2P_ASSERT(order_.size() <= capacity_ && index_.size() == order_.size(), "the map holds at most its capacity",
                 order_, index_, capacity_);
    return evicted;
  }

  bool erase(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return false;
    order_.erase(found->second);
    index_.erase(found);
    return true;
  }

  void clear() {
    index_.clear();
    order_.clear();
  }

  std::size_t size() const { return order_.size(); }
  bool empty() const { return order_.empty(); }
  std::size_t capacity() const { return capacity_; }
  auto begin() const { return order_.begin(); }
  auto end() const { return order_.end(); }

  void check() const {
    OPP2P_CHECK(order_.size() <= capacity_, "the map holds at most its capacity", order_, capacity_);
    OPP2P_CHECK(index_.size() == order_.size(), "order and index hold the same entries", order_, index_);
    for (auto entry = order_.begin(); entry != order_.end(); ++entry) {
      const auto found = index_.find(entry->first);
      OPP2P_CHECK(found != index_.end() && &*found->second == &*entry, "the index leads to each entry", order_);
    }
  }

 private:
  std::size_t capacity_;
  std::list<Entry> order_;
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> index_;
};

}  // namespace libp2p
