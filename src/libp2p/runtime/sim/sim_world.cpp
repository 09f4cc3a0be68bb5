#include "libp2p/runtime/sim/sim_world.hpp"

#include <algorithm>

#include "libp2p/runtime/sim/sim_state.hpp"

namespace libp2p::runtime {

Runtime& SimNode::runtime() const { return *runtime_; }
std::string SimNode::ip4() const { return runtime_->ip4; }
std::string SimNode::ip6() const { return runtime_->ip6; }
void SimNode::set_wall_offset(Nanos offset) const { runtime_->wall_offset = offset; }
void SimNode::set_read_rate(std::uint64_t bytes_per_second) const { runtime_->read_rate = bytes_per_second; }

SimWorld::State::State(std::uint64_t world_seed, Options world_options, std::unique_ptr<LinkModel> link_model)
    : options(world_options), links(std::move(link_model)), rng(world_seed), seed(world_seed) {}

// Events in the queue own sockets, which talk to the queue when they go.
SimWorld::State::~State() { queue.close(); }

bool SimWorld::State::reachable(NodeIndex a, NodeIndex b) const {
  if (off.contains(a) || off.contains(b)) return false;
  if (group.empty() || a == b) return true;
  const auto group_of = [this](NodeIndex n) { return n < group.size() ? group[n] : 0; };
  return group_of(a) == group_of(b);
}

std::optional<NodeIndex> SimWorld::State::node_of(const std::string& ip, NodeIndex from) const {
  if (ip == "::1" || ip.starts_with("127.")) return from;
  const auto found = addresses.find(ip);
  if (found == addresses.end()) return std::nullopt;
  return found->second;
}

SimListener* SimWorld::State::listener_at(NodeIndex node, const Endpoint& at) const {
  const auto& listeners = nodes[node]->listeners;
  auto found = listeners.find(at);
  if (found == listeners.end()) {
    const bool v6 = at.ip.find(':') != std::string::npos;
    found = listeners.find(Endpoint(v6 ? "::" : "0.0.0.0", at.port));
  }
  return found == listeners.end() ? nullptr : found->second;
}

bool SimWorld::State::step(MonoTime limit) {
  const AssertionScene scene([](const void* state) { return static_cast<const State*>(state)->scene(); }, this);
  if (!queue.deliver_one(limit)) return false;
  run_checks();
  return true;
}

// The sample is drawn without the world's Rng, whose next number nothing may depend on that changes nothing.
void SimWorld::State::run_checks() const {
  const std::uint64_t every = options.check_every;
  if (every == 0 || (queue.delivered() + seed) % every != 0) return;
  if (queue.node() < nodes.size()) nodes[queue.node()]->lookups.check();
  for (auto [check, end] = checks.equal_range(queue.node()); check != end; ++check) check->second();
}

std::string SimWorld::State::scene() const {
  const auto since = std::chrono::duration_cast<Micros>(now() - MonoTime(Seconds(1000)));
  return "the simulated world of seed " + std::to_string(seed) + ", after " + std::to_string(since.count()) +
         " us of its time, in event " + std::to_string(queue.delivered()) + " (" +
         std::string(to_string(queue.kind())) + ", node " + std::to_string(queue.node()) + ")";
}

void SimWorld::State::send(const std::shared_ptr<SimPipe>& pipe, Bytes chunk) {
  pipe->link_free = std::max(pipe->link_free, now());
  if (pipe->quality.bytes_per_second > 0) {
    const auto bytes = static_cast<std::int64_t>(chunk.size());
    const auto rate = static_cast<std::int64_t>(pipe->quality.bytes_per_second);
    pipe->link_free += Nanos(bytes * 1'000'000 / rate * 1'000 + bytes * 1'000'000 % rate * 1'000 / rate);
  }
  Nanos way = pipe->quality.latency + retransmission_delay(pipe->quality, chunk.size(), rng);
  if (pipe->quality.jitter > Nanos(0))
    way += Nanos(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(pipe->quality.jitter.count()) + 1)));
  OPP2P_ASSERT(!chunk.empty() && pipe->outstanding <= pipe->quality.buffer_bytes, "a connection's buffer is bounded",
               pipe->outstanding);
  pipe->last_arrival = std::max(pipe->last_arrival, pipe->link_free + way);
  queue.add(pipe->last_arrival, pipe->to, SimEventKind::deliver,
            [this, pipe, chunk = std::move(chunk)]() mutable { arrive(pipe, std::move(chunk)); });
}

void SimWorld::State::send_end(const std::shared_ptr<SimPipe>& pipe) {
  if (std::exchange(pipe->end_sent, true)) return;
  pipe->last_arrival = std::max(pipe->last_arrival, std::max(pipe->link_free, now()) + pipe->quality.latency);
  queue.add(pipe->last_arrival, pipe->to, SimEventKind::deliver, [this, pipe] { arrive_end(pipe); });
}

// A host that had lost its power, and has it again, does not know the connection.
bool SimWorld::State::comes_nowhere(const std::shared_ptr<SimPipe>& pipe) {
  if (!pipe->cut) return false;
  if (reachable(pipe->from, pipe->to)) answer_with_reset(pipe);
  return true;
}

void SimWorld::State::arrive(const std::shared_ptr<SimPipe>& pipe, Bytes chunk) {
  if (comes_nowhere(pipe)) return;
  if (!reachable(pipe->from, pipe->to) || !pipe->held.empty()) {
    pipe->held.push_back(std::move(chunk));
    return;
  }
  if (pipe->reader == nullptr) return;
  queue.fold(ByteView(chunk));
  pipe->unread += chunk.size();
  pipe->arrived.push_back(std::move(chunk));
  pipe->reader->wake_reader();
}

void SimWorld::State::arrive_end(const std::shared_ptr<SimPipe>& pipe) {
  if (comes_nowhere(pipe)) return;
  if (!reachable(pipe->from, pipe->to) || !pipe->held.empty()) {
    pipe->end_held = true;
    return;
  }
  pipe->end_arrived = true;
  if (pipe->reader == nullptr) return;
  pipe->reader->wake_reader();
}

void SimWorld::State::answer_with_reset(const std::shared_ptr<SimPipe>& pipe) {
  queue.add(now() + pipe->quality.latency, pipe->from, SimEventKind::deliver, [pipe] {
    if (pipe->writer != nullptr) pipe->writer->tear_down();
  });
}

void SimWorld::State::refuse(const std::shared_ptr<SimPipe>& pipe) {
  queue.add(now() + pipe->quality.latency, pipe->from, SimEventKind::credit, [this, pipe] { take_refusal(*pipe); });
}

void SimWorld::State::take_refusal(SimPipe& pipe) {
  if (pipe.cut) return;
  if (!reachable(pipe.from, pipe.to)) {
    pipe.held_refusal = true;
    return;
  }
  pipe.refused = true;
  if (pipe.writer != nullptr) pipe.writer->wake_writer();
}

void SimWorld::State::give_credit(const std::shared_ptr<SimPipe>& pipe, std::size_t bytes) {
  queue.add(now() + pipe->quality.latency, pipe->from, SimEventKind::credit,
            [this, pipe, bytes] { take_credit(*pipe, bytes); });
}

void SimWorld::State::take_credit(SimPipe& pipe, std::size_t bytes) {
  if (pipe.cut) return;
  if (!reachable(pipe.from, pipe.to)) {
    pipe.held_credit += bytes;
    return;
  }
  OPP2P_ASSERT(pipe.outstanding >= bytes, "no more is read than was sent", pipe.outstanding, bytes);
  pipe.outstanding -= bytes;
  if (pipe.writer != nullptr) pipe.writer->wake_writer();
}

void SimWorld::State::release_held() {
  for (const auto& [id, weak] : pipes) {
    const auto pipe = weak.lock();
    if (!pipe || !reachable(pipe->from, pipe->to)) continue;
    // At once: bytes that are on their way now were sent later and must not overtake these.
    for (auto& chunk : std::exchange(pipe->held, {})) arrive(pipe, std::move(chunk));
    if (std::exchange(pipe->end_held, false)) arrive_end(pipe);
    if (pipe->held_credit > 0) take_credit(*pipe, std::exchange(pipe->held_credit, 0));
    if (std::exchange(pipe->held_refusal, false)) take_refusal(*pipe);
  }
}

SimWorld::SimWorld(std::uint64_t seed) : SimWorld(seed, Options{}, std::make_unique<UniformLinks>()) {}

SimWorld::SimWorld(std::uint64_t seed, Options options, std::unique_ptr<LinkModel> links)
    : state_(std::make_unique<State>(seed, options, std::move(links))) {}

SimWorld::~SimWorld() = default;

SimNode SimWorld::add_node(SimNodeOptions options) {
  const NodeIndex index = state_->nodes.size();
  state_->nodes.push_back(std::make_unique<SimRuntime>(*state_, index, options.wall_offset));
  SimRuntime& runtime = *state_->nodes.back();
  state_->addresses.emplace(runtime.ip4, index);
  state_->addresses.emplace(runtime.ip6, index);
  return {runtime, index};
}

std::size_t SimWorld::nodes() const { return state_->nodes.size(); }
MonoTime SimWorld::now() const { return state_->now(); }

void SimWorld::run_for(Nanos duration) {
  const MonoTime end = now() + duration;
  while (state_->step(end)) {
  }
  state_->queue.set_now(end);
}

bool SimWorld::run_until(const std::function<bool()>& done, Nanos limit) {
  const MonoTime end = now() + limit;
  while (!done()) {
    if (!state_->step(end)) {
      state_->queue.set_now(end);
      return done();
    }
  }
  return true;
}

SimWorld::Sizes SimWorld::sizes() const {
  Sizes out;
  out.events = state_->queue.size();
  std::size_t directions = 0;
  for (const auto& pipe : state_->open_pipes()) {
    ++directions;
    out.unread_bytes += pipe->outstanding;
    out.fullest = std::max(out.fullest, pipe->outstanding);
  }
  out.connections = directions / 2;
  return out;
}

std::uint64_t SimWorld::delivered() const { return state_->queue.delivered(); }
std::uint64_t SimWorld::trace_hash() const { return state_->queue.hash(); }
void SimWorld::fold(std::uint64_t value) { state_->queue.fold(value); }

std::vector<std::shared_ptr<SimPipe>> SimWorld::State::open_pipes() const {
  std::vector<std::shared_ptr<SimPipe>> out;
  for (const auto& [id, weak] : pipes) {
    auto pipe = weak.lock();
    if (pipe && (pipe->writer != nullptr || pipe->reader != nullptr)) out.push_back(std::move(pipe));
  }
  return out;
}

void SimWorld::State::tear_down(const SimPipe& pipe) {
  if (pipe.writer != nullptr) pipe.writer->tear_down();
  if (pipe.reader != nullptr) pipe.reader->tear_down();
}

std::size_t SimWorld::disconnect(NodeIndex a, NodeIndex b) {
  std::size_t directions = 0;
  for (const auto& pipe : state_->open_pipes()) {
    if (std::minmax(pipe->from, pipe->to) != std::minmax(a, b)) continue;
    ++directions;
    State::tear_down(*pipe);
  }
  return directions / 2;
}

std::size_t SimWorld::lose_connections(double share) {
  std::size_t count = 0;
  // The two directions of a connection follow each other.
  const auto pipes = state_->open_pipes();
  for (std::size_t i = 0; i + 1 < pipes.size(); i += 2) {
    if (state_->rng.next_unit() >= share) continue;
    ++count;
    State::tear_down(*pipes[i]);
    State::tear_down(*pipes[i + 1]);
  }
  return count;
}

void SimWorld::power_off(NodeIndex node) {
  state_->off.insert(node);
  for (const auto& pipe : state_->open_pipes()) {
    if (pipe->from != node && pipe->to != node) continue;
    pipe->cut = true;
    pipe->held.clear();
    pipe->end_held = false;
  }
}

void SimWorld::power_on(NodeIndex node) {
  state_->off.erase(node);
  // What was sent meanwhile is sent again until somebody answers.
  for (const auto& pipe : state_->open_pipes()) {
    if (pipe->cut && pipe->to == node && pipe->outstanding > 0) state_->answer_with_reset(pipe);
  }
}

void SimWorld::partition(const std::vector<std::vector<NodeIndex>>& groups) {
  state_->group.assign(nodes(), 0);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const NodeIndex node : groups[g]) state_->group.at(node) = g + 1;
  }
  state_->release_held();
}

void SimWorld::heal() {
  state_->group.clear();
  state_->release_held();
}

bool SimWorld::reachable(NodeIndex a, NodeIndex b) const { return state_->reachable(a, b); }

void SimWorld::add_name(std::string host, std::vector<std::string> addresses, std::optional<Nanos> takes) {
  state_->names.insert_or_assign(std::move(host), SimName{std::move(addresses), takes});
}
void SimWorld::add_dead_name(std::string host) {
  state_->names.insert_or_assign(std::move(host), SimName{{}, {}, true});
}

void SimWorld::check_after_events(NodeIndex node, std::function<void()> check) {
  require_function(check, "the check of check_after_events()");
  state_->checks.emplace(node, std::move(check));
}

void SimWorld::at(MonoTime at, std::function<void()> task) {
  state_->queue.add(at, nodes(), SimEventKind::scenario, std::move(task));
}

}  // namespace libp2p::runtime
