#include "opstack/gossip/validation_queue.hpp"

#include <algorithm>
#include <utility>

namespace opstack::gossip {

ValidationQueue::ValidationQueue(libp2p::runtime::Runtime& runtime, ValidationQueueLimits limits)
    : runtime_(runtime), limits_(limits) {}

bool ValidationQueue::has_room(std::size_t items, std::size_t bytes) const {
  return this->items() + items <= limits_.max_items && bytes <= limits_.max_bytes - std::min(bytes_, limits_.max_bytes);
}

bool ValidationQueue::submit(std::size_t bytes, std::function<void()> work, std::function<void()> done) {
  if (!has_room(1, bytes)) return false;
  if (may_judge_here(bytes)) {
    judge_here(work);
    done();
    return true;
  }
  bytes_ += bytes;
  waiting_.push_back(Job{bytes, std::move(work), std::move(done)});
  start();
  return true;
}

bool ValidationQueue::may_judge_here(std::size_t bytes) const {
  return bytes <= limits_.small && items() == 0 && paid_until_ - runtime_.now().mono < 2 * limits_.on_the_spot;
}

void ValidationQueue::judge_here(const std::function<void()>& work) {
  constexpr libp2p::Nanos kAtLeast =
      libp2p::Micros(20);  // also where the clock stands still meanwhile, as in simulation
  const auto start = runtime_.now().mono;
  work();
  paid_until_ = std::max(paid_until_, start) + 2 * std::max<libp2p::Nanos>(kAtLeast, runtime_.now().mono - start);
}

void ValidationQueue::start() {
  while (running_ < limits_.parallel && !waiting_.empty()) {
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    runtime_.run_on_worker(std::move(job.work),
                           [this, alive = std::weak_ptr<int>(alive_), bytes = job.bytes, done = std::move(job.done)] {
                             if (alive.expired()) return;
                             --running_;
                             bytes_ -= bytes;
                             start();
                             done();
                           });
  }
}

}  // namespace opstack::gossip
