// Coroutines of the driver layer: Task<T> is Asio's awaitable, TaskScope owns those that run, sleep_until and Event are what they
// wait on. Rules for g++ 12 (docs/architecture.md, "Coroutines"): name every argument before a co_await; coroutines are named
// functions; parameters are views, ids, references to what the scope outlives, or types with a constructor.
//
// Thread: the network thread. Bounds: none of its own; who spawns per peer or per stream bounds that.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/live_count.hpp"
#include "base/result.hpp"
#include "runtime/runtime.hpp"

namespace libp2p::runtime {

template <class T = void>
using Task = boost::asio::awaitable<T>;

// Holds running coroutines. Cancelling it ends what each of them awaits with Errc::cancelled.
class TaskScope {
 public:
  explicit TaskScope(Runtime& runtime);
  // Cancels all. Coroutines must have ended by then or end when polled; the scope keeps their state alive until they have.
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  void spawn(Task<void> task);
  std::size_t running() const;
  // Requests cancellation of all; nothing new may be spawned.
  void cancel();
  // cancel() and wait until the last one has ended.
  Task<void> close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Wakes coroutines: wait() returns at the next signal(), or at once when one came since the last wait. One waiter at a time.
class Event {
 public:
  explicit Event(Runtime& runtime);
  ~Event();
  Event(Event&&) noexcept;
  Event& operator=(Event&&) noexcept;
  void signal();
  // Errc::timed_out at the deadline, Errc::cancelled when the scope is cancelled.
  Task<Result<void>> wait();
  Task<Result<void>> wait_until(MonoTime deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

Task<Result<void>> sleep_until(Runtime& runtime, MonoTime deadline);
Task<Result<void>> sleep_for(Runtime& runtime, Nanos duration);

}  // namespace libp2p::runtime
