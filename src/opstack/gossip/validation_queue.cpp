#include "opstack/gossip/validation_queue.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace opstack::gossip {

ValidationQueue::ValidationQueue(libp2p::runtime::Runtime& runtime, ValidationQueueLimits limits)
    : runtime_(runtime), limits_(limits) {}

bool ValidationQueue::has_room(std::size_t items, std::size_t bytes) const {
  return this->items() + items <= limits_.max_items &&
         bytes <= limits_.max_bytes - std::min(this->bytes(), limits_.max_bytes);
}

Submission ValidationQueue::submit(MessageSize size, std::function<void()> work, std::function<void()> done) {
  if (!has_room(1, size.bytes)) return Submission::refused;
  if (may_judge_here(size.contents)) {
    const auto begun = runtime_.now().mono;
    const libp2p::Nanos cost = runtime_.run_here(work);
    paid_until_ = std::max(paid_until_, begun) + 2 * cost;
    done();  // may destroy this
    return Submission::done_here;
  }
  waiting_bytes_ += size.bytes;
  waiting_.push_back(Job{size.bytes, std::move(work), std::move(done)});
  start();
  return Submission::queued;
}

bool ValidationQueue::may_judge_here(std::size_t contents) const {
  return contents <= limits_.small && items() == 0 && paid_until_ - runtime_.now().mono < 2 * limits_.on_the_spot;
}

void ValidationQueue::start() {
  while (running_ < limits_.parallel && !waiting_.empty()) {
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    OPP2P_ASSERT(waiting_bytes_ >= job.bytes, "the bytes that wait are those of the jobs", waiting_bytes_, job.bytes);
    waiting_bytes_ -= job.bytes;
    running_bytes_ += job.bytes;
    ++running_;
    auto back = life_.guard([this, bytes = job.bytes, done = std::move(job.done)] {
      this->on_worked(bytes);
      done();  // may destroy this
    });
    runtime_.run_on_worker(std::move(job.work), std::move(back));
  }
}

void ValidationQueue::on_worked(std::size_t bytes) {
  OPP2P_ASSERT(running_ > 0 && running_bytes_ >= bytes, "only a job that runs comes back", running_, running_bytes_,
               bytes);
  --running_;
  running_bytes_ -= bytes;
  start();
}

void ValidationQueue::check() const {
  std::size_t waiting_bytes = 0;
  for (const Job& job : waiting_) waiting_bytes += job.bytes;
  OPP2P_CHECK(waiting_bytes == waiting_bytes_, "the bytes that wait are those of the jobs", waiting_bytes,
              waiting_bytes_);
  OPP2P_CHECK(items() <= limits_.max_items, "the queue keeps its bound in items", items(), limits_.max_items);
  OPP2P_CHECK(bytes() <= limits_.max_bytes, "the queue keeps its bound in bytes", bytes(), limits_.max_bytes);
  OPP2P_CHECK(running_ <= limits_.parallel, "no more are on the pool than may be", running_, limits_.parallel);
  OPP2P_CHECK(waiting_.empty() || running_ == limits_.parallel, "a job waits only while the pool's places are taken",
              waiting_.size(), running_);
  OPP2P_CHECK(running_ > 0 || running_bytes_ == 0, "bytes are on the pool only with their jobs", running_bytes_);
}

}  // namespace opstack::gossip
