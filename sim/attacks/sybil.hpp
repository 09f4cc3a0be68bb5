// A hostile member of a world: an actor that speaks GossipSub with the codec's types and has no router. What every
// sybil does is here: it subscribes, knows whose mesh it is in, and tells its behaviours what happens. What makes it
// hostile is its behaviours, small objects in a fixed order. A pure engine: RPCs and time go in, RPCs go out through
// SybilWire.
//
// Owner: the world (through the actor that wraps it). Thread: the world's. Bounds: a row for each connected peer,
// kMostIds ids of blocks that it has seen; RPCs that wait to be sent later are in its behaviours, each with its bound.
// Re-entrancy: SybilWire does not call back.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "sim/attacks/plot.hpp"

namespace opp2p::sim::attacks {

// What a sybil may do to the world.
class SybilWire {
 public:
  virtual ~SybilWire() = default;
  // An RPC with its length in front. A frame that goes to many is made once and shared.
  virtual void send(Member to, libp2p::SharedBytes frame) = 0;
};

class Sybil;

// One thing that a sybil does. Each call may send through the sybil.
class Behaviour {
 public:
  virtual ~Behaviour() = default;
  virtual void on_connected(Sybil&, Member, libp2p::Now) {}
  virtual void on_disconnected(Sybil&, Member, libp2p::Now) {}
  virtual void on_subscribed(Sybil&, Member, libp2p::Now) {}
  virtual void on_graft(Sybil&, Member, libp2p::Now) {}
  virtual void on_prune(Sybil&, Member, libp2p::Now) {}
  virtual void on_iwant(Sybil&, Member, const std::vector<libp2p::ByteView>& /*ids*/, libp2p::Now) {}
  // The first copy of a block that this sybil gets.
  virtual void on_block(Sybil&, Member /*from*/, const SeenBlock&, libp2p::Now) {}

  virtual void on_timeout(Sybil&, libp2p::Now) {}
  virtual std::optional<libp2p::MonoTime> next_deadline() const { return std::nullopt; }
};

class Sybil {
 public:
  using Behaviours = std::vector<std::unique_ptr<Behaviour>>;
  static constexpr std::size_t kMostIds = 64;

  struct Peer {
    bool subscribed = false;
    bool in_mesh = false;  // it has us in its mesh, as far as we know
  };

  // `plot`, `wire` and `rng` outlive the sybil.
  Sybil(Plot& plot, SybilWire& wire, libp2p::Rng& rng, Behaviours behaviours);

  void on_connected(Member peer, libp2p::Now now);
  void on_disconnected(Member peer, libp2p::Now now);
  void on_rpc(Member from, const libp2p::gossipsub::Rpc& rpc, libp2p::Now now);
  void on_timeout(libp2p::Now now);
  std::optional<libp2p::MonoTime> next_deadline() const;

  // For behaviours.
  Plot& plot() { return plot_; }
  libp2p::Rng& rng() { return rng_; }
  const std::map<Member, Peer>& peers() const { return peers_; }
  void graft(Member peer);
  void send(Member peer, libp2p::SharedBytes frame) { wire_.send(peer, std::move(frame)); }
  void send_to_all(const libp2p::SharedBytes& frame);
  // To all in whose mesh we are, but for `except`.
  void forward(const libp2p::SharedBytes& frame, Member except);

  void check() const;

 private:
  void handle_control(Member from, const libp2p::gossipsub::Control& control, libp2p::Now now);
  void handle_block(Member from, const libp2p::gossipsub::Rpc& rpc, const libp2p::gossipsub::Message& message,
                    libp2p::Now now);
  bool is_ours(const std::optional<std::string_view>& topic) const { return topic == plot_.topic(); }

  Plot& plot_;
  SybilWire& wire_;
  libp2p::Rng& rng_;
  Behaviours behaviours_;
  std::map<Member, Peer> peers_;
  std::deque<libp2p::gossipsub::MessageId> seen_;  // the newest last
};

}  // namespace opp2p::sim::attacks
