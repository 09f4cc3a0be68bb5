// A hash table from message ids to small values, in one block of memory: no allocation for an entry, and the ids stand
// where they are compared. An entry that is erased is filled by those that were pushed on by it, so nothing is left of
// it. Without an order: what is done for each entry must not depend on one. boost::unordered_flat_map in its place took
// 1.4 KB more for a peer at rest (its least block has 15 places, this one's 8), and 5% more time of a simulated
// network.
//
// Owner: whoever has it. Thread: its. Bounds: its owner's. It has at most two thirds of its places in use; the block
// goes when the table is empty and had more than kKept places. `secret` keeps strangers from choosing where their ids
// land; a table that holds a few hundred entries at most does without one, since that bounds the longest search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

template <class Value>
class IdTable {
 public:
  explicit IdTable(std::uint64_t secret = 0) : hash_{secret} {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Null when the id is not there. Valid until the next change.
  Value* find(const MessageId& id) { return const_cast<Value*>(std::as_const(*this).find(id)); }
  const Value* find(const MessageId& id) const {
    if (size_ == 0) return nullptr;
    const std::size_t at = place_of(id, hash_(id));
    return places_[at].mark != 0 ? &places_[at].value : nullptr;
  }
  bool contains(const MessageId& id) const { return find(id) != nullptr; }

  // The value, and whether it is new: then it is `value`.
  std::pair<Value*, bool> try_emplace(const MessageId& id, Value value) {
    if (3 * (size_ + 1) > 2 * places_.size()) grow();
    const std::size_t hash = hash_(id);
    Place& at = places_[place_of(id, hash)];
    if (at.mark != 0) return {&at.value, false};
    at = {id, mark_of(hash), std::move(value)};
    ++size_;
    return {&at.value, true};
  }

  bool erase(const MessageId& id) {
    if (size_ == 0) return false;
    const std::size_t at = place_of(id, hash_(id));
    if (places_[at].mark == 0) return false;
    erase_place(at);
    give_back();
    return true;
  }

  // Erases the entries whose value meets the condition.
  template <class Condition>
  void erase_if(Condition condition) {
    if (size_ == 0) return;
    // An erased place is filled from further on, so it is looked at again. What comes round from the first places has
    // been looked at and is kept.
    for (std::size_t at = 0; at < places_.size(); ++at) {
      while (places_[at].mark != 0 && condition(std::as_const(places_[at].value))) erase_place(at);
    }
    give_back();
  }

  template <class Function>
  void for_each(Function function) const {
    for (const Place& place : places_) {
      if (place.mark != 0) function(place.id, place.value);
    }
  }

  void check() const {
    std::size_t used = 0;
    for (std::size_t at = 0; at < places_.size(); ++at) {
      if (places_[at].mark == 0) continue;
      ++used;
      OPP2P_CHECK(place_of(places_[at].id, hash_(places_[at].id)) == at, "an entry is found by its id", at, size_);
    }
    OPP2P_CHECK(used == size_, "a table counts its entries", used, size_);
    OPP2P_CHECK(places_.empty() || 3 * size_ <= 2 * places_.size(), "a table has places to spare", size_, places_);
  }

 private:
  static constexpr std::size_t kFirst = 8;  // places
  static constexpr std::size_t kKept = 16;

  struct Place {
    MessageId id;
    std::uint8_t mark = 0;  // 0: free; else a part of the hash, so that few other ids are compared
    Value value{};
  };

  static std::uint8_t mark_of(std::size_t hash) { return static_cast<std::uint8_t>((hash >> 56) | 1); }

  // Where the id stands, or the free place where it would.
  std::size_t place_of(const MessageId& id, std::size_t hash) const {
    const std::size_t mask = places_.size() - 1;
    const std::uint8_t mark = mark_of(hash);
    std::size_t at = hash & mask;
    while (places_[at].mark != 0 && (places_[at].mark != mark || places_[at].id != id)) at = (at + 1) & mask;
    return at;
  }

  // Those that follow without a gap move up, if their own place is not behind the one that is free.
  void erase_place(std::size_t free) {
    const std::size_t mask = places_.size() - 1;
    for (std::size_t at = (free + 1) & mask; places_[at].mark != 0; at = (at + 1) & mask) {
      const std::size_t own = hash_(places_[at].id) & mask;
      if (((at - own) & mask) < ((at - free) & mask)) continue;
      places_[free] = std::move(places_[at]);
      free = at;
    }
    places_[free] = Place();
    --size_;
  }

  void grow() {
    std::vector<Place> before(places_.empty() ? kFirst : 2 * places_.size());
    before.swap(places_);
    for (Place& place : before) {
      if (place.mark != 0) places_[place_of(place.id, hash_(place.id))] = std::move(place);
    }
  }

  void give_back() {
    if (size_ == 0 && places_.size() > kKept) places_ = std::vector<Place>();
  }

  MessageIdHash hash_;
  std::vector<Place> places_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace libp2p::gossipsub
