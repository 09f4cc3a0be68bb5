#include "opstack/sync/engine/sync_scheduler.hpp"

#include <gtest/gtest.h>

#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_world;

TEST(SyncScheduler, fills_a_gap_from_the_top_and_delivers_each_block_when_it_is_linked) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest);
  world.request(15);
  world.run(Millis(130));
  ASSERT_FALSE(world.delivered.empty());
  EXPECT_FALSE(world.filled());
  EXPECT_EQ(world.scheduler.lowest(World::id_of(15, 0)), world.delivered.back());
  world.run(Seconds(10));
  EXPECT_EQ(world.delivered, downwards(14, 11));
  EXPECT_EQ(world.asked, downwards(14, 11));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.traces[SyncTraceKind::promoted], 4);
  EXPECT_EQ(world.scheduler.memory_bytes(), 0u);
  EXPECT_EQ(world.scheduler.gaps(), 0u);
  EXPECT_EQ(world.scheduler.record().delivered, 4u);
  EXPECT_EQ(world.scheduler.record().failed, 0u);
  ASSERT_TRUE(world.scheduler.record().last_delivery);
  EXPECT_EQ(world.merits[peer_named(1)][PeerMerit::valid_response], 4);
  EXPECT_FALSE(world.scheduler.next_deadline());  // at rest
}

TEST(SyncScheduler, the_regular_check_says_start_end_and_size_and_schedules_nothing) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest);
  world.scheduler.on_check(world.ref(10), world.ref(15), world.now);
  world.drain();
  const auto& trace = world.last_trace[SyncTraceKind::range_requested];
  EXPECT_EQ(trace.start, 10u);
  EXPECT_EQ(trace.end, 15u);
  EXPECT_EQ(trace.size, 4u);
  world.scheduler.on_check(world.ref(10), std::nullopt, world.now);
  world.drain();
  world.run(Seconds(10));
  EXPECT_EQ(world.traces[SyncTraceKind::range_requested], 2);
  EXPECT_FALSE(world.last_trace[SyncTraceKind::range_requested].end);
  EXPECT_TRUE(world.asked.empty());
}

TEST(SyncScheduler, a_check_of_an_end_at_or_just_above_the_start_says_nothing) {
  World world(SyncConfig{});
  for (const std::uint64_t end : {0u, 9u, 10u, 11u}) {
    BlockRef target;
    target.number = end;
    world.scheduler.on_check(world.ref(10), target, world.now);
    world.drain();
  }
  EXPECT_EQ(world.traces[SyncTraceKind::range_requested], 0);
}

TEST(SyncScheduler, below_the_block_of_number_zero_is_nothing) {
  World world(SyncConfig{}, 1, 0);
  world.add_peer(1, Manner::honest);
  world.scheduler.set_gaps({Gap{1, block_at(0).ref(), 0}}, world.now);
  world.drain();
  EXPECT_EQ(world.scheduler.gaps(), 0u);
  world.asks_below_the_floor = true;
  world.request(3);
  world.run(Seconds(10));
  EXPECT_EQ(world.delivered, (std::vector<std::uint64_t>{2, 1, 0}));
  EXPECT_FALSE(world.scheduler.next_deadline());
}

TEST(SyncScheduler, without_a_free_peer_it_stops_and_says_so_once_and_goes_on_when_one_comes) {
  World world(SyncConfig{});
  world.request(15);
  world.run(Seconds(60));
  EXPECT_EQ(world.traces[SyncTraceKind::no_free_peer], 1);
  EXPECT_EQ(world.last_trace[SyncTraceKind::no_free_peer].number, 14u);
  EXPECT_FALSE(world.scheduler.can_ask());
  EXPECT_FALSE(world.scheduler.next_deadline());  // no polling
  world.request(15);
  world.run(Seconds(60));
  EXPECT_EQ(world.traces[SyncTraceKind::no_free_peer], 1) << "it is known";
  world.add_peer(1, Manner::honest);
  world.run(Seconds(10));
  EXPECT_TRUE(world.filled());
}

TEST(SyncScheduler, asks_several_peers_at_once_one_request_each) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 4; ++n) world.add_peer(n, Manner::honest, Seconds(1));
  world.request(100);
  EXPECT_EQ(world.busy.size(), 4u);
  EXPECT_EQ(world.asked, downwards(99, 96));
}

TEST(SyncScheduler, keeps_to_the_rates_of_each_peer_and_of_all) {
  SyncConfig config;
  World world(config);
  world.add_peer(1, Manner::honest, Millis(1));
  world.request(1000);
  world.run(Seconds(10));
  EXPECT_LE(world.requests[peer_named(1)], 15 + 4 * 10 + 1);
  EXPECT_GE(world.requests[peer_named(1)], 15 + 4 * 10 - 2);

  World crowd(config);
  for (std::uint64_t n = 1; n <= 20; ++n) crowd.add_peer(n, Manner::honest, Millis(1));
  crowd.request(2000);
  crowd.run(Seconds(10));
  EXPECT_LE(crowd.asked.size(), 40u + 20 * 10 + 1);
  EXPECT_GE(crowd.asked.size(), 40u + 20 * 10 - 5);
}

// ---- what op-node's client got wrong, a test each ----

// It took the tokens of a peer before there was work, so that an idle peer could be out of tokens when a gap came.
TEST(SyncScheduler, an_idle_peer_keeps_its_tokens) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(1));
  world.run(Seconds(60));
  world.request(26);
  world.run(Millis(500));
  EXPECT_TRUE(world.filled());  // 15 blocks: the whole burst
}

// It charged 15 tokens for "not found" and gave up the whole range.
TEST(SyncScheduler, not_found_is_no_fault_and_the_gap_is_filled_further_with_another_peer) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::empty_handed, Millis(5));
  world.add_peer(2, Manner::honest, Millis(50));
  world.request(40);
  world.run(Seconds(20));
  EXPECT_TRUE(world.filled());
  EXPECT_TRUE(world.faults.empty());
  EXPECT_EQ(world.merits[peer_named(1)].size(), 0u);
}

// It punished a server that throttled, and did not ask anybody else.
TEST(SyncScheduler, throttled_is_no_fault_and_is_asked_of_another_peer_at_once) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::busy);
  world.add_peer(2, Manner::honest);
  world.request(40);
  world.run(Seconds(30));
  EXPECT_TRUE(world.filled());
  EXPECT_TRUE(world.faults.empty());
  EXPECT_EQ(world.merits[peer_named(1)][PeerMerit::error_response], 0);
}

// A request whose answer never came stayed in flight until a restart (op-node's deadlock).
TEST(SyncScheduler, a_silent_peer_costs_one_deadline_and_not_the_gap) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);
  world.request(15);
  world.run(Seconds(2));
  EXPECT_EQ(world.requests[peer_named(1)], 1);
  world.add_peer(2, Manner::honest);
  world.run(Seconds(2));
  EXPECT_TRUE(world.filled());
  EXPECT_GE(world.cancels, 1);
  EXPECT_EQ(world.merits[peer_named(1)][PeerMerit::valid_response], 0);
}

// It threw out any quarantined block below a promoted one, the right parent as well.
TEST(SyncScheduler, a_quarantined_parent_is_linked_with_its_child_and_not_lost) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::honest, Millis(900));
  world.add_peer(2, Manner::honest, Millis(10));
  world.request(13);  // 12 is asked of the first peer, 11 of the second
  world.run(Millis(500));
  EXPECT_EQ(world.scheduler.quarantined(), 1u);
  world.run(Seconds(30));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.asked.size(), 2u);  // nothing was asked for twice
}

// Answers that came while its result channel was full were lost.
TEST(SyncScheduler, any_number_of_answers_at_once_are_kept) {
  SyncConfig config;
  config.max_in_flight = 1000;
  config.global_burst = 1000;
  World world(config);
  for (std::uint64_t n = 1; n <= 300; ++n) world.add_peer(n, Manner::honest, Millis(10));
  world.request(311);
  world.run(Seconds(5));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.asked.size(), 300u);
}

// A full quarantine was the peers' fault.
TEST(SyncScheduler, a_full_quarantine_drops_the_lowest_punishes_nobody_and_still_fills) {
  SyncConfig config;
  config.max_bytes = 64 << 10;
  config.max_quarantined = 5;
  World world(config);
  world.block_size = 10000;
  for (std::uint64_t n = 1; n <= 6; ++n) world.add_peer(n, Manner::honest, Millis(static_cast<std::int64_t>(40 * n)));
  world.request(120);
  world.run(Seconds(60));
  EXPECT_TRUE(world.filled());
  EXPECT_TRUE(world.faults.empty());
  EXPECT_LE(world.most_memory, config.max_bytes + 2 * 11000);
}

TEST(SyncScheduler, asks_for_as_many_blocks_as_its_memory_and_its_quarantine_have_room_for) {
  const auto most_asked = [](const SyncConfig& config) {
    World world(config);
    for (std::uint64_t n = 1; n <= 20; ++n) world.add_peer(n, Manner::silent);
    world.request(120);
    world.run(Millis(1));
    return world.asked.size();
  };
  SyncConfig memory;
  memory.max_bytes = 6 * (64 << 10);  // before the first answer a block is taken for 64 KiB
  EXPECT_EQ(most_asked(memory), 6u);
  memory.max_bytes -= 1;
  EXPECT_EQ(most_asked(memory), 5u);
  SyncConfig quarantine;
  quarantine.max_quarantined = 7;
  EXPECT_EQ(most_asked(quarantine), 7u);
}

// It gave the same peer the same request again.
TEST(SyncScheduler, a_number_is_retried_at_a_peer_that_was_not_asked_for_it) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::failing, Millis(5));
  world.request(12);
  world.run(Millis(100));
  EXPECT_EQ(world.requests[peer_named(1)], 1);
  world.add_peer(2, Manner::honest, Millis(5));
  world.run(Millis(900));
  EXPECT_TRUE(world.filled());
  EXPECT_EQ(world.requests[peer_named(1)], 1);
}

// ---- lies ----

TEST(SyncScheduler, what_the_gap_waits_for_is_asked_of_a_second_peer_and_of_no_third) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 2; ++n) world.add_peer(n, Manner::silent);
  world.request(12);
  world.run(Millis(900));
  EXPECT_EQ(world.asked.size(), 1u);
  world.run(Millis(300));
  EXPECT_EQ(world.asked, (std::vector<std::uint64_t>{11, 11}));
  world.add_peer(3, Manner::honest, Millis(10));
  world.run(Millis(1700));
  EXPECT_EQ(world.asked.size(), 2u) << "the first two have 3 s each";
  world.run(Millis(1000));
  EXPECT_TRUE(world.filled());
}

TEST(SyncScheduler, a_peer_that_identify_is_silent_about_is_tried_last_alone_and_once) {
  World world(SyncConfig{});
  for (std::uint64_t n = 1; n <= 4; ++n) world.add_peer(n, Manner::silent, Millis(10), {}, false);
  world.request(40);
  EXPECT_EQ(world.asked.size(), 1u);
  world.run(Seconds(4));
  EXPECT_EQ(world.scheduler.peers(), 3u) << "it did not answer, and identify was silent";
  EXPECT_EQ(world.asked.size(), 2u);
  world.add_peer(5, Manner::honest, Millis(10), {}, false);
  world.run(Seconds(30));
  EXPECT_TRUE(world.filled()) << "who answers speaks the protocol";
  EXPECT_EQ(world.scheduler.peers(), 1u);
}

TEST(SyncScheduler, a_wrong_block_is_a_fault_with_evidence) {
  const std::pair<Manner, SyncFaultKind> cases[] = {{Manner::wrong_number, SyncFaultKind::wrong_number},
                                                    {Manner::bad_hash, SyncFaultKind::bad_hash},
                                                    {Manner::altered, SyncFaultKind::altered},
                                                    {Manner::garbage, SyncFaultKind::malformed}};
  for (const auto& [manner, kind] : cases) {
    World world(SyncConfig{});
    world.add_peer(1, manner, Millis(5));
    world.request(12);
    world.run(Seconds(1));
    ASSERT_EQ(world.faults[peer_named(1)].size(), 1u) << to_string(kind);
    EXPECT_EQ(world.faults[peer_named(1)][0].kind, kind);
    EXPECT_EQ(world.faults[peer_named(1)][0].number, 11u);
    EXPECT_TRUE(world.delivered.empty());
    world.add_peer(2, Manner::honest);
    world.run(Seconds(2));
    EXPECT_TRUE(world.filled());
    EXPECT_TRUE(world.faults[peer_named(2)].empty());
  }
}

TEST(SyncScheduler, an_answer_that_nobody_asked_for_changes_nothing) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::silent);
  world.request(15);
  world.scheduler.on_answer(999, Answer(block_at(14)), world.now);
  world.drain();
  EXPECT_EQ(world.traces[SyncTraceKind::late_answer], 1);
  EXPECT_EQ(world.traces[SyncTraceKind::promoted], 0);
}

TEST(SyncScheduler, a_peer_without_the_protocol_is_taken_out) {
  World world(SyncConfig{});
  world.add_peer(1, Manner::no_protocol);
  world.request(15);
  world.run(Seconds(5));
  EXPECT_EQ(world.scheduler.peers(), 0u);
  EXPECT_TRUE(world.faults.empty());
}

}  // namespace
}  // namespace opstack::sync
