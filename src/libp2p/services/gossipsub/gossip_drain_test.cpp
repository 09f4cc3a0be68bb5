#include "libp2p/services/gossipsub/gossip_drain.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "libp2p/crypto/keys.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p {
namespace {

struct Recorded final : GossipDrain::Work {
  void tell_troubles() override { log += "t"; }
  void carry_out(gossipsub::Action&) override {
    ++actions;
    if (when_acting) when_acting();
  }
  void pump(const PeerId& peer) override {
    log += "p";
    pumped = peer;
    if (when_pumping) when_pumping();
  }
  std::string log;
  PeerId pumped;  // the last one
  std::size_t actions = 0;
  std::function<void()> when_acting;
  std::function<void()> when_pumping;
};

// A stream's handler that says when it goes.
struct Handler final : StreamHandler {
  explicit Handler(bool& gone) : gone_(gone) {}
  ~Handler() override { gone_ = true; }
  void on_data(ByteView) override {}
  void on_end() override {}
  void on_reset(const Error&) override {}
  void on_writable() override {}

 private:
  bool& gone_;
};

class GossipDrainTest : public ::testing::Test {
 protected:
  // Each topic that is joined is one action, a trace.
  void make_actions(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) router.subscribe("topic " + std::to_string(next_++), now()).value();
  }
  Now now() { return node.runtime().now(); }
  PeerId peer() {
    return PeerId::from_public_key(
        crypto::PrivateKey::generate(crypto::KeyType::ed25519, node.runtime().rng()).value().public_key());
  }

  runtime::SimWorld world{7};
  runtime::SimNode node = world.add_node();
  gossipsub::NeutralScores scores;
  gossipsub::Router router{{}, node.runtime().rng(), scores, node.runtime().now()};
  LifeToken life;
  Recorded work;
  std::unique_ptr<GossipDrain> drain = std::make_unique<GossipDrain>(node.runtime(), router, life, work);

 private:
  std::size_t next_ = 0;
};

TEST_F(GossipDrainTest, does_nothing_inside_the_call_and_one_turn_for_many_inputs) {
  make_actions(3);
  for (int i = 0; i < 3; ++i) drain->schedule();
  EXPECT_EQ(work.log, "");
  world.run_for(Nanos(0));
  EXPECT_EQ(work.log, "t");
  EXPECT_EQ(work.actions, 3u);
}

TEST_F(GossipDrainTest, carries_out_256_actions_in_a_turn_and_the_others_in_the_next) {
  make_actions(300);
  drain->schedule();
  std::size_t in_between = 0;
  node.runtime().post([&] { in_between = work.actions; });
  world.run_for(Nanos(0));
  EXPECT_EQ(in_between, 256u);
  EXPECT_EQ(work.actions, 300u);
  EXPECT_EQ(work.log, "tt");
}

TEST_F(GossipDrainTest, leaves_no_more_than_4096_actions_waiting) {
  make_actions(5000);
  drain->schedule();
  std::size_t in_between = 0;
  node.runtime().post([&] { in_between = work.actions; });
  world.run_for(Nanos(0));
  EXPECT_EQ(in_between, 5000u - 4096u);
  EXPECT_EQ(work.actions, 5000u);
}

TEST_F(GossipDrainTest, pumps_streams_when_the_actions_of_the_turn_are_done) {
  make_actions(1);
  work.when_acting = [this] {
    work.log += "a";
    drain->add_ready(peer());
  };
  drain->schedule();
  world.run_for(Nanos(0));
  EXPECT_EQ(work.log, "tap");
}

TEST_F(GossipDrainTest, lets_others_have_their_turn_between_two_streams) {
  for (int i = 0; i < 3; ++i) drain->add_ready(peer());
  drain->schedule();
  std::string in_between;
  node.runtime().post([&] { in_between = work.log; });
  world.run_for(Nanos(0));
  EXPECT_EQ(in_between, "tp");
  EXPECT_EQ(work.log, "tptptp");
}

TEST_F(GossipDrainTest, pumps_as_many_streams_as_frames_have_come) {
  for (int i = 0; i < 5; ++i) drain->add_ready(peer());
  for (int i = 0; i < 3; ++i) drain->on_frame();
  world.run_for(Nanos(0));
  EXPECT_EQ(work.log, "tppptptp");
}

TEST_F(GossipDrainTest, pumps_a_stream_that_has_more_behind_the_others) {
  const PeerId first = peer();
  const PeerId second = peer();
  std::vector<PeerId> pumped;
  work.when_pumping = [&] {
    pumped.push_back(work.pumped);
    if (pumped.size() == 1) drain->add_ready(first);
  };
  drain->add_ready(first);
  drain->add_ready(second);
  drain->schedule();
  world.run_for(Nanos(0));
  EXPECT_EQ(pumped, (std::vector<PeerId>{first, second, first}));
}

TEST_F(GossipDrainTest, frees_a_stream_in_the_next_turn) {
  bool gone = false;
  drain->bury(std::make_unique<Handler>(gone));
  drain->bury(nullptr);
  EXPECT_FALSE(gone);
  world.run_for(Nanos(0));
  EXPECT_TRUE(gone);
}

TEST_F(GossipDrainTest, ends_its_turn_when_an_action_ends_the_service) {
  make_actions(3);
  work.when_acting = [this] {
    life.end();
    drain.reset();
  };
  drain->add_ready(peer());
  drain->schedule();
  world.run_for(Nanos(0));
  EXPECT_EQ(work.actions, 1u);
  EXPECT_EQ(work.log, "t") << "nothing is pumped any more";
}

TEST_F(GossipDrainTest, ends_its_turn_when_pumping_ends_the_service) {
  work.when_pumping = [this] {
    life.end();
    drain.reset();
  };
  drain->add_ready(peer());
  drain->add_ready(peer());
  drain->on_frame();
  drain->on_frame();
  world.run_for(Nanos(0));
  EXPECT_EQ(work.log, "tp");
}

TEST_F(GossipDrainTest, has_no_turn_after_it_was_stopped) {
  bool gone = false;
  make_actions(1);
  drain->bury(std::make_unique<Handler>(gone));
  life.end();
  drain->stop();
  EXPECT_TRUE(gone);
  drain->schedule();
  world.run_for(Nanos(0));
  EXPECT_EQ(work.log, "");
  EXPECT_EQ(work.actions, 0u);
}

}  // namespace
}  // namespace libp2p
