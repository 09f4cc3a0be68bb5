#include "sim/gossip/world.hpp"

#include <algorithm>
#include <bit>

#include "sim/gossip/world_port.hpp"

namespace opp2p::sim::gossip {
namespace {

// Purposes of streams of numbers.
constexpr std::uint64_t kActors = 1;
constexpr std::uint64_t kDiscovery = 2;

// 10.0.0.0/8 as far as it goes, by member.
Multiaddr own_address(Member member) {
  const auto part = [&](unsigned shift) { return std::to_string((member >> shift) & 0xff); };
  return Multiaddr::from_text("/ip4/10." + part(16) + "." + part(8) + "." + part(0) + "/tcp/9222").value();
}

std::string describe_world(const void* world) {
  const World& self = *static_cast<const World*>(world);
  return "simulated gossip, seed " + std::to_string(self.params().seed) + ", event " +
         std::to_string(self.counters().events) + ", at " + std::to_string(self.time().time_since_epoch().count()) +
         " ns";
}

}  // namespace

World::World(WorldParams params) : params_(params), frames_(params_.rpc), hash_(params_.seed) {
  OPP2P_ASSERT(params_.net.window > 0 && params_.net.packet_size > 0, "links can carry something");
}

World::~World() {
  for (auto& member : members_) member->actor.reset();
}

Member World::add(MemberSpec spec) {
  const auto member = static_cast<Member>(members_.size());
  OPP2P_ASSERT(member < 1U << 24, "each member has an address of its own", member);
  OPP2P_ASSERT(spec.make != nullptr && spec.link.up_rate > 0 && spec.link.down_rate > 0, "a member can act", member);
  auto state = std::make_unique<State>();
  state->address = spec.address ? *spec.address : own_address(member);
  if (spec.announces) announced_.push_back(member);
  state->spec = std::move(spec);
  state->port = std::make_unique<Port>(*this, member);
  const std::uint64_t own = mix(params_.seed, member);
  state->rng = std::make_unique<libp2p::SeededRng>(mix(own, kActors));
  state->discovery = std::make_unique<libp2p::SeededRng>(mix(own, kDiscovery));
  members_.push_back(std::move(state));
  actors_.push_back(nullptr);
  return member;
}

void World::start(Member member) {
  State& state = *members_[member];
  if (state.actor) return;
  ++state.epoch;
  state.verifiers.assign(state.spec.cpu ? std::max(1U, state.spec.cpu->verifiers) : 0, time_);
  state.processor_free = time_;
  state.actor = state.spec.make(*state.port);
  actors_[member] = state.actor.get();
  fold(mix(member, state.epoch));
  state.actor->start();
  settle(member);
}

void World::stop(Member member, Ending ending) {
  State& state = *members_[member];
  if (!state.actor) return;
  fold(mix(member, ~std::uint64_t{state.epoch}));
  state.actor->stop();
  const auto connections = state.connections;
  for (const auto& [peer, index] : connections) {
    close(member, index, ending == Ending::in_order ? connections_[index].latency : params_.net.partition_timeout);
  }
  actors_[member] = nullptr;
  state.actor.reset();
  state.ready.clear();
  state.inbox.clear();
  state.dialling.clear();
  state.processor_waits = false;  // the event that stands is of an epoch that has ended
  state.timer.reset();
  OPP2P_ASSERT(state.connections.empty() && state.inbound == 0, "who stops has no connections", member);
}

PeerId World::id_of(Member member) const { return gossip::id_of(member, members_[member]->identity); }

Now World::now_of(Member member) const {
  return {time_, params_.epoch + time_.time_since_epoch() + members_[member]->spec.clock_skew};
}

std::vector<Member> World::peers_of(Member member) const {
  std::vector<Member> peers;
  for (const auto& [peer, index] : members_[member]->connections) peers.push_back(peer);
  return peers;
}

void World::act(Member member, const std::function<void(Actor&)>& deed) {
  if (!is_running(member)) return;
  deed(*members_[member]->actor);
  settle(member);
}

void World::fold(std::uint64_t value) { hash_ = (std::rotl(hash_, 23) ^ value) * 0x9e3779b97f4a7c15; }

void World::at(MonoTime time, std::function<void()> happen) {
  const std::uint64_t script = next_script_++;
  scripts_.emplace(script, std::move(happen));
  events_.push(std::max(time, time_), Event{.kind = EventKind::script, .number = script});
}

void World::run_until(MonoTime until) {
  const libp2p::AssertionScene scene(describe_world, this);
  while (!events_.empty() && events_.next_time() <= until) {
    OPP2P_ASSERT(events_.next_time() >= time_, "time never goes back", time_);
    time_ = events_.next_time();
    Event event = events_.pop();
    ++counters_.events;
    fold(static_cast<std::uint64_t>(time_.time_since_epoch().count()));
    fold(mix(std::uint64_t{static_cast<std::uint8_t>(event.kind)} << 32 | event.member,
             std::uint64_t{event.connection} << 32 | event.wire.size));
    if (const Event* const next = events_.peek()) prefetch(*next);
    dispatch(event);
  }
  time_ = std::max(time_, until);
}

// The members of a large world are not in the processor's caches: what the next event needs is fetched meanwhile.
void World::prefetch(const Event& event) const {
  constexpr std::size_t kLine = 64;
  const auto fetch = [](const void* at, std::size_t lines) {
    for (std::size_t i = 0; i < lines; ++i) __builtin_prefetch(static_cast<const char*>(at) + i * kLine);
  };
  if (event.member < members_.size()) {
    fetch(members_[event.member].get(), 4);
    fetch(actors_[event.member], 6);
  }
  if (event.connection < connections_.size()) fetch(&connections_[event.connection], 4);
}

void World::dispatch(Event& event) {
  switch (event.kind) {
    case EventKind::arrival: return arrive(event);
    case EventKind::receipt: return receive(event);
    case EventKind::processor:
      if (members_[event.member]->epoch == event.number) run_processor(event.member);
      return;
    case EventKind::uplink: members_[event.member]->uplink_waits = false; return pump(event.member);
    case EventKind::credit:
      if (connections_[event.connection].generation != event.number) return;
      make_ready(event.connection, event.end);
      return pump(event.member);
    case EventKind::timer: {
      State& state = *members_[event.member];
      if (!state.actor || !state.timer || state.timer_number != event.number) return;
      state.timer.reset();
      const auto deadline = state.actor->next_deadline();
      if (deadline && *deadline <= time_) state.actor->on_timer();
      return settle(event.member);
    }
    case EventKind::work: {
      State& state = *members_[event.member];
      if (!state.actor || state.epoch != event.connection) return;
      state.actor->on_work_done(event.number, event.flag);
      return settle(event.member);
    }
    case EventKind::dialled:
    case EventKind::dial_failed:
      if (members_[event.member]->epoch != event.number) return;
      return finish_dial(event.member, event.connection, event.kind == EventKind::dialled);
    case EventKind::closed:
      if (connections_[event.connection].generation == event.number) hear_of_close(event.connection, event.end);
      return;
    case EventKind::cut:
      if (connections_[event.connection].generation == event.number) notice_cut(event.connection);
      return;
    case EventKind::script: {
      const auto script = scripts_.extract(event.number);
      script.mapped()();
      return;
    }
    case EventKind::none: break;
  }
  OPP2P_ASSERT(false, "every event is of a kind");
}

// After every call of an actor.
void World::settle(Member member) {
  State& state = *members_[member];
  if (!state.actor) return;
  if (!state.ready.empty()) pump(member);
  arm(member);
  if (params_.check_every == 0 || ++state.settled % params_.check_every != 0) return;
  ++counters_.checks;
  check_member(member);
}

void World::arm(Member member) {
  State& state = *members_[member];
  const auto deadline = state.actor->next_deadline();
  if (!deadline || (state.timer && *state.timer <= *deadline)) return;
  state.timer = std::max(*deadline, time_);
  events_.push(*state.timer, Event{.kind = EventKind::timer, .member = member, .number = ++state.timer_number});
}

void World::check_member(Member member) const {
  const State& state = *members_[member];
  OPP2P_CHECK(state.actor || state.connections.empty(), "who is down has no connections", member);
  std::size_t inbound = 0;
  for (const auto& [peer, index] : state.connections) {
    const Connection& connection = connections_[index];
    const unsigned end = connection.end_of(member);
    OPP2P_CHECK(connection.generation != 0 && connection.ends[end] == member && connection.ends[1 - end] == peer &&
                    connection.open[end],
                "a member's table leads to its connections", member, peer);
    inbound += end;
    check_connection(index);
  }
  OPP2P_CHECK(inbound == state.inbound, "connections from others are counted", member, inbound, state.inbound);
  OPP2P_CHECK(std::is_sorted(state.connections.begin(), state.connections.end()), "a member's table is in order",
              member);
  if (state.actor) state.actor->check();
}

void World::check_connection(std::uint32_t index) const {
  const Connection& connection = connections_[index];
  for (const Link& link : connection.links) {
    OPP2P_CHECK(connection.whole() || link.in_flight == 0, "nothing is under way on a connection that has ended",
                index);
    // One RPC may go beyond the window, if it began below.
    OPP2P_CHECK(link.in_flight < params_.net.window + params_.rpc.max_rpc + 16, "a direction has a window", index,
                link.in_flight);
    OPP2P_CHECK(link.pushed.bytes() <= params_.net.push_queue || link.pushed.size() == 1, "bytes that wait are bounded",
                index, link.pushed.bytes());
  }
}

void World::check() const {
  events_.check();
  for (Member member = 0; member < members_.size(); ++member) check_member(member);
  std::uint64_t in_flight = 0;
  for (const Connection& connection : connections_) {
    if (connection.generation == 0) continue;
    for (const Link& link : connection.links) in_flight += link.in_flight;
  }
  OPP2P_CHECK(counters_.bytes_sent == counters_.bytes_read + counters_.bytes_lost + in_flight,
              "bytes are read, lost or under way", counters_.bytes_sent, counters_.bytes_read, counters_.bytes_lost,
              in_flight);
}

std::vector<Member> World::Port::discover(std::size_t count) {
  std::vector<Member> found;
  const auto& all = world_.announced_;
  // A few more draws than are wanted: most of them are new.
  for (std::size_t draw = 0; draw < 4 * count + 4 && found.size() < count && !all.empty(); ++draw) {
    const Member member = all[static_cast<std::size_t>(state().discovery->below(all.size()))];
    if (member == self_ || is_connected(member) || std::find(found.begin(), found.end(), member) != found.end())
      continue;
    found.push_back(member);
  }
  return found;
}

void World::Port::disconnect(Member peer) {
  std::uint32_t index = 0;
  const Connection* connection = world_.find(self_, peer, index);
  if (connection != nullptr) world_.close(self_, index, connection->latency);
}

std::size_t World::Port::queued(Member to) const {
  const Connection* connection = world_.find(self_, to);
  return connection == nullptr ? 0 : connection->links[connection->end_of(self_)].pushed.bytes();
}

void World::Port::ready_to_send(Member to) {
  std::uint32_t index = 0;
  Connection* connection = world_.find(self_, to, index);
  if (connection == nullptr) return;
  const unsigned end = connection->end_of(self_);
  connection->links[end].pulls = true;
  world_.make_ready(index, end);
}

void World::Port::take_new_identity(std::optional<Multiaddr> address) {
  for (const Member peer : peers()) disconnect(peer);
  ++state().identity;
  if (address) state().address = *address;
}

}  // namespace opp2p::sim::gossip
