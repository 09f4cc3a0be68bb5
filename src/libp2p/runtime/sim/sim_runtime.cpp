#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/peer_text.hpp"
#include "libp2p/runtime/sim/sim_state.hpp"

namespace libp2p::runtime {
namespace {

class SimTimer final : public Timer {
 public:
  SimTimer(SimWorld::State& world, NodeIndex node, std::function<void()> on_fire)
      : state_(std::make_shared<State>(world, node, std::move(on_fire))) {}
  ~SimTimer() override { disarm(); }

  void arm(MonoTime deadline) override {
    disarm();
    state_->armed = state_->world.queue.add(deadline, state_->node, SimEventKind::timer, [state = state_] {
      state->armed.reset();
      state->on_fire();
    });
  }
  void disarm() override {
    if (state_->armed) state_->world.queue.remove(*state_->armed);
    state_->armed.reset();
  }

 private:
  struct State {
    State(SimWorld::State& w, NodeIndex n, std::function<void()> callback)
        : world(w), node(n), on_fire(std::move(callback)) {}
    SimWorld::State& world;
    NodeIndex node;
    std::function<void()> on_fire;
    std::optional<EventQueue::Key> armed;
  };
  std::shared_ptr<State> state_;
};

// A callback that its owner can take back.
template <class Answer>
struct Pending {
  std::function<void(Answer)> done;
  void finish(Answer answer) {
    if (const auto call = std::exchange(done, nullptr)) call(std::move(answer));
  }
};

template <class Answer>
class PendingOperation final : public Operation {
 public:
  explicit PendingOperation(std::shared_ptr<Pending<Answer>> pending) : pending_(std::move(pending)) {}
  ~PendingOperation() override { pending_->done = nullptr; }

 private:
  std::shared_ptr<Pending<Answer>> pending_;
};

std::string hex_group(std::size_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (; value > 0; value /= 16) out.insert(out.begin(), kDigits[value % 16]);
  return out;
}

// Indices begin at 1 so that no node has an address that ends in zero.
std::string make_ip4(NodeIndex index) {
  const std::size_t n = index + 1;
  return "10." + std::to_string(n >> 16 & 255) + "." + std::to_string(n >> 8 & 255) + "." + std::to_string(n & 255);
}
// Written as inet_ntop does: the zeros in the middle shortened.
std::string make_ip6(NodeIndex index) {
  const std::size_t n = index + 1;
  std::string out = "fd00::";
  if (n >> 16 != 0) out.append(hex_group(n >> 16)).append(":");
  return out.append((n & 0xffff) == 0 ? "0" : hex_group(n & 0xffff));
}

using SocketAnswer = Result<std::unique_ptr<Socket>>;

// A dial on its way: the packet has reached the other side.
struct Dial {
  std::shared_ptr<Pending<SocketAnswer>> pending;
  NodeIndex from = 0;
  NodeIndex to = 0;
  Endpoint source;
  Endpoint target;
  LinkQuality forth;
  LinkQuality back;
};

std::shared_ptr<SimPipe> make_pipe(SimWorld::State& world, NodeIndex from, NodeIndex to, const LinkQuality& quality) {
  auto pipe = std::make_shared<SimPipe>();
  pipe->from = from;
  pipe->to = to;
  pipe->quality = quality;
  if (world.pipes.size() >= world.sweep_pipes_at) {
    std::erase_if(world.pipes, [](const auto& entry) { return entry.second.expired(); });
    world.sweep_pipes_at = std::max<std::size_t>(64, world.pipes.size() * 2);
  }
  world.pipes.emplace(world.next_pipe++, pipe);
  return pipe;
}

void reach(SimWorld::State& world, const Dial& dial) {
  const auto refuse = [&world, &dial](std::string why) {
    world.queue.add(world.now() + dial.back.latency, dial.from, SimEventKind::dial,
                    [pending = dial.pending, text = "connect to " + dial.target.to_string() + " failed: " + why] {
                      pending->finish(fail(Errc::unreachable, text));
                    });
  };
  if (!dial.pending->done) return;
  if (!world.reachable(dial.from, dial.to)) {
    world.queue.add(world.now() + world.options.dial_gives_up, dial.from, SimEventKind::dial,
                    [pending = dial.pending, text = "connect to " + dial.target.to_string() + " failed: no answer"] {
                      pending->finish(fail(Errc::timed_out, text));
                    });
    return;
  }
  const SimListener* listener = world.listener_at(dial.to, dial.target);
  if (listener == nullptr) return refuse("connection refused");
  const auto forth = make_pipe(world, dial.from, dial.to, dial.forth);
  const auto back = make_pipe(world, dial.to, dial.from, dial.back);
  auto near = std::make_shared<std::unique_ptr<Socket>>(
      std::make_unique<SimSocket>(world, dial.from, forth, back, dial.source, dial.target));
  const Nanos answered_after = dial.back.latency + set_up_delay(dial.back, world.rng);
  world.queue.add(world.now() + answered_after, dial.from, SimEventKind::dial, [pending = dial.pending, near] {
    if (pending->done) pending->finish(std::move(*near));
  });
  listener->accept(std::make_unique<SimSocket>(world, dial.to, back, forth, dial.target, dial.source));
}

}  // namespace

SimRuntime::SimRuntime(SimWorld::State& w, NodeIndex node, Nanos offset)
    : world(w),
      index(node),
      ip4(make_ip4(node)),
      ip6(make_ip6(node)),
      wall_offset(offset),
      lookups(w.options.most_look_ups),
      rng_(w.seed * 0x9e3779b97f4a7c15 + node + 1),
      cost_rng_(w.seed * 0x9e3779b97f4a7c15 + ~std::uint64_t{node}) {}

SimRuntime::~SimRuntime() = default;

Now SimRuntime::now() const {
  const Nanos since = world.now() - MonoTime(Seconds(1000));
  return {world.now(), world.options.epoch + since + wall_offset};
}

void SimRuntime::post(std::function<void()> task) {
  require_function(task, "the task of post()");
  world.queue.add(world.now(), index, SimEventKind::task, std::move(task));
}

std::unique_ptr<Timer> SimRuntime::make_timer(std::function<void()> on_fire) {
  require_function(on_fire, "on_fire of make_timer()");
  return std::make_unique<SimTimer>(world, index, std::move(on_fire));
}

std::uint16_t SimRuntime::free_port(const std::string& ip) {
  for (int tries = 0; tries < 32768; ++tries) {
    if (next_port_ < 32768) next_port_ = 32768;
    const std::uint16_t port = next_port_++;
    if (!listeners.contains(Endpoint(ip, port))) return port;
  }
  return 0;
}

Result<std::unique_ptr<Listener>> SimRuntime::listen(const Endpoint& at,
                                                     std::function<void(std::unique_ptr<Socket>)> on_accept) {
  require_function(on_accept, "on_accept of listen()");
  const std::string what = "listen on " + at.to_string() + " failed: ";
  const bool any = at.ip == "0.0.0.0" || at.ip == "::";
  if (!any && world.node_of(at.ip, index) != index)
    return fail(Errc::io, what + "this machine does not have that address");
  Endpoint local = at;
  if (local.port == 0) local.port = free_port(local.ip);
  if (local.port == 0 || listeners.contains(local)) {
    return fail(Errc::io, what + "the address is in use; choose another port or stop the program that has it");
  }
  return std::unique_ptr<Listener>(std::make_unique<SimListener>(*this, local, std::move(on_accept)));
}

std::unique_ptr<Operation> SimRuntime::connect(const Endpoint& to, std::function<void(SocketAnswer)> done) {
  require_function(done, "done of connect()");
  auto pending = std::make_shared<Pending<SocketAnswer>>();
  pending->done = std::move(done);
  auto operation = std::make_unique<PendingOperation<SocketAnswer>>(pending);
  const auto target = world.node_of(to.ip, index);
  if (!target) {
    world.queue.add(world.now(), index, SimEventKind::dial, [pending, to] {
      pending->finish(fail(Errc::unreachable, "connect to " + to.to_string() + " failed: no route to host"));
    });
    return operation;
  }
  const bool v6 = to.ip.find(':') != std::string::npos;
  const std::string own = *target == index ? to.ip : v6 ? ip6 : ip4;
  Dial dial{pending, index, *target, Endpoint(own, free_port(own)), to, {}, {}};
  dial.forth = world.links->quality(index, *target, world.rng);
  dial.back = world.links->quality(*target, index, world.rng);
  const Nanos way = dial.forth.latency + set_up_delay(dial.forth, world.rng);
  world.queue.add(world.now() + way, *target, SimEventKind::accept, [this, dial] { reach(world, dial); });
  return operation;
}

namespace {

using NameAnswer = Result<std::vector<std::string>>;

NameAnswer answer_of(const SimWorld::State& world, const std::string& host, Family family) {
  const auto found = world.names.find(host);
  std::vector<std::string> out;
  if (found != world.names.end()) {
    if (found->second.dead) {
      return fail(Errc::timed_out, "look-up of '" + peer_text(host) + "' failed: no answer from the name servers");
    }
    for (const auto& ip : found->second.addresses) {
      const bool v6 = ip.find(':') != std::string::npos;
      if (family == Family::any || (family == Family::ip6) == v6) out.push_back(ip);
    }
  }
  if (out.empty()) return fail(Errc::not_found, "look-up of '" + peer_text(host) + "' failed: no such name");
  return out;
}

// A look-up with its place in the node's queue and, while it runs, its event.
struct SimLookup {
  explicit SimLookup(SimRuntime& r) : runtime(r) {}
  // Ended or abandoned: nothing of it stays.
  void leave() {
    if (event) runtime.world.queue.remove(*event);
    event.reset();
    if (const auto id = std::exchange(place, std::nullopt)) runtime.lookups.leave(*id);
  }
  void answer_after(Nanos delay, const std::shared_ptr<SimLookup>& self, std::function<NameAnswer()> answer) {
    event = runtime.world.queue.add(runtime.world.now() + delay, runtime.index, SimEventKind::resolve,
                                    [self, answer = std::move(answer)] {
                                      self->leave();
                                      if (const auto call = std::exchange(self->done, nullptr)) call(answer());
                                    });
  }

  SimRuntime& runtime;
  std::function<void(NameAnswer)> done;
  std::optional<LookupQueue::Id> place;
  std::optional<EventQueue::Key> event;
};

class SimLookupOperation final : public Operation {
 public:
  explicit SimLookupOperation(std::shared_ptr<SimLookup> lookup) : lookup_(std::move(lookup)) {}
  ~SimLookupOperation() override {
    lookup_->done = nullptr;
    lookup_->leave();
  }

 private:
  std::shared_ptr<SimLookup> lookup_;
};

}  // namespace

std::unique_ptr<Operation> SimRuntime::resolve(const std::string& host, Family family,
                                               std::function<void(NameAnswer)> done) {
  require_function(done, "done of resolve()");
  auto lookup = std::make_shared<SimLookup>(*this);
  lookup->done = std::move(done);
  auto operation = std::make_unique<SimLookupOperation>(lookup);
  lookup->place = lookups.enter([this, weak = std::weak_ptr(lookup), host, family] {
    const auto started = weak.lock();
    if (!started) return;
    const auto known = world.names.find(host);
    Nanos takes = world.options.look_up_time;
    if (known != world.names.end()) {
      takes = known->second.dead ? world.options.look_up_gives_up : known->second.takes.value_or(takes);
    }
    started->answer_after(takes, started, [this, host, family] { return answer_of(world, host, family); });
  });
  if (!lookup->place) {
    lookup->answer_after(Nanos(0), lookup, [host]() -> NameAnswer {
      return fail(Errc::exhausted,
                  "look-up of '" + peer_text(host) + "' refused: too many wait; try again when some have ended");
    });
  }
  return operation;
}

void SimRuntime::run_on_worker(std::function<void()> work, std::function<void()> done) {
  require_function(work, "the work of run_on_worker()");
  require_function(done, "done of run_on_worker()");
  const auto most = static_cast<std::uint64_t>(world.options.longest_work.count());
  const Nanos takes(static_cast<std::int64_t>(world.rng.below(most + 1)));
  world.queue.add(world.now() + takes, index, SimEventKind::work, [work = std::move(work), done = std::move(done)] {
    work();
    done();
  });
}

Nanos SimRuntime::run_here(const std::function<void()>& work) {
  require_function(work, "the work of run_here()");
  work();
  const Nanos least = world.options.least_work_here;
  const Nanos range = world.options.most_work_here - least;
  OPP2P_ASSERT(range >= Nanos(0), "the least cost is at most the most", least, world.options.most_work_here);
  return least + Nanos(static_cast<std::int64_t>(cost_rng_.below(static_cast<std::uint64_t>(range.count()) + 1)));
}

}  // namespace libp2p::runtime
