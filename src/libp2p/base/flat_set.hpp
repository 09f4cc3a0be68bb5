// A set in one sorted block of memory: iteration is in order and as fast as that of a vector, a look-up is a binary
// search, and a change moves what comes after it. For sets that are read far more often than they change, or whose new
// members are mostly the largest. A change makes iterators invalid.
//
// Owner: whoever has it. Thread: its. Bounds: its owner's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

namespace libp2p {

template <class Key>
class FlatSet {
 public:
  using value_type = Key;
  using const_iterator = typename std::vector<Key>::const_iterator;
  using iterator = const_iterator;

  FlatSet() = default;
  FlatSet(std::initializer_list<Key> keys) { insert(keys.begin(), keys.end()); }

  std::pair<const_iterator, bool> insert(const Key& key) {
    const auto at = lower_bound(key);
    if (at != keys_.end() && *at == key) return {at, false};
    return {keys_.insert(at, key), true};
  }
  template <class From>
  void insert(From begin, From end) {
    for (; begin != end; ++begin) insert(*begin);
  }
  std::size_t erase(const Key& key) {
    const auto at = lower_bound(key);
    if (at == keys_.end() || *at != key) return 0;
    keys_.erase(at);
    return 1;
  }
  void clear() { keys_.clear(); }

  bool contains(const Key& key) const {
    const auto at = lower_bound(key);
    return at != keys_.end() && *at == key;
  }
  const_iterator begin() const { return keys_.begin(); }
  const_iterator end() const { return keys_.end(); }
  std::size_t size() const { return keys_.size(); }
  bool empty() const { return keys_.empty(); }

  template <class Condition>
  friend std::size_t erase_if(FlatSet& set, Condition condition) {
    return std::erase_if(set.keys_, condition);
  }
  friend bool operator==(const FlatSet&, const FlatSet&) = default;

 private:
  const_iterator lower_bound(const Key& key) const {
    // What is larger than all is common, and needs no search.
    if (keys_.empty() || keys_.back() < key) return keys_.end();
    return std::lower_bound(keys_.begin(), keys_.end(), key);
  }

  std::vector<Key> keys_;
};

}  // namespace libp2p
