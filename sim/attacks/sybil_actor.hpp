// A sybil as a member of the world: it decides whom to be connected to and when, and hands what happens there to its
// Sybil. It dials its targets from the plot's arrival on until it has its number of connections, dials others for those
// that it loses, and leaves at the end of the attack. With a lifetime it takes a new identity each time that is over.
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
  std::size_t connections = 0;             // that each wants
  libp2p::Nanos retry = libp2p::Seconds(5);  // after a dial that failed, and after being thrown out
  std::optional<libp2p::Nanos> lifetime;   // of an identity
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
  bool accepts(Member peer) override;
  std::optional<libp2p::MonoTime> next_deadline() const override;
  void on_timer() override;
  void check() const override;

  std::uint64_t sent() const { return sent_; }

 private:
  void send(Member to, libp2p::gossipsub::Rpc rpc) override;
  void send_message(Member to, libp2p::SharedBytes frame) override;

  bool is_over() const { return port_.now().mono >= plot_.times().end; }
  std::size_t wanted() const;
  void dial_more();
  void dial_later();
  void leave();

  gossip::ActorPort& port_;
  gossip::FrameCache& frames_;
  Plot& plot_;
  const Dialling& dialling_;
  Sybil sybil_;
  std::size_t connected_ = 0;
  std::set<Member> dialled_;
  std::optional<libp2p::MonoTime> next_dial_;
  std::optional<libp2p::MonoTime> next_identity_;
  bool has_left_ = false;
  std::uint64_t sent_ = 0;
};

}  // namespace opp2p::sim::attacks
