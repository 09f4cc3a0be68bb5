#include "sim/attacks/sybil_actor.hpp"

#include <gtest/gtest.h>

#include <set>

#include "sim/attacks/sybil_test_support.hpp"

namespace opp2p::sim::attacks::test {
namespace {

// A world for one sybil: it remembers whom it dials, and what it sends.
class OnePort final : public gossip::ActorPort {
 public:
  Member self() const override { return 1000; }
  libp2p::PeerId id() const override { return gossip::id_of(self(), identities); }
  libp2p::PeerId id_of(Member member) const override { return gossip::id_of(member, 0); }
  Now now() const override { return at(time); }
  libp2p::Rng& rng() override { return rng_; }
  std::vector<Member> peers() const override { return {connected.begin(), connected.end()}; }
  bool is_connected(Member peer) const override { return connected.contains(peer); }
  std::size_t inbound_count() const override { return 0; }
  libp2p::Multiaddr address_of(Member) const override { return {}; }
  std::vector<Member> discover(std::size_t) override { return {}; }
  void dial(Member peer) override { dials.push_back(peer); }
  void disconnect(Member peer) override { connected.erase(peer); }
  bool send(Member to, libp2p::SharedBytes) override {
    sent.push_back(to);
    return has_room;
  }
  std::size_t queued(Member) const override { return 0; }
  void ready_to_send(Member) override {}
  void work(Nanos, Nanos, std::uint64_t) override {}
  void take_new_identity(std::optional<libp2p::Multiaddr>) override {
    ++identities;
    connected.clear();
  }
  void fold(std::uint64_t) override {}

  Nanos time{};
  bool has_room = true;
  std::uint32_t identities = 0;
  std::set<Member> connected;
  std::vector<Member> dials;
  std::vector<Member> sent;

 private:
  libp2p::SeededRng rng_{5};
};

class SybilActorTest : public testing::Test {
 protected:
  SybilActorTest()
      : plot_({kTopic, {libp2p::MonoTime(), libp2p::MonoTime(kEnd)}, id_of, nullptr, nullptr}),
        frames_(libp2p::gossipsub::RpcLimits{}) {
    for (Member target = 0; target < 10; ++target) dialling_.targets.push_back(target);
    dialling_.connections = 4;
  }
  void make() {
    actor_ = std::make_unique<SybilActor>(port_, frames_, plot_, dialling_, Sybil::Behaviours());
    actor_->start();
  }
  // Time passes; every dial is answered.
  void pass(Nanos time, bool succeeds = true) {
    const Nanos until = port_.time + time;
    for (auto due = actor_->next_deadline(); due && *due <= libp2p::MonoTime(until); due = actor_->next_deadline()) {
      port_.time = std::max(port_.time, due->time_since_epoch());
      actor_->on_timer();
      for (; answered_ < port_.dials.size(); ++answered_) {
        const Member peer = port_.dials[answered_];
        if (!succeeds) {
          actor_->on_dial_failed(peer);
          continue;
        }
        port_.connected.insert(peer);
        actor_->on_connected(peer, libp2p::Direction::outbound);
      }
      actor_->check();
    }
    port_.time = until;
  }

  OnePort port_;
  Plot plot_;
  gossip::FrameCache frames_;
  Dialling dialling_;
  std::unique_ptr<SybilActor> actor_;
  std::size_t answered_ = 0;
};

TEST_F(SybilActorTest, dials_targets_until_it_has_its_connections) {
  make();
  pass(Seconds(30));
  EXPECT_EQ(port_.connected.size(), 4U);
  EXPECT_EQ(port_.dials.size(), 4U);
  for (const Member peer : port_.connected) EXPECT_LT(peer, 10U);
  EXPECT_EQ(port_.sent.size(), 4U) << "a subscription for each";
}

TEST_F(SybilActorTest, wants_no_more_connections_than_there_are_targets) {
  dialling_.connections = 40;
  make();
  pass(Seconds(300));
  EXPECT_EQ(port_.connected.size(), 10U);
  EXPECT_EQ(port_.dials.size(), 10U);
}

TEST_F(SybilActorTest, dials_again_after_a_refusal_but_not_at_once) {
  make();
  pass(Seconds(3), false);
  const auto first = port_.dials.size();
  EXPECT_EQ(first, 4U);
  pass(Seconds(2), false);
  EXPECT_EQ(port_.dials.size(), first);
  pass(Seconds(10), false);
  EXPECT_GE(port_.dials.size(), 2 * first);
  dialling_.retry = libp2p::Millis(250);
  pass(Seconds(10), false);
  const auto before = port_.dials.size();
  pass(Seconds(10), false);
  EXPECT_GE(port_.dials.size() - before, 20 * first);
}

TEST_F(SybilActorTest, replaces_a_connection_that_it_loses) {
  make();
  pass(Seconds(10));
  const Member lost = *port_.connected.begin();
  port_.connected.erase(lost);
  actor_->on_disconnected(lost);
  pass(Seconds(20));
  EXPECT_EQ(port_.connected.size(), 4U);
  EXPECT_EQ(port_.dials.size(), 5U);
}

TEST_F(SybilActorTest, comes_back_as_another_peer_when_its_lifetime_is_over) {
  dialling_.lifetime = Seconds(20);
  make();
  pass(Seconds(100));
  EXPECT_GE(port_.identities, 3U);
  EXPECT_LE(port_.identities, 5U);
  EXPECT_EQ(port_.connected.size(), 4U);
  EXPECT_EQ(port_.dials.size(), 4U * (port_.identities + 1));
}

TEST_F(SybilActorTest, what_the_world_has_no_room_for_does_not_count_as_sent) {
  make();
  pass(Seconds(5));
  EXPECT_EQ(plot_.rpcs_sent(), 4U);
  EXPECT_EQ(plot_.bytes_sent(), 4 * plot_.subscription()->size());
  port_.has_room = false;
  port_.connected.clear();
  for (const Member peer : std::set<Member>(port_.dials.begin(), port_.dials.end())) actor_->on_disconnected(peer);
  pass(Seconds(20));
  EXPECT_EQ(port_.connected.size(), 4U);
  EXPECT_EQ(plot_.rpcs_sent(), 4U);
}

}  // namespace
}  // namespace opp2p::sim::attacks::test
