#include "libp2p/runtime/asio/asio_runtime.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "libp2p/runtime/asio/adaptive_spin.hpp"
#include "libp2p/runtime/asio/asio_tcp.hpp"
#include "libp2p/runtime/asio/name_lookup.hpp"
#include "libp2p/runtime/asio/worker_pool.hpp"
#include "libp2p/runtime/entropy.hpp"

namespace libp2p::runtime {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

MonoTime mono_now() { return MonoTime(std::chrono::steady_clock::now().time_since_epoch()); }

// Moving a deadline later, which is what every packet does to an idle timer, costs no call to Asio: the early firing
// finds that it is not due and waits for the rest.
class AsioTimer final : public Timer {
 public:
  AsioTimer(asio::io_context& context, std::function<void()> on_fire)
      : state_(std::make_shared<State>(context, std::move(on_fire))) {}
  ~AsioTimer() override {
    state_->deadline.reset();  // also for a handler that is on its way
    state_->timer.cancel();
  }

  void arm(MonoTime deadline) override {
    state_->deadline = deadline;
    if (state_->waiting_for && *state_->waiting_for <= deadline) return;
    wait(state_);
  }
  void disarm() override { state_->deadline.reset(); }

 private:
  struct State {
    State(asio::io_context& context, std::function<void()> callback) : timer(context), on_fire(std::move(callback)) {}
    asio::steady_timer timer;
    std::function<void()> on_fire;
    std::optional<MonoTime> deadline;
    std::optional<MonoTime> waiting_for;
  };

  static void wait(const std::shared_ptr<State>& state) {
    state->waiting_for = state->deadline;
    state->timer.expires_at(std::chrono::steady_clock::time_point(state->deadline->time_since_epoch()));
    state->timer.async_wait([state](const error_code& cancelled) {
      if (cancelled) return;
      state->waiting_for.reset();
      if (!state->deadline) return;
      if (*state->deadline > mono_now()) {
        wait(state);
        return;
      }
      state->deadline.reset();
      state->on_fire();
    });
  }

  std::shared_ptr<State> state_;
};

}  // namespace

class AsioRuntime::State {
 public:
  explicit State(AsioRuntimeOptions options)
      : spin(options.spin), names(context, std::move(options.names)), pool(options.workers) {}

  // Handles one event; waits for it until `end` at most. Of a wait that ended asleep, the event's own handling is
  // counted in.
  void run_one(std::chrono::steady_clock::time_point end) {
    if (!spin.enabled()) {
      context.run_one_until(end);
      return;
    }
    if (context.poll_one() > 0) return;
    const MonoTime idle_since = mono_now();
    MonoTime looked = idle_since;
    bool came = false;
    while (!came && !context.stopped() && looked - idle_since < spin.window()) {
      looked = mono_now();
      came = context.poll_one() > 0;
    }
    if (!came) {
      context.run_one_until(end);
      looked = mono_now();
    }
    spin.on_wait(looked - idle_since);
  }

  asio::io_context context{1};
  AdaptiveSpin spin;
  SystemRng rng;
  NameLookup names;
  WorkerPool pool;  // last: joined before anything that its jobs refer to goes away
};

AsioRuntime::AsioRuntime(AsioRuntimeOptions options) : state_(std::make_unique<State>(std::move(options))) {}
AsioRuntime::AsioRuntime(std::size_t workers, Nanos spin)
    : AsioRuntime(AsioRuntimeOptions{workers, spin, NameOptions()}) {}
AsioRuntime::~AsioRuntime() = default;

void AsioRuntime::run() {
  const auto guard = asio::make_work_guard(state_->context);
  state_->context.restart();
  if (!state_->spin.enabled()) {
    state_->context.run();
    return;
  }
  while (!state_->context.stopped()) state_->run_one(std::chrono::steady_clock::time_point::max());
}

void AsioRuntime::stop() { state_->context.stop(); }

bool AsioRuntime::run_until(const std::function<bool()>& done, Nanos limit) {
  const auto guard = asio::make_work_guard(state_->context);
  const auto end = std::chrono::steady_clock::now() + limit;
  state_->context.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    state_->run_one(end);
  }
  return true;
}

Now AsioRuntime::now() const {
  return {mono_now(), UnixTime(std::chrono::duration_cast<Nanos>(std::chrono::system_clock::now().time_since_epoch()))};
}

Rng& AsioRuntime::rng() { return state_->rng; }

void AsioRuntime::post(std::function<void()> task) {
  require_function(task, "the task of post()");
  asio::post(state_->context, std::move(task));
}

std::unique_ptr<Timer> AsioRuntime::make_timer(std::function<void()> on_fire) {
  require_function(on_fire, "on_fire of make_timer()");
  return std::make_unique<AsioTimer>(state_->context, std::move(on_fire));
}

Result<std::unique_ptr<Listener>> AsioRuntime::listen(const Endpoint& at,
                                                      std::function<void(std::unique_ptr<Socket>)> on_accept) {
  require_function(on_accept, "on_accept of listen()");
  return asio_listen(state_->context, at, std::move(on_accept));
}

std::unique_ptr<Operation> AsioRuntime::connect(const Endpoint& to,
                                                std::function<void(Result<std::unique_ptr<Socket>>)> done) {
  require_function(done, "done of connect()");
  return asio_connect(state_->context, to, std::move(done));
}

std::unique_ptr<Operation> AsioRuntime::resolve(const std::string& host, Family family,
                                                std::function<void(Result<std::vector<std::string>>)> done) {
  require_function(done, "done of resolve()");
  return state_->names.start(host, family, std::move(done));
}

void AsioRuntime::run_on_worker(std::function<void()> work, std::function<void()> done) {
  require_function(work, "the work of run_on_worker()");
  require_function(done, "done of run_on_worker()");
  state_->pool.run([this, work = std::move(work), done = std::move(done)]() mutable {
    work();
    work = nullptr;
    asio::post(state_->context, std::move(done));
  });
}

asio::io_context& AsioRuntime::executor() { return state_->context; }

}  // namespace libp2p::runtime
