// The queue of block messages under validation. At most `parallel` are on the worker pool at a time; the others wait
// here in order, so that the pool stays open to others and what waits is bounded. Completions come in any order.
//
// A small message is judged on the network thread while nothing else is in the queue: waking two sleeping threads would
// take longer than its signature does. That may take half of the network thread's time; what comes faster goes to the
// pool.
//
// Owner: ValidationPipeline. Thread: the network thread; `work` runs there or on the pool. Bounds:
// ValidationQueueLimits; a new message is refused when they are reached. Re-entrancy: `done` may run inside submit(),
// which says so; it may call the queue, and it may destroy it.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace opstack::gossip {

struct ValidationQueueLimits {
  std::size_t parallel = 8;
  // Not below the router's bounds, which strike first and leave a refused message to be asked for again.
  std::size_t max_items = 1024;
  std::size_t max_bytes = 128U << 20;
  std::size_t small = 8192;  // bytes of contents; an ordinary block of them has about 4 KiB as gossiped
  // How much of the half may be taken at once; none: all goes to the pool.
  libp2p::Nanos on_the_spot = libp2p::Millis(1);
};

struct MessageSize {
  std::size_t bytes = 0;     // as gossiped: counted against the bound
  std::size_t contents = 0;  // decompressed: what the work goes through, which decides whether a message is small
};

// What submit() did with a message.
enum class Submission : std::uint8_t {
  refused,    // the queue is full: neither `work` nor `done` runs
  done_here,  // both have run inside submit()
  queued,     // both run later
};

class ValidationQueue : libp2p::LiveCounted<ValidationQueue> {
 public:
  ValidationQueue(libp2p::runtime::Runtime& runtime, ValidationQueueLimits limits);
  ValidationQueue(const ValidationQueue&) = delete;
  ValidationQueue& operator=(const ValidationQueue&) = delete;

  // Runs `work`, on the pool or inside this call, and then `done` on the network thread. When the queue is gone before
  // `work` has ended on the pool, `done` does not run. `work` may touch only what it owns, and does not throw.
  [[nodiscard]] Submission submit(MessageSize size, std::function<void()> work, std::function<void()> done);

  bool has_room(std::size_t items, std::size_t bytes) const;
  // Waiting and on the pool.
  std::size_t items() const { return waiting_.size() + running_; }
  std::size_t bytes() const { return waiting_bytes_ + running_bytes_; }

  // Every invariant, by assertion.
  void check() const;

 private:
  struct Job {
    std::size_t bytes;
    std::function<void()> work;
    std::function<void()> done;
  };
  bool may_judge_here(std::size_t contents) const;
  void start();
  void on_worked(std::size_t bytes);

  libp2p::runtime::Runtime& runtime_;
  ValidationQueueLimits limits_;
  std::deque<Job> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t running_ = 0;
  std::size_t running_bytes_ = 0;
  libp2p::MonoTime paid_until_{};  // when what was done on the spot will have been half of the time
  libp2p::LifeToken life_;
};

}  // namespace opstack::gossip
