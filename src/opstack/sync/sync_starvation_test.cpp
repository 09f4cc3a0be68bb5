// Peers that serve nothing, or only as much as it takes to be trusted, beside five that do: a gap must fill in at most
// twice the time that it takes without them.
#include <gtest/gtest.h>

#include "opstack/sync/sync_world_test.hpp"

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
  for (const Manner manner : {Manner::other_chain, Manner::empty_handed, Manner::busy_always, Manner::garbage})
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
  for (std::uint64_t n = 0; n < 32; ++n) proven.add_peer(kFirstStranger + n, Manner::silent);
  const MonoTime began = proven.now.mono;
  for (proven.request(240); !proven.filled();) proven.run(Millis(100));
  EXPECT_LE(proven.now.mono - began, 2 * undisturbed(1));
}

TEST(SyncStarvation, the_identities_of_one_address_share_the_trials_of_one_address) {
  World world(SyncConfig{});
  const AddressBlocks one{Bytes{10, 0, 0, 1}, {}};
  for (std::uint64_t n = 0; n < 30; ++n) world.add_peer(kFirstStranger + n, Manner::silent, Millis(50), one);
  world.request(kEnd);
  EXPECT_EQ(world.scheduler.trials(), 2u);
  world.add_peer(1, Manner::honest, Millis(20), {Bytes{10, 0, 0, 2}, {}});
  world.run(Seconds(1));
  EXPECT_GT(world.delivered.size() + world.scheduler.quarantined() + world.staged.size(), 0u);
  world.run(Seconds(120));
  EXPECT_TRUE(world.filled());
}

}  // namespace
}  // namespace opstack::sync
