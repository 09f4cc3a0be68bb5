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

#include "libp2p/base/entry_mark.hpp"

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
    OPP2P_ASSERT(!starting_, "a look-up that starts does not enter the queue");
    const Id id = next_++;
    if (running_.size() < most_running_) {
      running_.insert(id);
      const Entry entry(starting_, "look-ups start one after another");
      start();
      return id;
    }
    if (waiting_.size() >= most_waiting_) return std::nullopt;
    waiting_.emplace_back(id, std::move(start));
    return id;
  }

  // Ended or abandoned. An id that has left already changes nothing.
  void leave(Id id) {
    OPP2P_ASSERT(!starting_, "a look-up that starts does not leave the queue", id);
    OPP2P_ASSERT(id < next_, "only a look-up that has entered leaves", id, next_);
    std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.first == id; });
    if (running_.erase(id) == 0 || waiting_.empty()) return;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    running_.insert(next.first);
    const Entry entry(starting_, "look-ups start one after another");
    next.second();
  }

  // Drops what waits.
  void clear() { waiting_.clear(); }

  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return waiting_.size(); }

  void check() const {
    OPP2P_CHECK(running_.size() <= most_running_, "a bounded number of look-ups runs", running_, most_running_);
    OPP2P_CHECK(waiting_.size() <= most_waiting_, "a bounded number of look-ups waits", waiting_, most_waiting_);
    OPP2P_CHECK(waiting_.empty() || running_.size() == most_running_, "a look-up waits only while all places are taken",
                waiting_, running_);
    OPP2P_CHECK(running_.empty() || *running_.rbegin() < next_, "ids grow and are never used again", next_);
    Id before = 0;
    for (const auto& [id, start] : waiting_) {
      OPP2P_CHECK(id > before && id < next_ && !running_.contains(id), "look-ups wait in order, each once", id, before);
      before = id;
    }
  }

 private:
  using Waiting = std::pair<Id, std::function<void()>>;
  std::size_t most_running_;
  std::size_t most_waiting_;
  Id next_ = 1;
  EntryMark starting_;
  std::set<Id> running_;
  std::deque<Waiting> waiting_;
};

}  // namespace libp2p::runtime
