#include "libp2p/runtime/task.hpp"

#include "libp2p/runtime/parking.hpp"

namespace libp2p::runtime {

namespace detail {

Root::~Root() {
  if (top) top.destroy();
}

void Root::run(Root* root) {
  root->running = true;
  while (root->next && !root->doomed) std::exchange(root->next, {}).resume();
  root->running = false;
  if (root->doomed) {
    delete root;  // ~TaskScope has let go of it
    return;
  }
  if (!root->top.done()) return;
  const std::exception_ptr failure = *root->failure;
  ScopeState& scope = *root->scope;
  // Out of the table first: destroying the frame may destroy the scope.
  const auto node = scope.roots.extract(root->id);
  if (scope.roots.empty() && scope.closer != nullptr) scope.closer->wake(Wake::ok);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail

Parking::~Parking() {
  if (root_ != nullptr && root_->parked == this) root_->parked = nullptr;
}

bool Parking::enter(detail::Root* root, std::coroutine_handle<> self) {
  if (woken_) return false;
  if (root->cancelled) {
    woken_ = true;
    outcome_ = Wake::cancelled;
    return false;
  }
  root_ = root;
  frame_ = self;
  root->parked = this;
  return true;
}

void Parking::wake(Wake outcome) {
  if (woken_) return;
  woken_ = true;
  outcome_ = outcome;
  if (root_ == nullptr || root_->doomed) return;
  detail::ScopeState& scope = *root_->scope;
  scope.runtime.post([weak = scope.self, id = root_->id] {
    const auto state = weak.lock();
    if (!state) return;
    const auto found = state->roots.find(id);
    if (found == state->roots.end()) return;
    detail::Root* root = found->second.get();
    Parking* parked = std::exchange(root->parked, nullptr);
    if (parked == nullptr) return;
    root->next = parked->frame_;
    detail::Root::run(root);
  });
}

void Parking::wake_now(Wake outcome) {
  if (woken_) return;
  woken_ = true;
  outcome_ = outcome;
  if (root_ == nullptr || root_->doomed) return;
  detail::Root* root = root_;
  root->parked = nullptr;
  root->next = frame_;
  const auto keep = root->scope->self.lock();
  detail::Root::run(root);
}

Result<void> Parking::result(std::string_view what) const {
  switch (outcome_) {
    case Wake::ok: return {};
    case Wake::timed_out: return fail(Errc::timed_out, std::string(what) + " timed out");
    case Wake::cancelled: break;
  }
  return fail(Errc::cancelled, std::string(what) + " was cancelled");
}

TaskScope::TaskScope(Runtime& runtime) : state_(std::make_shared<detail::ScopeState>(runtime)) {
  state_->self = state_;
}

TaskScope::~TaskScope() {
  state_->cancelled = true;
  if (state_->closer != nullptr) state_->closer->wake(Wake::cancelled);
  // The youngest first, and each out of the table before its frame goes: destructors in it may come back to this scope.
  while (!state_->roots.empty()) {
    auto node = state_->roots.extract(std::prev(state_->roots.end()));
    if (node.mapped()->running) {
      detail::Root* running = node.mapped().release();
      running->doomed = true;
      running->scope = nullptr;
    }
  }
}

void TaskScope::spawn(Task<void> task) {
  if (state_->cancelled) return;
  auto root = std::make_unique<detail::Root>();
  const auto handle = task.release();
  root->scope = state_.get();
  root->id = state_->next_id++;
  root->top = handle;
  root->failure = &handle.promise().failure;
  root->next = handle;
  handle.promise().root = root.get();
  const std::uint64_t id = root->id;
  state_->roots.emplace(id, std::move(root));
  state_->runtime.post([weak = std::weak_ptr(state_), id] {
    const auto state = weak.lock();
    if (!state) return;
    const auto found = state->roots.find(id);
    if (found != state->roots.end()) detail::Root::run(found->second.get());
  });
}

std::size_t TaskScope::running() const { return state_->roots.size(); }
bool TaskScope::cancelled() const { return state_->cancelled; }

void TaskScope::cancel() {
  state_->cancelled = true;
  for (auto& [id, root] : state_->roots) {
    root->cancelled = true;
    if (root->parked != nullptr) root->parked->wake(Wake::cancelled);
  }
}

namespace {

// Ties a waiting place in a frame to the pointer that its source keeps.
class Registration {
 public:
  Registration(Parking*& slot, Parking& parking) : slot_(slot), parking_(parking) { slot_ = &parking_; }
  ~Registration() {
    if (slot_ == &parking_) slot_ = nullptr;
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  Parking*& slot_;
  Parking& parking_;
};

Task<Result<void>> join(std::shared_ptr<detail::ScopeState> state, std::optional<MonoTime> deadline) {
  if (state->roots.empty()) co_return Result<void>{};
  Parking parking;
  const Registration registration(state->closer, parking);
  std::unique_ptr<Timer> timer;
  if (deadline) {
    timer = state->runtime.make_timer([&parking] { parking.wake_now(Wake::timed_out); });
    timer->arm(*deadline);
  }
  co_await parking.park();
  co_return parking.result("closing a task scope");
}

}  // namespace

Task<void> TaskScope::close() {
  cancel();
  auto state = state_;
  const std::optional<MonoTime> forever;
  auto joining = join(std::move(state), forever);
  const auto done = co_await joining;
  (void)done;
}

Task<Result<void>> TaskScope::close_by(MonoTime deadline) {
  cancel();
  return join(state_, deadline);
}

struct Event::State {
  explicit State(Runtime& r) : runtime(r) {}
  Runtime& runtime;
  bool signalled = false;
  Parking* waiter = nullptr;
  std::unique_ptr<Timer> timer;
};

Event::Event(Runtime& runtime) : state_(std::make_shared<State>(runtime)) {}
Event::~Event() {
  if (state_ && state_->waiter != nullptr) state_->waiter->wake(Wake::cancelled);
}
Event::Event(Event&&) noexcept = default;
Event& Event::operator=(Event&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

void Event::signal() {
  if (state_->waiter != nullptr && !state_->waiter->woken()) {
    state_->waiter->wake(Wake::ok);
  } else {
    state_->signalled = true;
  }
}

Task<Result<void>> Event::wait() { return wait_on(state_, std::nullopt); }
Task<Result<void>> Event::wait_until(MonoTime deadline) { return wait_on(state_, deadline); }

Task<Result<void>> Event::wait_on(std::shared_ptr<State> state, std::optional<MonoTime> deadline) {
  TaskCancelled probe;
  const bool cancelled = co_await probe;
  if (cancelled) co_return fail(Errc::cancelled, "the wait was cancelled");
  if (std::exchange(state->signalled, false)) co_return Result<void>{};
  struct Disarm {
    Timer* timer = nullptr;
    ~Disarm() {
      if (timer != nullptr) timer->disarm();
    }
  } disarm;  // a frame that is destroyed while it waits must not leave its deadline to the next waiter
  Parking parking;
  const Registration registration(state->waiter, parking);
  if (deadline) {
    if (!state->timer) {
      State* raw = state.get();
      state->timer = state->runtime.make_timer([raw] {
        if (raw->waiter != nullptr) raw->waiter->wake_now(Wake::timed_out);
      });
    }
    state->timer->arm(*deadline);
    disarm.timer = state->timer.get();
  }
  co_await parking.park();
  co_return parking.result("the wait");
}

Task<Result<void>> sleep_until(Runtime& runtime, MonoTime deadline) {
  Parking parking;
  const auto timer = runtime.make_timer([&parking] { parking.wake_now(Wake::ok); });
  timer->arm(deadline);
  co_await parking.park();
  co_return parking.result("the sleep");
}

Task<Result<void>> sleep_for(Runtime& runtime, Nanos duration) {
  const MonoTime deadline = runtime.now().mono + duration;
  return sleep_until(runtime, deadline);
}

namespace {

// wake() works only on a coroutine that is parked already; this parks and wakes in one step.
struct Yield {
  Parking* parking;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    const bool parked = Parking::Awaiter{parking}.await_suspend(self);
    if (parked) parking->wake(Wake::ok);
    return parked;
  }
  void await_resume() const noexcept {}
};

}  // namespace

Task<Result<void>> yield_now(Runtime&) {
  Parking parking;
  Yield yield{&parking};
  co_await yield;
  co_return parking.result("the yield");
}

}  // namespace libp2p::runtime
