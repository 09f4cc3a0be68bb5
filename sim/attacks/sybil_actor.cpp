#include "sim/attacks/sybil_actor.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opp2p::sim::attacks {

using libp2p::Millis;
using libp2p::MonoTime;
using libp2p::Nanos;

namespace {

constexpr Nanos kArrival = libp2p::Seconds(2);  // that the arrival of all sybils takes
constexpr std::size_t kTries = 4;               // random targets that are looked at for one dial

Nanos part_of(Nanos whole, libp2p::Rng& rng) {
  return Nanos(
      static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(std::max<std::int64_t>(whole.count(), 1)))));
}

}  // namespace

SybilActor::SybilActor(gossip::ActorPort& port, gossip::FrameCache& frames, Plot& plot, const Dialling& dialling,
                       Sybil::Behaviours behaviours)
    : port_(port),
      frames_(frames),
      plot_(plot),
      dialling_(dialling),
      sybil_(plot, *this, port.rng(), std::move(behaviours)) {}

void SybilActor::start() {
  const MonoTime arrival = port_.now().mono + part_of(kArrival, port_.rng());
  next_dial_ = arrival;
  if (dialling_.lifetime) next_identity_ = arrival + *dialling_.lifetime + part_of(*dialling_.lifetime, port_.rng());
}

std::size_t SybilActor::wanted() const { return std::min(dialling_.connections, dialling_.targets.size()); }

void SybilActor::on_connected(Member peer, libp2p::Direction) {
  dialled_.erase(peer);
  ++connected_;
  sybil_.on_connected(peer, port_.now());
}

void SybilActor::on_dial_failed(Member peer) {
  dialled_.erase(peer);
  dial_later();
}

void SybilActor::on_disconnected(Member peer) {
  --connected_;
  sybil_.on_disconnected(peer, port_.now());
  dial_later();
}

void SybilActor::on_rpc(Member from, const gossip::Wire& wire) {
  if (wire.object) return sybil_.on_rpc(from, wire.object->rpc(), port_.now());
  const auto* rpc = frames_.decoded(wire.frame);
  OPP2P_ASSERT(rpc != nullptr, "honest nodes send RPCs that can be read");
  sybil_.on_rpc(from, *rpc, port_.now());
}

void SybilActor::send(Member to, libp2p::SharedBytes frame) {
  // Who does not read fast enough misses something; the queue of the port is bounded.
  const std::size_t size = frame->size();
  if (port_.send(to, std::move(frame))) plot_.count_sent(size);
}

void SybilActor::dial_later() {
  next_dial_ = std::min(next_dial_, port_.now().mono + dialling_.retry + part_of(dialling_.retry, port_.rng()));
}

void SybilActor::dial_more() {
  const auto& targets = dialling_.targets;
  while (connected_ + dialled_.size() < wanted()) {
    if (dialled_.size() == kMostDials) return dial_later();
    std::optional<Member> found;
    for (std::size_t i = 0; i < kTries && !found; ++i) {
      const Member target = targets[static_cast<std::size_t>(port_.rng().below(targets.size()))];
      if (!dialled_.contains(target) && !port_.is_connected(target)) found = target;
    }
    if (!found) return dial_later();
    dialled_.insert(*found);
    port_.dial(*found);
  }
}

std::optional<MonoTime> SybilActor::next_deadline() const {
  MonoTime first = next_dial_;
  for (const auto& due : {next_identity_, sybil_.next_deadline()}) {
    if (due) first = std::min(first, *due);
  }
  if (first == MonoTime::max()) return std::nullopt;
  return first;
}

void SybilActor::on_timer() {
  const auto now = port_.now();
  if (next_identity_ && *next_identity_ <= now.mono) {
    for (const Member peer : port_.peers()) sybil_.on_disconnected(peer, now);
    connected_ = 0;
    dialled_.clear();
    port_.take_new_identity();
    next_identity_ = now.mono + *dialling_.lifetime;
    next_dial_ = now.mono;
  }
  if (next_dial_ <= now.mono) {
    next_dial_ = MonoTime::max();
    dial_more();
  }
  sybil_.on_timeout(now);
}

void SybilActor::check() const {
  sybil_.check();
  OPP2P_CHECK(dialled_.size() <= kMostDials, "a sybil dials a bounded number of nodes at a time", dialled_);
}

}  // namespace opp2p::sim::attacks
