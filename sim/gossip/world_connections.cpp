// Connections: dials, ends, partitions.
#include <algorithm>

#include "sim/gossip/world.hpp"
#include "sim/gossip/world_port.hpp"

namespace opp2p::sim::gossip {
namespace {

using Table = std::vector<std::pair<Member, std::uint32_t>>;

auto place_in(const Table& table, Member peer) {
  return std::lower_bound(table.begin(), table.end(), peer,
                          [](const auto& entry, Member wanted) { return entry.first < wanted; });
}

}  // namespace

const World::Connection* World::find(Member a, Member b) const {
  const Table& table = members_[a]->connections;
  const auto at = place_in(table, b);
  return at != table.end() && at->first == b ? &connections_[at->second] : nullptr;
}

World::Connection* World::find(Member a, Member b, std::uint32_t& index) {
  const Table& table = members_[a]->connections;
  const auto at = place_in(table, b);
  if (at == table.end() || at->first != b) return nullptr;
  index = at->second;
  return &connections_[index];
}

bool World::connect(Member from, Member to) {
  if (from == to || !is_running(from) || !is_running(to) || find(from, to) != nullptr || find(to, from) != nullptr)
    return false;
  if (members_[to]->inbound >= members_[to]->spec.max_inbound || !members_[to]->actor->accepts(from)) return false;
  open(from, to);
  return true;
}

void World::dial(Member from, Member to) {
  State& state = *members_[from];
  if (from == to || to >= members_.size() || find(from, to) != nullptr || !state.dialling.insert(to).second) return;
  ++counters_.dials;
  const Nanos round_trip = 2 * latency_between(state.spec.region, members_[to]->spec.region);
  const bool is_cut = !reaches(from, to);
  const Nanos until = is_cut           ? params_.net.dial_timeout
                      : is_running(to) ? params_.net.dial_round_trips * round_trip
                                       : round_trip;  // its host refuses
  events_.push(time_ + until, Event{.kind = is_cut || !is_running(to) ? EventKind::dial_failed : EventKind::dialled,
                                    .member = from,
                                    .connection = to,
                                    .number = state.epoch});
}

void World::finish_dial(Member from, Member to, bool reached) {
  State& state = *members_[from];
  if (!state.actor || state.dialling.erase(to) == 0) return;
  // The other end may not have heard yet that a connection before this one has ended.
  std::uint32_t index = 0;
  const bool is_stale = find(from, to) == nullptr && find(to, from, index) != nullptr;
  if (reached && is_stale) hear_of_close(index, connections_[index].end_of(to));
  if (reached && reaches(from, to) && connect(from, to)) return;
  ++counters_.dials_failed;
  state.actor->on_dial_failed(to);
  settle(from);
}

std::uint32_t World::open(Member from, Member to) {
  std::uint32_t index = 0;
  if (free_connections_.empty()) {
    index = static_cast<std::uint32_t>(connections_.size());
    connections_.emplace_back();
  } else {
    index = free_connections_.back();
    free_connections_.pop_back();
  }
  Connection& connection = connections_[index];
  connection = Connection();
  const std::uint64_t generation = next_generation_++;
  connection.generation = generation;
  connection.ends = {from, to};
  connection.open = {true, true};
  connection.latency = latency_between(members_[from]->spec.region, members_[to]->spec.region);
  for (const unsigned end : {0U, 1U}) {
    Table& table = members_[connection.ends[end]]->connections;
    const Member peer = connection.ends[1 - end];
    table.insert(place_in(table, peer), {peer, index});
  }
  ++members_[to]->inbound;
  fold(mix(from, to));
  members_[to]->actor->on_connected(from, Direction::inbound);
  settle(to);
  // The first may have closed it at once, and then it is not known to the other either.
  if (is_running(from) && connections_[index].generation == generation && connections_[index].open[0]) {
    members_[from]->actor->on_connected(to, Direction::outbound);
    settle(from);
  }
  return index;
}

void World::close_end(std::uint32_t index, unsigned end) {
  Connection& connection = connections_[index];
  OPP2P_ASSERT(connection.open[end], "an end is closed once", index);
  State& state = *members_[connection.ends[end]];
  const auto at = place_in(state.connections, connection.ends[1 - end]);
  OPP2P_ASSERT(at != state.connections.end() && at->second == index, "a member's table leads to its connections",
               index);
  state.connections.erase(at);
  if (end == 1) --state.inbound;
  connection.open[end] = false;
}

// What is under way is lost.
void World::drop_traffic(Connection& connection) {
  for (Link& link : connection.links) {
    counters_.bytes_lost += link.in_flight;
    link.in_flight = 0;
    link.held.clear();
  }
}

void World::free_if_closed(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.open[0] || connection.open[1]) return;
  connection = Connection();
  free_connections_.push_back(index);
}

// One end closes; the other hears of it later.
void World::close(Member member, std::uint32_t index, Nanos until_heard) {
  Connection& connection = connections_[index];
  const unsigned end = connection.end_of(member);
  fold(mix(member, index));
  close_end(index, end);
  drop_traffic(connection);
  if (!connection.open[1 - end]) return free_if_closed(index);
  events_.push(time_ + until_heard, Event{.kind = EventKind::closed,
                                          .end = static_cast<std::uint8_t>(1 - end),
                                          .member = connection.ends[1 - end],
                                          .connection = index,
                                          .number = connection.generation});
}

void World::hear_of_close(std::uint32_t index, unsigned end) {
  Connection& connection = connections_[index];
  if (!connection.open[end]) return;
  const Member member = connection.ends[end];
  const Member peer = connection.ends[1 - end];
  close_end(index, end);
  drop_traffic(connection);
  free_if_closed(index);
  if (!is_running(member)) return;
  members_[member]->actor->on_disconnected(peer);
  settle(member);
}

void World::set_group(Member member, std::uint32_t group) {
  State& state = *members_[member];
  if (state.group == group) return;
  state.group = group;
  for (const auto& [peer, index] : state.connections) {
    Connection& connection = connections_[index];
    if (!reaches(member, peer)) {
      events_.push(time_ + params_.net.partition_timeout,
                   Event{.kind = EventKind::cut, .connection = index, .number = connection.generation});
      continue;
    }
    for (const unsigned end : {0U, 1U}) {
      Link& link = connection.links[end];
      link.not_before = time_ + connection.latency;  // it is sent again, and what comes now waits for that
      for (Wire& wire : link.held) {
        events_.push(link.not_before, Event{.kind = EventKind::arrival,
                                            .end = static_cast<std::uint8_t>(1 - end),
                                            .member = connection.ends[1 - end],
                                            .connection = index,
                                            .number = connection.generation,
                                            .wire = std::move(wire)});
      }
      link.held.clear();
      link.last_arrival = std::max(link.last_arrival, link.not_before);
    }
  }
}

void World::heal() {
  for (Member member = 0; member < members_.size(); ++member) set_group(member, 0);
}

void World::notice_cut(std::uint32_t index) {
  const auto ends = connections_[index].ends;
  const std::uint64_t generation = connections_[index].generation;
  if (reaches(ends[0], ends[1])) return;
  for (const unsigned end : {0U, 1U}) {
    if (connections_[index].generation == generation) hear_of_close(index, end);
  }
}

}  // namespace opp2p::sim::gossip
