#include "runtime/sim/sim_world.hpp"

#include <algorithm>

#include "runtime/sim/sim_state.hpp"

namespace libp2p::runtime {

Runtime& SimNode::runtime() const { return *runtime_; }
std::string SimNode::ip4() const { return runtime_->ip4; }
std::string SimNode::ip6() const { return runtime_->ip6; }
void SimNode::set_wall_offset(Nanos offset) const { runtime_->wall_offset = offset; }

SimWorld::State::State(std::uint64_t world_seed, Options world_options, std::unique_ptr<LinkModel> link_model)
    : options(world_options), links(std::move(link_model)), rng(world_seed), seed(world_seed) {}

// Events in the queue own sockets, which talk to the queue when they go.
SimWorld::State::~State() { queue.close(); }

bool SimWorld::State::reachable(NodeIndex a, NodeIndex b) const {
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
  const bool delivered = queue.deliver_one(limit);
  if (context) {
    context->restart();
    context->poll();
  }
  return delivered;
}

void SimWorld::State::send(const std::shared_ptr<SimPipe>& pipe, Bytes chunk) {
  pipe->link_free = std::max(pipe->link_free, now());
  if (pipe->quality.bytes_per_second > 0) {
    const auto bytes = static_cast<std::int64_t>(chunk.size());
    const auto rate = static_cast<std::int64_t>(pipe->quality.bytes_per_second);
    pipe->link_free += Nanos(bytes * 1'000'000 / rate * 1'000 + bytes * 1'000'000 % rate * 1'000 / rate);
  }
  pipe->last_arrival = std::max(pipe->last_arrival, pipe->link_free + pipe->quality.latency);
  queue.add(pipe->last_arrival, pipe->to, SimEventKind::deliver,
            [this, pipe, chunk = std::move(chunk)]() mutable { arrive(pipe, std::move(chunk)); });
}

void SimWorld::State::send_end(const std::shared_ptr<SimPipe>& pipe) {
  if (std::exchange(pipe->end_sent, true)) return;
  pipe->last_arrival = std::max(pipe->last_arrival, std::max(pipe->link_free, now()) + pipe->quality.latency);
  queue.add(pipe->last_arrival, pipe->to, SimEventKind::deliver, [this, pipe] { arrive_end(pipe); });
}

void SimWorld::State::arrive(const std::shared_ptr<SimPipe>& pipe, Bytes chunk) {
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
  if (!reachable(pipe->from, pipe->to) || !pipe->held.empty()) {
    pipe->end_held = true;
    return;
  }
  pipe->end_arrived = true;
  if (pipe->reader == nullptr) return;
  pipe->reader->wake_reader();
}

void SimWorld::State::refuse(const std::shared_ptr<SimPipe>& pipe) {
  queue.add(now() + pipe->quality.latency, pipe->from, SimEventKind::credit, [pipe] {
    pipe->refused = true;
    if (pipe->writer != nullptr) pipe->writer->wake_writer();
  });
}

void SimWorld::State::give_credit(const std::shared_ptr<SimPipe>& pipe, std::size_t bytes) {
  queue.add(now() + pipe->quality.latency, pipe->from, SimEventKind::credit, [pipe, bytes] {
    pipe->outstanding -= bytes;
    if (pipe->writer != nullptr) pipe->writer->wake_writer();
  });
}

void SimWorld::State::release_held() {
  for (const auto& [id, weak] : pipes) {
    const auto pipe = weak.lock();
    if (!pipe || !reachable(pipe->from, pipe->to)) continue;
    // At once: bytes that are on their way now were sent later and must not overtake these.
    for (auto& chunk : std::exchange(pipe->held, {})) arrive(pipe, std::move(chunk));
    if (std::exchange(pipe->end_held, false)) arrive_end(pipe);
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

std::uint64_t SimWorld::delivered() const { return state_->queue.delivered(); }
std::uint64_t SimWorld::trace_hash() const { return state_->queue.hash(); }
void SimWorld::fold(std::uint64_t value) { state_->queue.fold(value); }

std::size_t SimWorld::disconnect(NodeIndex a, NodeIndex b) {
  std::size_t count = 0;
  for (auto it = state_->pipes.begin(); it != state_->pipes.end();) {
    const auto pipe = it->second.lock();
    if (!pipe) {
      it = state_->pipes.erase(it);
      continue;
    }
    ++it;
    const bool between = (pipe->from == a && pipe->to == b) || (pipe->from == b && pipe->to == a);
    if (!between || (pipe->writer == nullptr && pipe->reader == nullptr)) continue;
    ++count;
    if (pipe->writer != nullptr) pipe->writer->tear_down();
    if (pipe->reader != nullptr) pipe->reader->tear_down();
  }
  return count / 2;
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

void SimWorld::add_name(std::string host, std::vector<std::string> addresses) {
  state_->names.insert_or_assign(std::move(host), std::move(addresses));
}

void SimWorld::at(MonoTime at, std::function<void()> task) {
  state_->queue.add(at, nodes(), SimEventKind::scenario, std::move(task));
}

}  // namespace libp2p::runtime
