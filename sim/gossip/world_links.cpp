// RPCs on their way: up-link, distance, down-link, processor.
#include <algorithm>
#include <cmath>

#include "sim/gossip/world.hpp"
#include "sim/gossip/world_port.hpp"

namespace opp2p::sim::gossip {
namespace {

constexpr double kUnit = 0x1.0p-53;

double unit_of(std::uint64_t number) { return static_cast<double>(number >> 11) * kUnit; }

}  // namespace

Nanos World::transfer_time(std::size_t size, std::uint64_t rate) {
  return Nanos(static_cast<std::int64_t>(size * 1'000'000'000 / rate));
}

bool World::push(Member from, Member to, SharedBytes frame) {
  std::uint32_t index = 0;
  Connection* connection = find(from, to, index);
  if (connection == nullptr || frame == nullptr || frame->empty()) return false;
  Link& link = connection->links[connection->end_of(from)];
  if (link.pushed.bytes() + frame->size() > params_.net.push_queue && !link.pushed.empty()) {
    ++counters_.sends_refused;
    return false;
  }
  link.pushed.push(Wire::of(std::move(frame)));
  make_ready(index, connection->end_of(from));
  return true;
}

void World::make_ready(std::uint32_t index, unsigned end) {
  Link& link = connections_[index].links[end];
  if (link.is_ready) return;
  link.is_ready = true;
  members_[connections_[index].ends[end]]->ready.push_back({index, connections_[index].generation});
}

// Connections take turns, one RPC each, for as long as the up-link takes them.
void World::pump(Member member) {
  State& state = *members_[member];
  const Nanos backlog = transfer_time(params_.net.uplink_backlog, state.spec.link.up_rate);
  while (!state.ready.empty()) {
    if (state.uplink_free > time_ + backlog) {
      if (!std::exchange(state.uplink_waits, true)) {
        events_.push(state.uplink_free - backlog, Event{.kind = EventKind::uplink, .member = member});
      }
      return;
    }
    const auto [index, generation] = state.ready.front();
    state.ready.pop_front();
    Connection& connection = connections_[index];
    if (connection.generation != generation) continue;
    const unsigned end = connection.end_of(member);
    Link& link = connection.links[end];
    link.is_ready = false;
    if (!connection.open[end]) continue;
    if (link.in_flight >= params_.net.window) {
      link.wants_credit = true;
      continue;
    }
    auto wire = next_of(index, end);
    if (!wire) continue;
    transmit(index, end, std::move(*wire));
    make_ready(index, end);
  }
}

std::optional<Wire> World::next_of(std::uint32_t index, unsigned end) {
  Connection& connection = connections_[index];
  Link& link = connection.links[end];
  if (!link.pushed.empty()) return link.pushed.pop();
  if (!link.pulls) return std::nullopt;
  auto wire = members_[connection.ends[end]]->actor->next_wire(connection.ends[1 - end]);
  if (!wire) link.pulls = false;
  return wire;
}

void World::transmit(std::uint32_t index, unsigned end, Wire wire) {
  Connection& connection = connections_[index];
  Link& link = connection.links[end];
  State& state = *members_[connection.ends[end]];
  ++counters_.rpcs_sent;
  counters_.bytes_sent += wire.size;
  const bool is_short = wire.size <= params_.net.packet_size;
  const Nanos transfer = transfer_time(wire.size, state.spec.link.up_rate);
  const MonoTime begin = std::max(time_, state.uplink_free);
  state.uplink_free = begin + transfer;
  if (!connection.whole()) {  // the other end has gone, and this one has not heard of it
    counters_.bytes_lost += wire.size;
    return;
  }
  const MonoTime sent = (is_short ? time_ : begin) + transfer;
  link.last_arrival = std::max(link.last_arrival, sent + delay_of(connection, end, wire.size));
  link.in_flight += wire.size;
  ++link.sent;
  const Member to = connection.ends[1 - end];
  events_.push(link.last_arrival, Event{.kind = EventKind::arrival,
                                        .end = static_cast<std::uint8_t>(1 - end),
                                        .member = to,
                                        .connection = index,
                                        .number = connection.generation,
                                        .wire = std::move(wire)});
}

// Latency, jitter, and a round trip for each time that one of its packets is lost.
Nanos World::delay_of(const Connection& connection, unsigned end, std::size_t size) {
  const std::uint64_t draw = mix(mix(params_.seed, connection.generation * 2 + end), connection.links[end].sent);
  const double latency = static_cast<double>(connection.latency.count());
  const double jitter = latency * params_.net.jitter + static_cast<double>(params_.net.least_jitter.count());
  double delay = latency + jitter * unit_of(draw);
  if (params_.net.packet_loss <= 0) return Nanos(static_cast<std::int64_t>(delay));
  const std::size_t packets = (size + params_.net.packet_size - 1) / params_.net.packet_size;
  double lost = 1 - std::pow(1 - params_.net.packet_loss, static_cast<double>(packets));
  for (std::uint64_t round = 1; unit_of(mix(draw, round)) < lost; ++round) {
    ++counters_.packets_lost;
    delay += 2 * latency;
    lost = params_.net.packet_loss;  // of the one that is sent again
  }
  return Nanos(static_cast<std::int64_t>(delay));
}

void World::arrive(Event& event) {
  Connection& connection = connections_[event.connection];
  if (connection.generation != event.number || !connection.whole()) return;
  Link& link = connection.links[1 - event.end];
  if (!reaches(connection.ends[0], connection.ends[1])) {
    link.held.push_back(std::move(event.wire));
    return;
  }
  if (time_ < link.not_before) {
    const MonoTime later = link.not_before;
    events_.push(later, std::move(event));
    return;
  }
  State& state = *members_[event.member];
  const Nanos transfer = transfer_time(event.wire.size, state.spec.link.down_rate);
  const MonoTime begin = std::max(time_, state.downlink_free);
  state.downlink_free = begin + transfer;
  const bool is_short = event.wire.size <= params_.net.packet_size;
  if (is_short && link.last_receipt <= time_) return receive(event);
  link.last_receipt = std::max(link.last_receipt, is_short ? time_ : begin + transfer);
  event.kind = EventKind::receipt;
  const MonoTime at = link.last_receipt;
  events_.push(at, std::move(event));
}

void World::receive(Event& event) {
  const Connection& connection = connections_[event.connection];
  if (connection.generation != event.number || !connection.whole()) return;
  State& state = *members_[event.member];
  Inbound inbound{event.connection, event.number, event.end, std::move(event.wire)};
  if (!state.spec.cpu || (state.inbox.empty() && state.processor_free <= time_)) return read(std::move(inbound));
  state.inbox.push_back(std::move(inbound));
  if (std::exchange(state.processor_waits, true)) return;
  events_.push(state.processor_free,
               Event{.kind = EventKind::processor, .member = event.member, .number = state.epoch});
}

void World::run_processor(Member member) {
  State& state = *members_[member];
  state.processor_waits = false;
  while (!state.inbox.empty() && state.processor_free <= time_) {
    Inbound inbound = std::move(state.inbox.front());
    state.inbox.pop_front();
    read(std::move(inbound));
  }
  if (state.inbox.empty() || std::exchange(state.processor_waits, true)) return;
  events_.push(state.processor_free, Event{.kind = EventKind::processor, .member = member, .number = state.epoch});
}

void World::read(Inbound inbound) {
  Connection& connection = connections_[inbound.connection];
  if (connection.generation != inbound.generation || !connection.whole()) return;
  const Member member = connection.ends[inbound.end];
  const Member from = connection.ends[1 - inbound.end];
  State& state = *members_[member];
  if (const auto& cpu = state.spec.cpu) {
    const Nanos cost = cpu->rpc + cpu->rpc_per_kib * static_cast<std::int64_t>(inbound.wire.size) / 1024;
    state.processor_free = time_ + cost;
    state.busy += cost;
  }
  give_credit(inbound.connection, 1 - inbound.end, inbound.wire.size);
  state.actor->on_rpc(from, inbound.wire);
  settle(member);
}

void World::give_credit(std::uint32_t index, unsigned end, std::size_t size) {
  Connection& connection = connections_[index];
  Link& link = connection.links[end];
  OPP2P_ASSERT(link.in_flight >= size, "what is read was sent", index, link.in_flight, size);
  link.in_flight -= size;
  counters_.bytes_read += size;
  if (!std::exchange(link.wants_credit, false)) return;
  events_.push(time_ + connection.latency, Event{.kind = EventKind::credit,
                                                 .end = static_cast<std::uint8_t>(end),
                                                 .member = connection.ends[end],
                                                 .connection = index,
                                                 .number = connection.generation});
}

void World::work(Member member, Nanos cost, Nanos deadline, std::uint64_t ticket) {
  State& state = *members_[member];
  Event done{.kind = EventKind::work, .flag = true, .member = member, .connection = state.epoch, .number = ticket};
  if (state.verifiers.empty()) return events_.push(time_, std::move(done));
  MonoTime& verifier = *std::min_element(state.verifiers.begin(), state.verifiers.end());
  const MonoTime end = std::max(verifier, time_) + cost;
  if (end > time_ + deadline) {
    ++counters_.works_late;
    done.flag = false;
    return events_.push(time_ + deadline, std::move(done));
  }
  verifier = end;
  state.busy += cost;
  events_.push(end, std::move(done));
}

}  // namespace opp2p::sim::gossip
