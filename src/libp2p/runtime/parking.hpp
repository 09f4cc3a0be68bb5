// The place where a coroutine waits: a named local variable in its frame, to which the awaited object points. wake()
// resumes the coroutine from the runtime's queue; wake_now() resumes it at once and is for callers whose state allows
// re-entry. The pointer to a Parking must be cleared by a guard in the same frame. Event::wait_on (task.cpp) shows the
// pattern.
//
// Thread: the network thread. Bounds: none.
#pragma once

#include <coroutine>

#include "libp2p/runtime/task.hpp"

namespace libp2p::runtime {

enum class Wake : std::uint8_t { ok, timed_out, cancelled };

class Parking {
 public:
  Parking() = default;
  ~Parking();
  Parking(const Parking&) = delete;
  Parking& operator=(const Parking&) = delete;

  struct Awaiter {
    Parking* parking;
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return parking->enter(self.promise().root, self);
    }
    void await_resume() const noexcept {}
  };
  // Suspends until woken; does not suspend when it has been woken already, or when the task is cancelled.
  Awaiter park() { return Awaiter{this}; }

  // Ends the wait; the coroutine resumes from the runtime's queue. Later calls change nothing.
  void wake(Wake outcome);
  // Ends the wait and resumes the coroutine inside this call. The coroutine may destroy anything, the caller included.
  void wake_now(Wake outcome);
  bool woken() const { return woken_; }
  Wake outcome() const { return outcome_; }
  Result<void> result(std::string_view what) const;

 private:
  bool enter(detail::Root* root, std::coroutine_handle<> self);
  detail::Root* root_ = nullptr;
  std::coroutine_handle<> frame_;
  bool woken_ = false;
  Wake outcome_ = Wake::ok;
};

// co_await TaskCancelled{}: whether the task's scope has been cancelled. Never suspends.
struct TaskCancelled {
  bool cancelled = false;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) noexcept {
    cancelled = self.promise().root->cancelled;
    return false;
  }
  bool await_resume() const noexcept { return cancelled; }
};

}  // namespace libp2p::runtime
