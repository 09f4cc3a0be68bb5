// What is to happen, by time, and in the order of pushing where times are equal. A heap of four children a node, whose
// entries are 24 bytes; what belongs to an event stays where it was put until the event is taken. Owner: the world.
// Bounds: its user's.
#pragma once

#include <utility>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

template <class Body>
class EventQueue {
 public:
  void push(MonoTime at, Body body) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(bodies_.size());
      bodies_.push_back(std::move(body));
    } else {
      slot = free_.back();
      free_.pop_back();
      bodies_[slot] = std::move(body);
    }
    heap_.push_back({});
    sift_up(heap_.size() - 1, {at.time_since_epoch().count(), next_++, slot});
  }

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  MonoTime next_time() const { return MonoTime(Nanos(heap_.front().at)); }

  // What is next; null when nothing is.
  const Body* peek() const { return heap_.empty() ? nullptr : &bodies_[heap_.front().slot]; }

  Body pop() {
    OPP2P_ASSERT(!heap_.empty(), "something is to happen");
    const std::uint32_t slot = heap_.front().slot;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down(last);
    free_.push_back(slot);
    return std::exchange(bodies_[slot], Body());
  }

  void check() const {
    for (std::size_t i = 1; i < heap_.size(); ++i)
      OPP2P_CHECK(!heap_[i].before(heap_[(i - 1) / kChildren]), "no event stands above an earlier one", i);
    OPP2P_CHECK(heap_.size() + free_.size() == bodies_.size(), "a slot is free or used", heap_, free_, bodies_);
  }

 private:
  static constexpr std::size_t kChildren = 4;
  struct Entry {
    std::int64_t at = 0;
    std::uint64_t serial = 0;
    std::uint32_t slot = 0;
    bool before(const Entry& other) const { return at != other.at ? at < other.at : serial < other.serial; }
  };

  void sift_up(std::size_t at, const Entry& entry) {
    while (at > 0) {
      const std::size_t parent = (at - 1) / kChildren;
      if (!entry.before(heap_[parent])) break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = entry;
  }
  void sift_down(const Entry& entry) {
    std::size_t at = 0;
    for (;;) {
      const std::size_t first = at * kChildren + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first;
      for (std::size_t i = first + 1; i < std::min(first + kChildren, heap_.size()); ++i) {
        if (heap_[i].before(heap_[least])) least = i;
      }
      if (!heap_[least].before(entry)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = entry;
  }

  std::vector<Entry> heap_;
  std::vector<Body> bodies_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_ = 0;
};

}  // namespace opp2p::sim::gossip
