// A queue in one block of memory that is used round and round (boost::circular_buffer), which grows when it is full.
// It allocates nothing in steady state. When it runs empty it gives a block of more than `Kept` places back, so that a
// burst leaves no large memory behind. References stay valid while nothing is erased and the queue need not grow.
//
// Owner: whoever has it. Thread: its. Bounds: its owner's.
#pragma once

#include <bit>
#include <boost/circular_buffer.hpp>
#include <cstddef>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

template <class T, std::size_t Kept = 8>
class RingQueue {
 public:
  bool empty() const { return ring_.empty(); }
  std::size_t size() const { return ring_.size(); }
  std::size_t capacity() const { return ring_.capacity(); }

  // Room for so many elements in one step.
  void reserve(std::size_t size) {
    if (size > ring_.capacity()) ring_.set_capacity(std::bit_ceil(size));
  }

  // The oldest has number 0.
  T& operator[](std::size_t number) { return ring_[number]; }
  const T& operator[](std::size_t number) const { return ring_[number]; }
  T& front() { return ring_.front(); }
  const T& front() const { return ring_.front(); }

  T& push_back(T value) {
    if (ring_.full()) ring_.set_capacity(ring_.empty() ? 2 : 2 * ring_.capacity());
    ring_.push_back(std::move(value));
    return ring_.back();
  }

  T take_front() {
    OPP2P_ASSERT(!ring_.empty(), "what is taken out of a queue is in it");
    T value = std::move(ring_.front());
    ring_.pop_front();
    give_back();
    return value;
  }
  void pop_front(std::size_t count = 1) {
    OPP2P_ASSERT(count <= ring_.size(), "what is taken out of a queue is in it", count, ring_);
    ring_.erase_begin(count);
    give_back();
  }
  void erase(std::size_t number) {
    OPP2P_ASSERT(number < ring_.size(), "what is erased is in the queue", number, ring_);
    ring_.rerase(ring_.begin() + static_cast<std::ptrdiff_t>(number));
    give_back();
  }

  auto begin() const { return ring_.begin(); }
  auto end() const { return ring_.end(); }

 private:
  void give_back() {
    if (ring_.empty() && ring_.capacity() > Kept) ring_.set_capacity(0);
  }

  boost::circular_buffer<T> ring_;
};

}  // namespace libp2p
