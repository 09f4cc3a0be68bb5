// Coroutines of the driver layer. Task<T> is a lazy coroutine. TaskScope owns running coroutines. Coroutines wait with
// sleep_until and Event; libp2p/runtime/parking.hpp is the base for other kinds of waits.
//
// Lifetime is the reason why this is not Asio's awaitable. The awaiting coroutine owns the frame of its task, and a
// scope owns the outermost frame. Destroying a scope therefore destroys the frames of all its coroutines at once,
// innermost first, wherever they are suspended. Nothing resumes afterwards, because every wait is in the frame of the
// waiting coroutine and removes itself from the awaited object. A coroutine may destroy its own scope: it runs to its
// next suspension and ends there. A task never starts or resumes inside spawn(), signal() or cancel(), but from the
// runtime's queue.
//
// Rules for g++ 12 (docs/architecture.md, "Coroutines"): name every argument before a co_await. Coroutines are named
// functions. Parameters are views, ids, references to what the scope outlives, or types with a constructor.
//
// Thread: the network thread. Bounds: none of its own; the caller bounds what it spawns per peer or per stream.
#pragma once

#include <coroutine>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "libp2p/base/live_count.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p::runtime {

class Parking;
class TaskScope;

namespace detail {

struct ScopeState;

// One spawned task with all that it awaits: a logical thread. `next` is the frame to resume; frames never resume each
// other directly, so that a loop of waits that end at once does not grow the stack.
struct Root : LiveCounted<Root> {
  ScopeState* scope = nullptr;
  std::uint64_t id = 0;
  std::coroutine_handle<> top;
  std::exception_ptr* failure = nullptr;
  std::coroutine_handle<> next;
  Parking* parked = nullptr;
  bool cancelled = false;
  bool running = false;
  bool doomed = false;  // its scope went away while it was running

  ~Root();
  static void run(Root* root);
};

struct PromiseBase {
  Root* root = nullptr;
  std::coroutine_handle<> parent;
  std::exception_ptr failure;

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      self.promise().root->next = self.promise().parent;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }
};

template <class T>
struct Promise;

}  // namespace detail

// A coroutine that starts when it is awaited. Destroying it destroys its frame.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  ~Task() {
    if (handle_) handle_.destroy();
  }
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  // A task is its own awaiter: no temporary stands between it and a co_await.
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> parent) const noexcept {
    handle_.promise().parent = parent;
    handle_.promise().root = parent.promise().root;
    handle_.promise().root->next = handle_;
  }
  T await_resume() const { return handle_.promise().take(); }

 private:
  friend class TaskScope;
  Handle release() { return std::exchange(handle_, {}); }
  Handle handle_;
};

namespace detail {

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() { return Task<T>(std::coroutine_handle<Promise>::from_promise(*this)); }
  void return_value(T result) { value.emplace(std::move(result)); }
  T take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() { return Task<void>(std::coroutine_handle<Promise>::from_promise(*this)); }
  void return_void() const noexcept {}
  void take() const {
    if (failure) std::rethrow_exception(failure);
  }
};

struct ScopeState {
  explicit ScopeState(Runtime& r) : runtime(r) {}
  Runtime& runtime;
  std::map<std::uint64_t, std::unique_ptr<Root>> roots;
  std::uint64_t next_id = 1;
  bool cancelled = false;
  Parking* closer = nullptr;
  // Posted resumptions hold this weakly: they find nothing when the scope is gone.
  std::weak_ptr<ScopeState> self;
};

}  // namespace detail

// Holds running coroutines. Cancelling it ends what each of them awaits with Errc::cancelled, now and from then on.
class TaskScope {
 public:
  explicit TaskScope(Runtime& runtime);
  // Destroys the frames of all that still run.
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  // After cancel() the task is dropped without having run. An exception that leaves the task leaves the runtime's loop.
  void spawn(Task<void> task);
  std::size_t running() const;
  // Requests cancellation of all; nothing new may be spawned.
  void cancel();
  bool cancelled() const;
  // cancel() and wait until the last one has ended. One caller at a time, which must not run in this scope.
  // Errc::timed_out leaves those that have not ended by the deadline to the destructor.
  Task<void> close();
  Task<Result<void>> close_by(MonoTime deadline);

 private:
  std::shared_ptr<detail::ScopeState> state_;
};

// Wakes coroutines: wait() returns at the next signal(), or at once when one came since the last wait. One waiter at a
// time. Destroying it ends the wait with Errc::cancelled.
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
  static Task<Result<void>> wait_on(std::shared_ptr<State> state, std::optional<MonoTime> deadline);
  std::shared_ptr<State> state_;
};

Task<Result<void>> sleep_until(Runtime& runtime, MonoTime deadline);
Task<Result<void>> sleep_for(Runtime& runtime, Nanos duration);
// Goes to the back of the runtime's queue: for a long loop that must let others run.
Task<Result<void>> yield_now(Runtime& runtime);

}  // namespace libp2p::runtime
