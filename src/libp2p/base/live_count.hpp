// Counts the living objects of a type, so that a test can assert that nothing outlived its owner. The counters are
// mutable statics, which nothing else of ours is: constructors and destructors write them, and only tests and snapshots
// read them.
#pragma once

#include <atomic>
#include <cstdint>

#include "libp2p/base/assert.hpp"

namespace libp2p {

template <class T>
class LiveCounted {
 public:
  static std::int64_t live() { return count_.load(std::memory_order_relaxed); }

 protected:
  LiveCounted() { count_.fetch_add(1, std::memory_order_relaxed); }
  LiveCounted(const LiveCounted&) : LiveCounted() {}
  LiveCounted(LiveCounted&&) noexcept : LiveCounted() {}
  LiveCounted& operator=(const LiveCounted&) = default;
  LiveCounted& operator=(LiveCounted&&) noexcept = default;
  ~LiveCounted() {
    const std::int64_t before = count_.fetch_sub(1, std::memory_order_relaxed);
    OPP2P_ASSERT(before > 0, "no more objects end than began", before);
  }

 private:
  static inline std::atomic<std::int64_t> count_{0};
};

template <class T>
std::int64_t live() {
  return LiveCounted<T>::live();
}

}  // namespace libp2p
