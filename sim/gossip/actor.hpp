// A member of the simulated world, and what the world gives it. An actor hears what happens at its connections and on
// its timer; what it does goes through its port. Honest nodes are a Router with its scores (honest_node.hpp); hostile
// actors build RPCs with the codec (libp2p/protocols/gossipsub/rpc.hpp) and push them.
//
// Owner: the world makes an actor each time that its member starts, and destroys it when the member stops. Thread: the
// world's. Re-entrancy: a port may be called in every call of its actor; it calls nobody back before that call returns.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sim/gossip/wire.hpp"

namespace opp2p::sim::gossip {

class ActorPort {
 public:
  virtual ~ActorPort() = default;

  virtual Member self() const = 0;
  virtual PeerId id() const = 0;
  // The id that the member goes by now.
  virtual PeerId id_of(Member member) const = 0;
  // The wall clock is the member's own, which may be wrong.
  virtual Now now() const = 0;
  // The member's own numbers: nobody else draws from them. They go on where they were after a restart.
  virtual Rng& rng() = 0;

  // Those connected, in the order of their indices.
  virtual std::vector<Member> peers() const = 0;
  virtual bool is_connected(Member peer) const = 0;
  virtual std::size_t inbound_count() const = 0;
  virtual Multiaddr address_of(Member peer) const = 0;
  // Up to `count` members that announce themselves and are not connected to this one, each once, at random: what a
  // discovery protocol would find. Members that are down may be among them.
  virtual std::vector<Member> discover(std::size_t count) = 0;

  // on_connected() or on_dial_failed() follows. Nothing when the member is connected, or dialled already.
  virtual void dial(Member peer) = 0;
  // The other end learns of it later. Nothing follows here.
  virtual void disconnect(Member peer) = 0;

  // Queues a frame. False when there is no connection, or no room (NetParams::push_queue).
  virtual bool send(Member to, SharedBytes frame) = 0;
  // Bytes that send() has queued and that are not yet on the link.
  virtual std::size_t queued(Member to) const = 0;
  // There is something to pull with Actor::next_wire(). Said once; it holds until that answers nothing.
  virtual void ready_to_send(Member to) = 0;

  // Work for the member's verifiers: on_work_done(ticket) follows when one of them has done it; or at the deadline,
  // with `done` false, when none would be free in time. A member without a processor is done at once.
  virtual void work(Nanos cost, Nanos deadline, std::uint64_t ticket) = 0;

  // Ends all connections and goes by a new id from now on, perhaps at another address.
  virtual void take_new_identity(std::optional<Multiaddr> address = std::nullopt) = 0;
  // What the member has come to becomes a part of the trace hash.
  virtual void fold(std::uint64_t value) = 0;
};

class Actor {
 public:
  virtual ~Actor() = default;

  virtual void start() {}
  // The member is stopped; its connections are closed after this.
  virtual void stop() {}

  // Whether a peer that dials is let in. The world has seen that there is room.
  virtual bool accepts(Member /*peer*/) { return true; }
  virtual void on_connected(Member peer, Direction direction) = 0;
  virtual void on_dial_failed(Member /*peer*/) {}
  virtual void on_disconnected(Member peer) = 0;
  virtual void on_rpc(Member from, const Wire& wire) = 0;
  virtual void on_work_done(std::uint64_t /*ticket*/, bool /*done*/) {}

  // What goes to the peer next, when the up-link can take it. Asked after ready_to_send() until it answers nothing, and
  // after what send() has queued.
  virtual std::optional<Wire> next_wire(Member /*to*/) { return std::nullopt; }

  // One timer: on_timer() comes at next_deadline(), which is asked after every call.
  virtual std::optional<MonoTime> next_deadline() const { return std::nullopt; }
  virtual void on_timer() {}

  // Every invariant, by assertion.
  virtual void check() const {}
};

using ActorFactory = std::function<std::unique_ptr<Actor>(ActorPort&)>;

}  // namespace opp2p::sim::gossip
