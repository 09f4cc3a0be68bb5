// Admits name look-ups. A bounded number of them runs, a bounded number waits in order, and further ones are refused. A
// look-up that has ended or was cancelled leaves the queue at once, and the next one starts. Both runtimes use this
// class, so a simulated node has the same bounds. Owner: the runtime. Thread: the network thread. Bounds: kMostRunning
// and kMostWaiting. Re-entrancy: `start` is called inside enter() or leave(), and must not call either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace libp2p::runtime {

class LookupQueue {
 public:
  using Id = std::uint64_t;
  // More than a host's dials that may be under way (Limits::pending_dials), so that names with dead servers hold up
  // nobody. Each holds one UDP socket for each name server that it asked.
  static constexpr std::size_t kMostRunning = 256;
  static constexpr std::size_t kMostWaiting = 256;

  explicit LookupQueue(std::size_t most_running = kMostRunning, std::size_t most_waiting = kMostWaiting)
      : most_running_(most_running), most_waiting_(most_waiting) {}

  // Nothing when the queue is full. The caller must leave() with the id.
  std::optional<Id> enter(std::function<void()> start) {
    const Id id = next_++;
    if (running_.size() < most_running_) {
      running_.insert(id);
      start();
      return id;
    }
    if (waiting_.size() >= most_waiting_) return std::nullopt;
    waiting_.emplace_back(id, std::move(start));
    return id;
  }

  // Ended or abandoned. An id that has left already changes nothing.
  void leave(Id id) {
    std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.first == id; });
    if (running_.erase(id) == 0 || waiting_.empty()) return;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    running_.insert(next.first);
    next.second();
  }

  // Drops what waits.
  void clear() { waiting_.clear(); }

  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  using Waiting = std::pair<Id, std::function<void()>>;
  std::size_t most_running_;
  std::size_t most_waiting_;
  Id next_ = 1;
  std::set<Id> running_;
  std::deque<Waiting> waiting_;
};

}  // namespace libp2p::runtime
