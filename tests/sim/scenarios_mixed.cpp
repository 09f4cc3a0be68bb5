// Many faults at once: what each alone does not find, two together may.
#include <gtest/gtest.h>

#include <array>

#include "scenarios.hpp"

namespace opp2p::sim {
namespace runtime = libp2p::runtime;
namespace {

constexpr int kRounds = 8;
constexpr std::array kEverybody = {AdversaryKind::liar,    AdversaryKind::silent, AdversaryKind::trickler,
                                   AdversaryKind::hoarder, AdversaryKind::forger, AdversaryKind::deaf};

// Stops a running member or starts one that is stopped.
void toggle(Story& story, std::size_t member) {
  auto& network = story.network();
  if (!network.running(member)) {
    ASSERT_TRUE(network.start(member));
  } else if (story.rng().below(2) == 0) {
    network.stop(member);
  } else {
    network.lose_power(member);
  }
}

void disturb_clock(Story& story, std::size_t member) {
  const auto wrong = Seconds(static_cast<int>(story.rng().below(20)) - 10);
  story.network().place(member).set_wall_offset(wrong);
}

// Everything that is out of order is put right.
void repair(Story& story) {
  story.world().heal();
  for (std::size_t i = 0; i < story.network().size(); ++i) {
    story.network().release_writes(i);
    story.network().place(i).set_wall_offset(Nanos(0));
    story.network().place(i).set_read_rate(0);
    if (!story.network().running(i)) toggle(story, i);
  }
}

// --- all of it on one bad day ---

StoryOptions bad_day(std::uint64_t) {
  StoryOptions out;
  out.nodes = 16;
  out.block_size = 8'000;
  runtime::LinkQuality rest;
  rest.jitter = Millis(20);
  rest.loss = 0.01;
  out.links = std::make_unique<runtime::RegionalLinks>(rest);
  out.member = [](std::size_t index, SimMemberOptions& member) {
    member.wall_offset = Seconds(static_cast<int>(index % 5) - 2);
  };
  return out;
}

void play_bad_day(Story& story) {
  story.blocks(5);
  for (const auto kind : kEverybody) story.add_adversaries(kind, 1, {0, 1, 2, 3, 4});
  for (int round = 0; round < kRounds; ++round) {
    for (const auto member : story.draw_members(3)) toggle(story, member);
    for (const auto member : story.draw_members(1)) disturb_clock(story, member);
    for (const auto member : story.draw_members(1)) story.network().hold_writes(member);
    if (round % 3 == 1) story.world().partition({story.places(story.draw_members(story.network().size() / 3))});
    story.world().lose_connections(0.05);
    story.blocks(10);
    story.world().heal();
    for (std::size_t i = 0; i < story.network().size(); ++i) story.network().release_writes(i);
    story.blocks(1 + story.rng().below(5));
  }
  repair(story);
  story.blocks_until_together(90);
}

// --- weather that the seed draws: other links, other bounds and other faults each time ---

StoryOptions drawn(std::uint64_t seed) {
  libp2p::SeededRng rng(seed);
  StoryOptions out;
  out.nodes = 8 + rng.below(12);
  out.dials = 2 + rng.below(4);
  out.block_size = std::array<std::size_t, 4>{500, 2'000, 10'000, 40'000}[rng.below(4)];
  runtime::LinkQuality rest;
  rest.jitter = Millis(static_cast<int>(rng.below(100)));
  rest.loss = rng.below(2) == 0 ? 0 : 0.02 * rng.next_unit();
  if (rng.below(2) == 0) rest.bytes_per_second = 500'000 + rng.below(2'000'000);
  if (rng.below(2) == 0)
    out.links = std::make_unique<runtime::RegionalLinks>(rest);
  else
    out.links = std::make_unique<runtime::UniformLinks>(rest);
  const bool little_memory = rng.below(2) == 0;
  const bool few_peers = rng.below(2) == 0;
  out.member = [little_memory, few_peers](std::size_t, SimMemberOptions& member) {
    member.configure = [little_memory, few_peers](NodeConfig& config) {
      if (little_memory) config.sync_memory = 1 << 20;
      if (!few_peers) return;
      config.peers_lo = 4;
      config.peers_hi = 6;
    };
  };
  return out;
}

void play_drawn(Story& story) {
  auto& network = story.network();
  const auto happens = [&story](std::uint64_t one_in) { return story.rng().below(one_in) == 0; };
  story.blocks(5);
  for (int round = 0; round < kRounds; ++round) {
    if (happens(3)) story.add_adversaries(kEverybody[story.rng().below(kEverybody.size())], 1, story.draw_members(4));
    for (const auto member : story.draw_members(story.rng().below(4))) toggle(story, member);
    for (const auto member : story.draw_members(story.rng().below(3))) disturb_clock(story, member);
    for (const auto member : story.draw_members(story.rng().below(3))) network.hold_writes(member);
    for (const auto member : story.draw_members(story.rng().below(3)))
      network.fail_writes(member, story.rng().below(8));
    for (const auto member : story.draw_members(story.rng().below(3))) network.place(member).set_read_rate(20'000);
    if (happens(3)) story.world().partition({story.places(story.draw_members(story.rng().below(network.size())))});
    if (happens(2)) story.world().lose_connections(0.3 * story.rng().next_unit());
    story.blocks(1 + story.rng().below(40));
    if (happens(2)) repair(story);
    if (happens(4)) story.add_member();
  }
  repair(story);
  // A member serves nobody before it has filled its own gap, so that some wait for others that wait.
  story.blocks_until_together(400);
}

}  // namespace

std::vector<Scenario> mixed_scenarios() {
  return {
      {"all_of_it_on_one_bad_day", bad_day, play_bad_day},
      {"weather_that_the_seed_draws", drawn, play_drawn},
  };
}

}  // namespace opp2p::sim
