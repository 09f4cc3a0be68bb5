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
  const auto now = runtime_.now().mono;
  const bool alone = items() == 0 && (!last_ || now - *last_ >= limits_.alone);
  last_ = now;
  if (alone && bytes <= limits_.small) {
    work();
    done();
    return true;
  }
  bytes_ += bytes;
  waiting_.push_back(Job{bytes, std::move(work), std::move(done)});
  start();
  return true;
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
