#include "libp2p/runtime/task.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/runtime/parking.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p::runtime {
namespace {

class TaskTest : public ::testing::Test {
 protected:
  ~TaskTest() override { EXPECT_EQ(live<detail::Root>(), 0); }
  SimWorld world{7};
  Runtime& rt = world.add_node().runtime();
};

// Says when it goes, as an object in a coroutine's frame.
struct Witness {
  explicit Witness(int& count) : count_(count) { ++count_; }
  ~Witness() { --count_; }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  int& count_;
};

Task<int> add(int a, int b) { co_return a + b; }

Task<std::string> join(std::string a, std::string b) {
  const int n = co_await add(1, 2);
  co_return a + b + std::to_string(n);
}

Task<void> store(std::string* out) {
  std::string left = "a string that does not fit into its small buffer, ";
  std::string right = "and another one that does not either: ";
  *out = co_await join(std::move(left), std::move(right));
}

TEST_F(TaskTest, returns_values_through_several_frames) {
  std::string out;
  ASSERT_TRUE(run_task(world, rt, store(&out), Seconds(1)));
  EXPECT_EQ(out, "a string that does not fit into its small buffer, and another one that does not either: 3");
}

Task<void> count_up(int* total) {
  for (int i = 0; i < 300'000; ++i) *total = co_await add(*total, 1);
}

TEST_F(TaskTest, a_loop_of_awaits_that_end_at_once_does_not_grow_the_stack) {
  int total = 0;
  ASSERT_TRUE(run_task(world, rt, count_up(&total), Seconds(1)));
  EXPECT_EQ(total, 300'000);
}

Task<Result<int>> failing(bool fails) {
  if (fails) co_return fail(Errc::denied, "because the test says so");
  co_return 5;
}

Task<Result<std::string>> propagates(bool fails) {
  auto inner = failing(fails);
  OPP2P_CO_TRY(const int value, co_await inner);
  co_return std::to_string(value);
}

Task<Result<std::string>> propagates_the_status(bool fails) {
  auto inner = failing(fails);
  OPP2P_CO_TRYV(co_await inner);
  co_return "fine";
}

Task<void> keep_all(std::vector<std::string>* out) {
  for (const bool fails : {false, true}) {
    for (const auto make : {propagates, propagates_the_status}) {
      auto task = make(fails);
      const auto result = co_await task;
      out->push_back(result ? *result : result.error().message());
    }
  }
}

TEST_F(TaskTest, errors_go_up_through_the_try_macros) {
  std::vector<std::string> out;
  ASSERT_TRUE(run_task(world, rt, keep_all(&out), Seconds(1)));
  const std::string denied = "denied: because the test says so";
  EXPECT_EQ(out, (std::vector<std::string>{"5", "fine", denied, denied}));
}

Task<void> throwing() {
  co_await add(1, 1);
  throw std::runtime_error("thrown in a task");
}

Task<void> outer_of_throwing() { co_await throwing(); }

TEST_F(TaskTest, an_exception_leaves_the_loop_and_the_scope_is_empty) {
  TaskScope scope(rt);
  scope.spawn(outer_of_throwing());
  EXPECT_THROW(world.run_for(Seconds(1)), std::runtime_error);
  EXPECT_EQ(scope.running(), 0u);
}

Task<void> sleeper(Runtime& rt, Nanos duration, int* alive, std::vector<std::string>* log) {
  const Witness witness(*alive);
  const auto done = co_await sleep_for(rt, duration);
  log->push_back(done ? "slept" : std::string(to_string(done.error().code())));
  const auto again = co_await sleep_for(rt, duration);
  log->push_back(again ? "slept" : std::string(to_string(again.error().code())));
}

TEST_F(TaskTest, sleeps_in_virtual_time) {
  int alive = 0;
  std::vector<std::string> log;
  TaskScope scope(rt);
  scope.spawn(sleeper(rt, Seconds(10), &alive, &log));
  EXPECT_EQ(alive, 0) << "nothing runs inside spawn()";
  world.run_for(Millis(9'999));
  EXPECT_TRUE(log.empty());
  world.run_for(Millis(2));
  EXPECT_EQ(log, std::vector<std::string>{"slept"});
  world.run_for(Seconds(10));
  EXPECT_EQ(scope.running(), 0u);
  EXPECT_EQ(alive, 0);
}

TEST_F(TaskTest, cancelling_ends_this_wait_and_every_later_one) {
  int alive = 0;
  std::vector<std::string> log;
  TaskScope scope(rt);
  scope.spawn(sleeper(rt, Seconds(10), &alive, &log));
  world.run_for(Seconds(1));
  scope.cancel();
  EXPECT_TRUE(log.empty()) << "nothing runs inside cancel()";
  world.run_for(Nanos(0));
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled", "cancelled"}));
  EXPECT_EQ(scope.running(), 0u);
  scope.spawn(sleeper(rt, Seconds(10), &alive, &log));
  EXPECT_EQ(scope.running(), 0u) << "a cancelled scope takes nothing new";
}

TEST_F(TaskTest, destroying_the_scope_destroys_the_frames_and_resumes_nothing) {
  int alive = 0;
  std::vector<std::string> log;
  {
    TaskScope scope(rt);
    for (int i = 0; i < 5; ++i) scope.spawn(sleeper(rt, Seconds(1 + i), &alive, &log));
    world.run_for(Millis(10));
    EXPECT_EQ(alive, 5);
    scope.spawn(sleeper(rt, Seconds(1), &alive, &log));  // not started yet
    scope.cancel();                                      // resumptions are queued
  }
  EXPECT_EQ(alive, 0);
  world.run_for(Seconds(20));
  EXPECT_TRUE(log.empty());
}

Task<void> closer(TaskScope* inner, bool* closed) {
  co_await inner->close();
  *closed = true;
}

TEST_F(TaskTest, close_waits_until_the_last_one_has_ended) {
  int alive = 0;
  std::vector<std::string> log;
  bool closed = false;
  TaskScope inner(rt);
  TaskScope outer(rt);
  inner.spawn(sleeper(rt, Seconds(10), &alive, &log));
  inner.spawn(sleeper(rt, Seconds(11), &alive, &log));
  world.run_for(Seconds(1));
  outer.spawn(closer(&inner, &closed));
  world.run_for(Nanos(0));
  EXPECT_TRUE(closed);
  EXPECT_EQ(log.size(), 4u);
}

Task<void> destroys_its_scope(Runtime& rt, std::unique_ptr<TaskScope>* scope, int* alive, int* reached) {
  const Witness witness(*alive);
  co_await sleep_for(rt, Seconds(1));
  *reached = 1;
  scope->reset();
  *reached = 2;
  co_await sleep_for(rt, Seconds(1));
  *reached = 3;
}

TEST_F(TaskTest, a_task_that_destroys_its_scope_ends_at_its_next_suspension) {
  int alive = 0;
  int reached = 0;
  auto scope = std::make_unique<TaskScope>(rt);
  std::vector<std::string> log;
  scope->spawn(destroys_its_scope(rt, &scope, &alive, &reached));
  scope->spawn(sleeper(rt, Seconds(5), &alive, &log));
  world.run_for(Seconds(20));
  EXPECT_EQ(reached, 2);
  EXPECT_EQ(alive, 0);
  EXPECT_TRUE(log.empty());
}

Task<void> waiter(Event* event, std::optional<MonoTime> deadline, std::vector<std::string>* log) {
  for (;;) {
    auto waiting = deadline ? event->wait_until(*deadline) : event->wait();
    const auto result = co_await waiting;
    log->push_back(result ? "woken" : std::string(to_string(result.error().code())));
    if (!result) co_return;
  }
}

TEST_F(TaskTest, an_event_wakes_its_waiter_and_remembers_one_signal) {
  std::vector<std::string> log;
  Event event(rt);
  TaskScope scope(rt);
  event.signal();
  event.signal();
  scope.spawn(waiter(&event, std::nullopt, &log));
  world.run_for(Seconds(1));
  EXPECT_EQ(log.size(), 1u);
  event.signal();
  EXPECT_EQ(log.size(), 1u) << "nothing runs inside signal()";
  world.run_for(Nanos(0));
  EXPECT_EQ(log.size(), 2u);
  // Two signals before the waiter runs: one wakes, one is remembered.
  event.signal();
  event.signal();
  world.run_for(Nanos(0));
  EXPECT_EQ(log.size(), 4u);
}

TEST_F(TaskTest, an_event_times_out_at_its_deadline) {
  std::vector<std::string> log;
  Event event(rt);
  TaskScope scope(rt);
  scope.spawn(waiter(&event, rt.now().mono + Seconds(3), &log));
  world.run_for(Seconds(1));
  event.signal();
  world.run_for(Seconds(1));
  EXPECT_EQ(log, std::vector<std::string>{"woken"});
  world.run_for(Seconds(2));
  EXPECT_EQ(log, (std::vector<std::string>{"woken", "timed out"}));
}

TEST_F(TaskTest, a_deadline_of_a_destroyed_waiter_does_not_fall_on_the_next) {
  std::vector<std::string> log;
  Event event(rt);
  {
    TaskScope scope(rt);
    scope.spawn(waiter(&event, rt.now().mono + Seconds(3), &log));
    world.run_for(Seconds(1));
  }
  TaskScope scope(rt);
  scope.spawn(waiter(&event, std::nullopt, &log));
  world.run_for(Seconds(10));
  EXPECT_TRUE(log.empty());
}

TEST_F(TaskTest, an_event_that_goes_away_ends_the_wait) {
  std::vector<std::string> log;
  auto event = std::make_unique<Event>(rt);
  TaskScope scope(rt);
  scope.spawn(waiter(event.get(), std::nullopt, &log));
  world.run_for(Seconds(1));
  event.reset();
  world.run_for(Nanos(0));
  EXPECT_EQ(log, std::vector<std::string>{"cancelled"});
}

Task<void> polite(Runtime& rt, char name, std::string* order) {
  for (int i = 0; i < 3; ++i) {
    order->push_back(name);
    co_await yield_now(rt);
  }
}

TEST_F(TaskTest, yielding_lets_the_others_run) {
  std::string order;
  TaskScope scope(rt);
  scope.spawn(polite(rt, 'a', &order));
  scope.spawn(polite(rt, 'b', &order));
  world.run_for(Nanos(0));
  EXPECT_EQ(order, "ababab");
}

TEST(TaskOnAsio, runs_sleeps_and_is_destroyed_while_it_waits) {
  int alive = 0;
  std::vector<std::string> log;
  AsioRuntime rt(1);
  ASSERT_TRUE(run_task(rt, rt, sleeper(rt, Millis(1), &alive, &log), Seconds(10)));
  EXPECT_EQ(log, (std::vector<std::string>{"slept", "slept"}));
  EXPECT_FALSE(run_task(rt, rt, sleeper(rt, Seconds(100), &alive, &log), Millis(5)));
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(live<detail::Root>(), 0);
}

}  // namespace
}  // namespace libp2p::runtime
