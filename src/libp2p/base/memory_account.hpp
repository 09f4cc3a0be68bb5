// One bound for what strangers can make a host remember, whatever it is: records of peers, windows of streams,
// unfinished frames, answers that wait for their readers. Each part takes what it is about to hold and gives it back; a
// part that is refused keeps what it has, drops its own or makes its largest holder go. Owned by the host
// (Limits::memory) and handed down; outlives everything that takes from it. Threads: any; the counts are atomic.
#pragma once

#include <atomic>
#include <cstddef>

#include "libp2p/base/assert.hpp"

namespace libp2p {

class MemoryAccount {
 public:
  explicit MemoryAccount(std::size_t limit) : limit_(limit) {}
  ~MemoryAccount() { OPP2P_ASSERT(used() == 0, "the memory account outlives everything that takes from it", used()); }
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;

  // False, and nothing is taken, when the limit would be exceeded.
  bool try_take(std::size_t bytes) {
    std::size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ || used > limit_ - bytes) {
        refused_.fetch_add(1, std::memory_order_relaxed);
        return false;
      }
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  // For what is held already and cannot be refused any more.
  void take(std::size_t bytes) {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    OPP2P_ASSERT(before + bytes >= before, "what a memory account holds can be counted", before, bytes);
  }
  void give(std::size_t bytes) {
    const std::size_t before = used_.fetch_sub(bytes, std::memory_order_relaxed);
    OPP2P_ASSERT(bytes <= before, "no more memory is given back than was taken", bytes, before);
  }

  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  std::size_t limit() const { return limit_; }
  std::size_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> refused_{0};
};

}  // namespace libp2p
