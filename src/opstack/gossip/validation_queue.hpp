// The way of block messages to the worker pool and back. At most `parallel` are on the pool at a time, the others wait
// here in order, so that the pool stays open to others and what waits is bounded: in items and in bytes, with new
// messages refused when full. Completions come in any order.
//
// A small message is judged on the spot while nothing else waits: two wake-ups of sleeping threads would take longer
// than its signature. That may take half of the network thread's time; what comes faster is the pool's work.
//
// Owner: BlockGossip. Thread: the network thread; the work itself runs there or on the pool. Bounds:
// ValidationQueueLimits.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "libp2p/base/live_count.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace opstack::gossip {

struct ValidationQueueLimits {
  std::size_t parallel = 8;
  // Not below the router's bounds, which strike first and leave a refused message to be asked for again.
  std::size_t max_items = 1024;
  std::size_t max_bytes = 128U << 20;
  std::size_t small = 4096;  // bytes
  libp2p::Nanos on_the_spot =
      libp2p::Millis(1);  // how much of the half may be taken at once; none: all goes to the pool
};

class ValidationQueue : libp2p::LiveCounted<ValidationQueue> {
 public:
  ValidationQueue(libp2p::runtime::Runtime& runtime, ValidationQueueLimits limits);
  ValidationQueue(const ValidationQueue&) = delete;
  ValidationQueue& operator=(const ValidationQueue&) = delete;

  // Runs `work`, on the pool or at once, and then `done` on the network thread; neither, when the queue is gone by
  // then. False when full. `work` may touch only what it owns.
  bool submit(std::size_t bytes, std::function<void()> work, std::function<void()> done);

  bool has_room(std::size_t items, std::size_t bytes) const;
  // Waiting and on the pool.
  std::size_t items() const { return waiting_.size() + running_; }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Job {
    std::size_t bytes;
    std::function<void()> work;
    std::function<void()> done;
  };
  bool may_judge_here(std::size_t bytes) const;
  void judge_here(const std::function<void()>& work);
  void start();

  libp2p::runtime::Runtime& runtime_;
  ValidationQueueLimits limits_;
  std::deque<Job> waiting_;
  std::size_t running_ = 0;
  std::size_t bytes_ = 0;
  libp2p::MonoTime paid_until_{};  // when what was done on the spot will have been half of the time
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace opstack::gossip
