// Peers that serve nothing, or only as much as it takes to be trusted, beside five that do: a gap must fill in at most
// twice the time that it takes without them.
#include <gtest/gtest.h>

#include "opstack/sync/drive/sync_hosts_test.hpp"
#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_world;

constexpr std::uint64_t kEnd = 211;  // above the head of the world, 10: a gap of 200 blocks
constexpr std::uint64_t kFirstStranger = 100;

Nanos time_to_fill(World& world, Nanos limit = Seconds(180)) {
  const MonoTime began = world.now.mono;
  for (world.request(kEnd); !world.filled() && world.now.mono - began < limit;) world.run(Millis(100));
  return world.now.mono - began;
}

void add_honest(World& world, std::uint64_t from = 1) {
  for (std::uint64_t n = 0; n < 5; ++n) world.add_peer(from + n, Manner::honest);
}

Nanos undisturbed(std::uint64_t seed) {
  World world(SyncConfig{}, seed);
  add_honest(world);
  const Nanos took = time_to_fill(world);
  EXPECT_TRUE(world.filled());
  return took;
}

// Strangers of whom `waiting` are always there and have not been asked yet.
struct Strangers {
  Strangers(World& w, std::size_t waiting, Manner how, bool asked_ones_leave)
      : world(w), manner(how), leave(asked_ones_leave) {
    for (std::size_t i = 0; i < waiting; ++i) world.add_peer(next++, manner);
    world.on_asked = [this](const PeerId& peer) {
      if (world.manners.at(peer).first != manner || !counted.insert(peer).second) return;
      world.at(Millis(1), [this, peer] {
        if (leave) world.remove(peer);
        world.add_peer(next++, manner);
      });
    };
  }
  World& world;
  Manner manner;
  bool leave;
  std::uint64_t next = kFirstStranger;
  std::set<PeerId> counted;
};

void expect_at_most_twice(std::size_t waiting, Manner manner, bool asked_ones_leave, std::uint64_t seed) {
  World world(SyncConfig{}, seed);
  const Strangers strangers(world, waiting, manner, asked_ones_leave);
  add_honest(world);
  const Nanos took = time_to_fill(world);
  EXPECT_TRUE(world.filled()) << world.delivered.size() << " blocks in 180 s, seed " << seed;
  EXPECT_LE(took, 2 * undisturbed(seed)) << "seed " << seed << (asked_ones_leave ? ", the asked ones leave" : "");
  EXPECT_LE(world.most_trials, SyncConfig{}.max_in_flight / 4);
}

TEST(SyncStarvation, eight_silent_strangers_that_are_replaced_once_asked_at_most_double_the_time) {
  for (const bool leave : {true, false})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) expect_at_most_twice(8, Manner::silent, leave, seed);
}

TEST(SyncStarvation, strangers_that_serve_one_block_and_then_go_silent_at_most_double_the_time) {
  for (const bool leave : {true, false})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) expect_at_most_twice(8, Manner::brief, leave, seed);
}

TEST(SyncStarvation, strangers_that_only_lie_or_refuse_at_most_double_the_time) {
  for (const Manner manner :
       {Manner::other_chain, Manner::junk, Manner::empty_handed, Manner::busy_always, Manner::garbage})
    for (const bool leave : {true, false}) expect_at_most_twice(8, manner, leave, 1);
}

// The peers are there before the gap is, as after an hour of running; nobody has proved anything.
TEST(SyncStarvation, a_crowd_of_silent_peers_does_not_hold_the_requests) {
  World world(SyncConfig{});
  for (std::uint64_t n = 0; n < 32; ++n) world.add_peer(kFirstStranger + n, Manner::silent);
  add_honest(world);
  const Nanos took = time_to_fill(world);
  EXPECT_TRUE(world.filled());
  EXPECT_LE(took, 2 * undisturbed(1) + Seconds(5)) << "of 37 strangers eight are tried at a time, 3 s each";
  World proven(SyncConfig{});
  add_honest(proven);
  proven.request(40);
  proven.run(Seconds(10));
  ASSERT_TRUE(proven.filled());
  proven.set_head(39);
  for (std::uint64_t n = 0; n < 32; ++n) proven.add_peer(kFirstStranger + n, Manner::silent);
  const MonoTime began = proven.now.mono;
  for (proven.request(240); !proven.filled();) proven.run(Millis(100));
  EXPECT_LE(proven.now.mono - began, 2 * undisturbed(1));
}

// At the first gap of a node that has all its places taken: without what gossip knows it took 98 s instead of 8.
TEST(SyncStarvation, a_crowd_of_silent_peers_comes_after_those_that_brought_blocks_by_gossip) {
  World world(SyncConfig{});
  for (std::uint64_t n = 0; n < 240; ++n) world.add_peer(kFirstStranger + n, Manner::silent);
  add_honest(world);
  for (std::uint64_t n = 0; n < 5; ++n) world.scheduler.on_peer_vouched(peer_named(1 + n));
  const Nanos took = time_to_fill(world);
  EXPECT_TRUE(world.filled());
  EXPECT_LE(took, 2 * undisturbed(1));
}

TEST(SyncStarvation, a_crowd_that_brought_blocks_by_gossip_and_serves_none_is_asked_once_each) {
  World world(SyncConfig{});
  add_honest(world);
  for (std::uint64_t n = 0; n < 12; ++n) {
    world.add_peer(kFirstStranger + n, Manner::silent);
    world.scheduler.on_peer_vouched(peer_named(kFirstStranger + n));
  }
  EXPECT_LE(time_to_fill(world), 2 * undisturbed(1));
}

TEST(SyncStarvation, the_identities_of_one_address_share_the_trials_of_one_address) {
  World world(SyncConfig{});
  const AddressBlocks one{Bytes{10, 0, 0, 1}, {}};
  for (std::uint64_t n = 0; n < 30; ++n) world.add_peer(kFirstStranger + n, Manner::silent, Millis(50), one);
  world.request(kEnd);
  EXPECT_EQ(world.scheduler.trials(), 2u);
  world.add_peer(1, Manner::honest, Millis(20), {Bytes{10, 0, 0, 2}, {}});
  world.run(Seconds(1));
  EXPECT_GT(world.delivered.size() + world.scheduler.quarantined(), 0u);
  world.run(Seconds(120));
  EXPECT_TRUE(world.filled());
}

// The most urgent gap is of a branch that nobody has. What it costs the other one is its share of the requests.
TEST(SyncStarvation, strangers_and_a_gap_that_nobody_has_do_not_keep_another_gap_from_being_filled) {
  for (const Manner manner : {Manner::silent, Manner::junk, Manner::empty_handed}) {
    for (const bool leave : {true, false}) {
      World world(SyncConfig{}, 1);
      const Strangers strangers(world, 8, manner, leave);
      add_honest(world);
      const GapId nobodys = world.also(500, 9);
      const GapId gap = world.also(kEnd);
      const MonoTime began = world.now.mono;
      while (world.wanted.contains(gap) && world.now.mono - began < Seconds(180)) world.run(Millis(100));
      EXPECT_FALSE(world.wanted.contains(gap)) << world.delivered_of[gap].size() << " blocks in 180 s";
      EXPECT_LE(world.now.mono - began, 3 * undisturbed(1)) << (leave ? "the asked ones leave" : "");
      EXPECT_TRUE(world.delivered_of[nobodys].empty());
      for (std::uint64_t n = 1; n <= 5; ++n) EXPECT_TRUE(world.faults[peer_named(n)].empty());
    }
  }
}

// ---- the same with whole hosts: real handshakes, identify, streams, a store ----

class SyncStarvationOverHosts : public testing_hosts::SyncOverHosts {
 protected:
  static constexpr std::size_t kServers = 5;
  static constexpr std::size_t kNode = kServers;  // who has the gap

  // Says that it speaks the protocol, takes every request and never answers, or sends what never ends.
  struct Silent {
    Bytes begins_with;
    std::size_t index = 0;
    std::unique_ptr<libp2p::IdentifyService> identify;
    std::vector<libp2p::Stream> held;
    bool replaced = false;
  };
  static libp2p::runtime::Task<void> hold(Silent* silent, libp2p::Stream stream) {
    if (!silent->begins_with.empty()) {
      const libp2p::Result<void> sent = co_await stream.write(silent->begins_with);
      if (!sent) co_return;
    }
    silent->held.push_back(std::move(stream));
  }
  void add_silent(Bytes begins_with = {}) {
    auto silent = std::make_unique<Silent>();
    silent->begins_with = std::move(begins_with);
    silent->index = net_.size();
    auto& host = net_.add();
    silent->identify = std::make_unique<libp2p::IdentifyService>(host);
    host.set_stream_handler(nodes_[0]->server->protocol(),
                            [at = silent.get()](libp2p::Stream stream) { return hold(at, std::move(stream)); });
    EXPECT_TRUE(net_.connect(silent->index, kNode));
    silent_.push_back(std::move(silent));
  }
  // Whoever was asked makes room for a fresh identity.
  void replace_asked() {
    for (std::size_t i = 0; i < silent_.size(); ++i) {
      if (silent_[i]->held.empty() || std::exchange(silent_[i]->replaced, true)) continue;
      silent_[i]->held.clear();
      net_.disconnect(silent_[i]->index, kNode);
      add_silent();
    }
  }
  Nanos time_to_fill(const testing_hosts::Chain& chain, std::size_t waiting) {
    for (std::size_t i = 0; i < kServers; ++i) add().hold(chain, 1, chain.length());
    auto& node = add();
    for (std::size_t i = 0; i < waiting; ++i) add_silent();
    for (std::size_t i = 0; i < kServers; ++i) EXPECT_TRUE(net_.connect(kNode, i));
    net_.run_for(Seconds(1));
    const MonoTime began = net_.world().now();
    node.sink.want(chain.at(chain.length()));
    while (!node.filled() && net_.world().now() - began < Seconds(60)) {
      net_.run_for(Millis(100));
      replace_asked();
    }
    EXPECT_TRUE(node.filled());
    return net_.world().now() - began;
  }
  void TearDown() override {
    silent_.clear();
    SyncOverHosts::TearDown();
  }

  std::vector<std::unique_ptr<Silent>> silent_;
};

constexpr Nanos kUndisturbed = Seconds(9);  // 40 blocks at once and 20 a second

TEST_F(SyncStarvationOverHosts, a_gap_of_200_blocks_fills_from_five_servers) {
  EXPECT_LE(time_to_fill(testing_hosts::Chain(201, 500), 0), kUndisturbed);
}

TEST_F(SyncStarvationOverHosts,
       a_gap_of_200_blocks_fills_in_at_most_twice_the_time_with_eight_silent_identities_waiting) {
  const Nanos took = time_to_fill(testing_hosts::Chain(201, 500), 8);
  EXPECT_GT(silent_.size(), 12u) << "they were asked and replaced";
  EXPECT_LE(took, 2 * kUndisturbed);
}

TEST_F(SyncStarvationOverHosts, answers_that_strangers_do_not_end_have_a_budget_of_memory) {
  const testing_hosts::Chain chain(60, 500);
  add().hold(chain, 1, 60);
  for (std::size_t i = 1; i < kServers; ++i) add();
  auto& node = add();
  const Bytes endless =
      testing_hosts::codec::encode_response(testing_hosts::codec::ResponseVersion::envelope, Bytes(9 << 20));
  for (int i = 0; i < 8; ++i) add_silent(endless);
  node.sink.want(chain.at(60));
  std::size_t most = 0;
  for (int step = 0; step < 200; ++step) {
    net_.run_for(Millis(20));
    most = std::max(most, node.client->unproven_answer_bytes());
  }
  EXPECT_GT(most, 8u << 20);
  EXPECT_LE(most, (16u << 20) + (1u << 20)) << "half of the 32 MiB of reverse sync, and the last piece";
  ASSERT_TRUE(net_.connect(kNode, 0));
  net_.run_for(Seconds(30));
  EXPECT_TRUE(node.filled());
}

}  // namespace
}  // namespace opstack::sync
