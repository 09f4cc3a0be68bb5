// Faults of the hosts: what loses power, starts again, reads slowly, or has a wrong clock.
#include <gtest/gtest.h>

#include <algorithm>

#include "scenarios.hpp"

namespace opp2p::sim {
namespace {

// --- half-open peers ---

// Does anybody believe to be connected to the member?
std::size_t believers(Story& story, const libp2p::PeerId& peer) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < story.network().size(); ++i) {
    if (story.network().running(i) && story.network().node(i).host().connected(peer)) ++out;
  }
  return out;
}

void play_half_open(Story& story) {
  story.blocks(10);
  const auto gone = story.draw_members(3);
  std::vector<libp2p::PeerId> ids;
  for (const auto member : gone) ids.push_back(story.network().node(member).host().id());
  for (const auto member : gone) story.network().lose_power(member);
  story.blocks(1);
  for (const auto& id : ids) EXPECT_GT(believers(story, id), 0u) << "nobody was told";
  // A keep-alive goes out every 30 s, and is waited for 10 s.
  story.blocks(25);
  for (const auto& id : ids) EXPECT_EQ(believers(story, id), 0u);
  ASSERT_TRUE(story.network().start(gone.front()));
  story.blocks_until_together(60);
}

// --- restarts ---

void play_restarts(Story& story) {
  story.blocks(15);
  const auto chosen = story.draw_members(story.network().size() / 3);
  const auto half = chosen.size() / 2;
  const std::vector<std::size_t> in_order(chosen.begin(), chosen.begin() + half);
  const std::vector<std::size_t> at_once(chosen.begin() + half, chosen.end());
  for (const auto member : at_once) story.network().hold_writes(member);
  story.blocks(5);
  for (const auto member : in_order) story.network().stop(member);
  for (const auto member : at_once) {
    EXPECT_EQ(story.head(member), 15u) << "what the disk has not acknowledged is not told";
    story.network().lose_power(member);
  }
  story.blocks(10);
  for (const auto member : chosen) {
    ASSERT_TRUE(story.network().start(member));
    const bool lost = std::find(at_once.begin(), at_once.end(), member) != at_once.end();
    EXPECT_EQ(story.head(member), lost ? 15u : 20u) << "the store keeps what it acknowledged";
  }
  story.blocks_until_together(60);
}

// --- slow readers ---

constexpr std::uint64_t kSlowRate = 20'000;  // bytes a second and connection

StoryOptions large_blocks(std::uint64_t) {
  StoryOptions out;
  out.block_size = 50'000;
  return out;
}

void play_slow_readers(Story& story) {
  const auto slow = story.draw_members(2);
  for (const auto member : slow) story.network().place(member).set_read_rate(kSlowRate);
  story.add_adversaries(AdversaryKind::deaf, 2, {0, 1, 2});
  story.blocks(90);
  EXPECT_GT(story.network().adversary(0).misdeeds(), 3u) << "a stream that is not read is closed, and opened again";
  EXPECT_GT(story.most().gossip_sending, 100'000u);
  for (const auto member : slow) story.network().place(member).set_read_rate(0);
  story.blocks_until_together(30);
}

// --- clocks ---

StoryOptions skewed(std::uint64_t) {
  StoryOptions out;
  out.member = [](std::size_t index, SimMemberOptions& member) {
    if (index % 3 == 1) member.wall_offset = Seconds(5);
    if (index % 3 == 2) member.wall_offset = Seconds(-5);
  };
  return out;
}

void play_skewed(Story& story) {
  story.blocks(60);
  const auto late = story.add_member();
  story.blocks_until_together(30);
  EXPECT_GT(story.network().node(late).stats().synced, 50u);
}

std::uint64_t rejected(Story& story, std::size_t member, opstack::rules::Reason reason) {
  return story.network().node(member).stats().rejected.of(reason);
}

// One clock goes a little ahead and stays; one an hour ahead, one an hour back, and both are set right after a minute.
void play_clock_jump(Story& story) {
  const auto jumping = story.draw_members(3);
  const auto set = [&](std::size_t which, Nanos offset) {
    story.network().place(jumping[which]).set_wall_offset(offset);
  };
  story.blocks(10);
  set(0, Seconds(30));
  set(1, Seconds(3600));
  set(2, Seconds(-3600));
  story.blocks(30);
  EXPECT_EQ(story.head(jumping[0]), story.produced());
  EXPECT_GT(rejected(story, jumping[1], opstack::rules::Reason::too_old), 0u);
  EXPECT_GT(rejected(story, jumping[2], opstack::rules::Reason::too_new), 0u);
  set(1, Seconds(0));
  set(2, Seconds(0));
  story.blocks_until_together(60);
}

}  // namespace

std::vector<Scenario> host_scenarios() {
  return {
      {"half_open_peers", usual, play_half_open},         {"restart_of_a_third_of_the_nodes", usual, play_restarts},
      {"slow_readers", large_blocks, play_slow_readers},  {"clock_skew_of_5_seconds", skewed, play_skewed},
      {"jump_of_the_wall_clock", usual, play_clock_jump},
  };
}

}  // namespace opp2p::sim
