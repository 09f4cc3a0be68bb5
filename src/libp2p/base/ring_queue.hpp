// A queue in one block of memory that is used round and round: it allocates when it grows beyond the block, and never
// in steady state. When it runs empty it gives a block of more than `Kept` places back, so that a burst leaves no large
// memory behind. Places that are not used hold values that were moved from or were default-constructed. A change makes
// references invalid, but for those to elements before one that is erased or appended without growth.
//
// Owner: whoever has it. Thread: its. Bounds: its owner's.
#pragma once

#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include "libp2p/base/assert.hpp"

namespace libp2p {

template <class T, std::size_t Kept = 8>
class RingQueue {
 public:
  template <class Queue, class Value>
  class Iterator {
   public:
    Iterator(Queue& queue, std::size_t at) : queue_(&queue), at_(at) {}
    Value& operator*() const { return (*queue_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    Queue* queue_;
    std::size_t at_;
  };

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return places_.size(); }

  // Room for so many elements in one step.
  void reserve(std::size_t size) {
    if (size > places_.size()) move_to(std::bit_ceil(size));
  }

  // The oldest has number 0.
  T& operator[](std::size_t number) { return places_[place(number)]; }
  const T& operator[](std::size_t number) const { return places_[place(number)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }

  T& push_back(T value) {
    if (size_ == places_.size()) grow();
    T& at = places_[(head_ + size_) & (places_.size() - 1)];
    at = std::move(value);
    ++size_;
    return at;
  }

  T take_front() {
    T value = std::move(front());
    drop_place();
    return value;
  }
  void pop_front() {
    front() = T();
    drop_place();
  }
  void pop_front(std::size_t count) {
    for (; count > 0; --count) pop_front();
  }

  void erase(std::size_t number) {
    OPP2P_ASSERT(number < size_, "what is erased is in the queue", number, size_);
    for (; number > 0; --number) (*this)[number] = std::move((*this)[number - 1]);
    pop_front();
  }

  auto begin() { return Iterator<RingQueue, T>(*this, 0); }
  auto end() { return Iterator<RingQueue, T>(*this, size_); }
  auto begin() const { return Iterator<const RingQueue, const T>(*this, 0); }
  auto end() const { return Iterator<const RingQueue, const T>(*this, size_); }

 private:
  std::size_t place(std::size_t number) const {
    OPP2P_DEBUG_ASSERT(number < size_, "an element is in the queue", number, size_);
    return (head_ + number) & (places_.size() - 1);
  }

  void drop_place() {
    OPP2P_ASSERT(size_ > 0, "what is taken out of a queue is in it");
    head_ = (head_ + 1) & (places_.size() - 1);
    if (--size_ == 0 && places_.size() > Kept) places_ = std::vector<T>();
    if (size_ == 0) head_ = 0;
  }

  void grow() { move_to(places_.empty() ? 2 : 2 * places_.size()); }
  void move_to(std::size_t places) {
    std::vector<T> larger(places);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    places_ = std::move(larger);
    head_ = 0;
  }

  std::vector<T> places_;  // a power of two
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace libp2p
