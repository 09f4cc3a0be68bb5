#include <gtest/gtest.h>

#include "opstack/sync/engine/sync_scheduler.hpp"
#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_world;

// ---- branches ----

TEST(SyncScheduler, two_gaps_at_one_height_on_different_branches_fill_from_peers_that_hold_different_branches) {
  for (const bool lists : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      World world(SyncConfig{}, seed);
      world.lists_each_block = lists;
      world.fork_point = 20;
      for (std::uint64_t n = 1; n <= 2; ++n) world.add_peer(n, Manner::honest);
      for (std::uint64_t n = 3; n <= 4; ++n) world.add_peer(n, Manner::other_chain);
      const GapId first = world.also(60, 0);
      const GapId second = world.also(60, 7);
      world.run(Seconds(60));
      EXPECT_TRUE(world.filled());
      EXPECT_EQ(world.delivered_of[first], downwards(59, 11));
      EXPECT_EQ(world.delivered_of[second], downwards(59, 11));
      EXPECT_TRUE(world.faults.empty());
      EXPECT_EQ(world.traces[SyncTraceKind::peer_paused], 0);
      for (std::uint64_t n = 1; n <= 4; ++n) {
        EXPECT_LE(world.other_branches[peer_named(n)], 1) << "it is passed over for the gap of the other branch";
        EXPECT_EQ(world.merits[peer_named(n)][PeerMerit::rejected_payload], 0);
        EXPECT_EQ(world.merits[peer_named(n)][PeerMerit::error_response], 0);
      }
    }
  }
}

// Six such answers banned an honest peer.
TEST(SyncScheduler, a_peer_on_another_branch_is_passed_over_for_the_gap_without_a_fault_and_serves_others) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::other_chain, Millis(10));
  const GapId gap = world.also(40, 0);
  world.run(Millis(400));
  EXPECT_EQ(world.scheduler.passed_over(gap), 1u);
  EXPECT_EQ(world.scheduler.quarantined(), 0u);
  const auto& trace = world.last_trace[SyncTraceKind::other_branch];
  EXPECT_EQ(trace.peer, peer_named(1));
  EXPECT_EQ(trace.gap, gap);
  EXPECT_EQ(trace.number, 39u);
  EXPECT_NE(trace.text.find(libp2p::to_hex0x(world.make(39, 7).hash())), std::string::npos) << trace.text;
  EXPECT_NE(trace.text.find(libp2p::to_hex0x(world.make(39, 0).hash())), std::string::npos) << trace.text;
  const GapId other = world.also(30, 7);
  world.run(Seconds(10));
  EXPECT_FALSE(world.wanted.contains(other)) << "it is filled";
  EXPECT_TRUE(world.scheduler.is_proven(peer_named(1)));
  EXPECT_TRUE(world.faults.empty());
  EXPECT_EQ(world.merits[peer_named(1)].size(), 1u);
  EXPECT_EQ(world.merits[peer_named(1)][PeerMerit::valid_response], 19);
  EXPECT_EQ(world.traces[SyncTraceKind::peer_paused], 0);
}

TEST(SyncScheduler, what_waits_from_a_peer_goes_when_its_first_block_turns_out_to_be_of_another_branch) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(900));  // is asked for 39
  world.add_peer(2, Manner::other_chain, Millis(5));
  const GapId gap = world.also(40, 0);
  world.run(Millis(800));
  ASSERT_GT(world.scheduler.quarantined(), 5u) << "nothing speaks against it yet";
  EXPECT_TRUE(world.other_branches.empty());
  world.run(Seconds(3));
  EXPECT_EQ(world.other_branches[peer_named(2)], 1) << "one block tells, not thirty";
  EXPECT_EQ(world.scheduler.passed_over(gap), 1u);
  world.run(Seconds(60));
  EXPECT_TRUE(world.filled());
  EXPECT_TRUE(world.faults.empty());
  EXPECT_EQ(world.suppliers, std::set<PeerId>{peer_named(1)});
}

TEST(SyncScheduler, a_block_that_came_for_a_gap_of_another_branch_is_kept_for_the_gap_that_wants_it) {
  World world(SyncConfig{});
  const GapId first = world.also(40, 0);
  const GapId second = world.also(40, 7);
  world.add_peer(1, Manner::other_chain, Millis(5));  // is asked for the first gap's 39
  world.run(Millis(150));
  EXPECT_EQ(world.scheduler.passed_over(first), 1u);
  ASSERT_FALSE(world.delivered_of[second].empty());
  EXPECT_EQ(world.delivered_of[second].front(), 39u);
  EXPECT_EQ(std::count(world.asked.begin(), world.asked.end(), 39u), 1) << "it was not asked for again";
}

TEST(SyncScheduler, a_block_that_two_gaps_wait_for_is_delivered_for_both) {
  World world(SyncConfig{});
  world.fork_point = 39;  // the two children of block 39
  const GapId first = world.also(40, 0);
  const GapId second = world.also(40, 9);
  world.add_peer(1, Manner::honest, Millis(5));
  world.run(Millis(30));
  EXPECT_EQ(world.delivered_of[first].front(), 39u);
  EXPECT_EQ(world.delivered_of[second].front(), 39u);
  EXPECT_EQ(std::count(world.asked.begin(), world.asked.end(), 39u), 1);
  EXPECT_EQ(world.merits[peer_named(1)][PeerMerit::valid_response], static_cast<int>(world.delivered_of[first].size()));
  world.run(Seconds(30));
  EXPECT_TRUE(world.filled());
  EXPECT_TRUE(world.other_branches.empty());
}

TEST(SyncScheduler, a_block_of_another_branch_waits_for_the_gap_that_will_want_it) {
  World world(SyncConfig{}, 1, 37);
  const GapId first = world.also(40, 0);
  const GapId second = world.also(45, 7);
  world.add_peer(1, Manner::other_chain, Millis(2));  // is asked for the first gap's 39
  world.run(Millis(480));
  EXPECT_EQ(world.scheduler.passed_over(first), 1u);
  EXPECT_EQ(world.delivered_of[second], downwards(44, 38));
  EXPECT_EQ(std::count(world.asked.begin(), world.asked.end(), 39u), 1);
}

TEST(SyncScheduler, blocks_of_a_dropped_gap_stay_for_the_gap_that_wants_their_numbers) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);  // is asked for 14
  world.add_peer(2, Manner::honest);
  world.request(15);
  world.run(Millis(950));  // before a second peer is asked for 14
  ASSERT_EQ(world.scheduler.quarantined(), 3u);
  const auto asked = world.asked.size();
  world.request(14);
  world.run(Seconds(5));
  EXPECT_EQ(world.delivered, downwards(13, 11));
  EXPECT_EQ(world.asked.size(), asked);
}

TEST(SyncScheduler, foreign_blocks_of_a_dropped_gap_do_not_keep_another_one_from_being_filled) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);
  world.add_peer(2, Manner::other_chain);
  world.request(15);
  world.run(Millis(950));
  ASSERT_EQ(world.scheduler.quarantined(), 3u);
  world.add_peer(3, Manner::honest);
  world.request(14);
  world.run(Seconds(60));
  EXPECT_EQ(world.delivered, downwards(13, 11));
  EXPECT_LE(world.other_branches[peer_named(2)], 1);
}

TEST(SyncScheduler, a_peer_that_has_changed_to_the_wanted_branch_is_asked_again) {
  for (const bool another_is_there : {false, true}) {
    World world(SyncConfig{});
    world.add_peer(1, Manner::other_chain, Millis(5));
    if (another_is_there) world.add_peer(2, Manner::empty_handed, Millis(5));
    world.request(40);
    world.run(Seconds(20));
    ASSERT_TRUE(world.delivered.empty());
    const int asked = world.requests[peer_named(1)];
    EXPECT_LE(asked, another_is_there ? 60 : 120);
    world.manners.at(peer_named(1)).first = Manner::honest;
    world.run(Seconds(60));
    EXPECT_TRUE(world.filled());
    EXPECT_TRUE(world.faults.empty());
  }
}

TEST(SyncScheduler, when_everybody_is_passed_over_a_pause_ends_that) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 3; ++n) world.add_peer(n, Manner::other_chain, Millis(5));
  const GapId gap = world.also(40);
  world.run(Millis(400));
  EXPECT_EQ(world.scheduler.passed_over(gap), 3u);
  EXPECT_EQ(world.traces[SyncTraceKind::no_peer_has_block], 1);
  world.manners.at(peer_named(2)).first = Manner::honest;
  world.run(Millis(800));
  EXPECT_FALSE(world.delivered.empty());
}

// ---- liars ----

TEST(SyncScheduler, while_others_can_be_asked_a_liar_is_not_asked_again_after_a_pause) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::junk, Millis(5));
  world.add_peer(2, Manner::empty_handed, Millis(5));
  world.request(12);
  world.run(Seconds(5));
  EXPECT_GE(world.traces[SyncTraceKind::no_peer_has_block], 3);
  EXPECT_EQ(world.requests[peer_named(1)], 1);
  EXPECT_GE(world.requests[peer_named(2)], 3);
}

TEST(SyncScheduler, who_has_sent_another_branch_comes_no_sooner_for_another_gap_than_who_was_never_asked) {
  SyncConfig config;
  config.window = 2;
  World world(config);
  std::vector<PeerId> peers;
  world.on_asked = [&](const PeerId& peer) { peers.push_back(peer); };
  world.add_peer(1, Manner::silent);
  world.add_peer(2, Manner::junk, Millis(5));
  world.also(40);  // the silent one is asked for 39, the other one for 38
  world.run(Millis(500));
  ASSERT_EQ(world.scheduler.quarantined(), 1u);
  for (std::uint64_t n = 3; n <= 5; ++n) world.add_peer(n, Manner::silent);
  world.run(Millis(700));  // 39 is asked of the second one too, then both blocks of two of the others
  ASSERT_EQ(peers.size(), 5u);
  ASSERT_EQ(world.other_branches[peer_named(2)], 1);
  world.also(60);
  ASSERT_GE(peers.size(), 6u);
  EXPECT_EQ(peers[5], peer_named(5));
}

TEST(SyncScheduler, liars_with_well_formed_junk_take_one_answer_each_from_a_gap) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(20));
  world.request(100);
  world.run(Seconds(5));
  for (std::uint64_t n = 2; n <= 21; ++n) world.add_peer(n, Manner::junk, Millis(1));
  world.run(Seconds(60));
  EXPECT_TRUE(world.filled());
  for (std::uint64_t n = 2; n <= 21; ++n) EXPECT_LE(world.other_branches[peer_named(n)], 1) << n;
  EXPECT_LE(world.asked.size(), 89u + 150u);
}

// It has proved much, so that it comes first, and then it brings nothing that links.
TEST(SyncScheduler, a_proven_peer_that_turns_to_junk_is_passed_over_like_anybody) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(5));
  world.request(60);
  world.run(Seconds(15));
  ASSERT_TRUE(world.filled());
  world.manners.at(peer_named(1)).first = Manner::junk;
  world.add_peer(2, Manner::honest, Millis(20));
  world.set_head(60);
  world.request(100);
  world.run(Seconds(15));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.other_branches[peer_named(1)], 1);
}

}  // namespace
}  // namespace opstack::sync
