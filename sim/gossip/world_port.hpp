// What the world gives to the actor of one member. Owner: the world, for as long as the member is in it.
#pragma once

#include "sim/gossip/world.hpp"

namespace opp2p::sim::gossip {

class World::Port final : public ActorPort {
 public:
  Port(World& world, Member self) : world_(world), self_(self) {}

  Member self() const override { return self_; }
  PeerId id() const override { return world_.id_of(self_); }
  PeerId id_of(Member member) const override { return world_.id_of(member); }
  Now now() const override { return world_.now_of(self_); }
  Rng& rng() override { return *state().rng; }
  std::vector<Member> peers() const override { return world_.peers_of(self_); }
  bool is_connected(Member peer) const override { return world_.find(self_, peer) != nullptr; }
  std::size_t inbound_count() const override { return state().inbound; }
  Multiaddr address_of(Member peer) const override { return world_.address_of(peer); }
  std::vector<Member> discover(std::size_t count) override;
  void dial(Member peer) override { world_.dial(self_, peer); }
  void disconnect(Member peer) override;
  bool send(Member to, SharedBytes frame) override { return world_.push(self_, to, std::move(frame)); }
  std::size_t queued(Member to) const override;
  void ready_to_send(Member to) override;
  void work(Nanos cost, Nanos deadline, std::uint64_t ticket) override { world_.work(self_, cost, deadline, ticket); }
  void take_new_identity(std::optional<Multiaddr> address) override;
  void fold(std::uint64_t value) override { world_.fold(value); }

 private:
  State& state() const { return *world_.members_[self_]; }
  World& world_;
  Member self_;
};

}  // namespace opp2p::sim::gossip
