// A sybil as a member of the world: it decides whom to be connected to, and hands what happens there to its Sybil. It
// dials its targets until it has its number of connections, and others for those that it loses. With a lifetime it
// takes a new identity each time that is over. The run starts and stops it.
//
// Owner: the world. Thread: the world's. Bounds: those of Sybil, and kMostDials dials at a time.
#pragma once

#include <set>
#include <vector>

#include "sim/attacks/sybil.hpp"
#include "sim/gossip/actor.hpp"
#include "sim/gossip/frame_cache.hpp"

namespace opp2p::sim::attacks {

// Whom the sybils of a run are after and how they dial; shared by all of them.
struct Dialling {
  std::vector<Member> targets;
  std::size_t connections = 0;               // that each wants
  libp2p::Nanos retry = libp2p::Seconds(5);  // after a dial that failed, and after being thrown out
  std::optional<libp2p::Nanos> lifetime;     // of an identity
};

class SybilActor final : public gossip::Actor, private SybilWire {
 public:
  static constexpr std::size_t kMostDials = 32;

  // `port`, `frames`, `plot` and `dialling` outlive the actor.
  SybilActor(gossip::ActorPort& port, gossip::FrameCache& frames, Plot& plot, const Dialling& dialling,
             Sybil::Behaviours behaviours);

  void start() override;
  void on_connected(Member peer, libp2p::Direction direction) override;
  void on_dial_failed(Member peer) override;
  void on_disconnected(Member peer) override;
  void on_rpc(Member from, const gossip::Wire& wire) override;
  std::optional<libp2p::MonoTime> next_deadline() const override;
  void on_timer() override;
  void check() const override;

 private:
  void send(Member to, libp2p::SharedBytes frame) override;

  std::size_t wanted() const;
  void dial_more();
  void dial_later();

  gossip::ActorPort& port_;
  gossip::FrameCache& frames_;
  Plot& plot_;
  const Dialling& dialling_;
  Sybil sybil_;
  std::size_t connected_ = 0;
  std::set<Member> dialled_;
  libp2p::MonoTime next_dial_ = libp2p::MonoTime::max();
  std::optional<libp2p::MonoTime> next_identity_;
};

}  // namespace opp2p::sim::attacks
