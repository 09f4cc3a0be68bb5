// Everything at once: what each fault alone does not find, two together may.
#include <gtest/gtest.h>

#include <array>

#include "sim/scenarios.hpp"

namespace opp2p::node::devnet {
namespace runtime = libp2p::runtime;
namespace {

constexpr int kRounds = 8;
constexpr std::array kEverybody = {AdversaryKind::liar,    AdversaryKind::silent, AdversaryKind::trickler,
                                   AdversaryKind::hoarder, AdversaryKind::forger, AdversaryKind::deaf};

StoryOptions bad_day() {
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

void play_bad_day(Story& story) {
  story.blocks(5);
  for (const auto kind : kEverybody) story.add_adversaries(kind, 1, {0, 1, 2, 3, 4});
  for (int round = 0; round < kRounds; ++round) {
    for (const auto member : story.draw_members(3)) toggle(story, member);
    for (const auto member : story.draw_members(1)) {
      const auto wrong = Seconds(static_cast<int>(story.rng().below(20)) - 10);
      story.network().place(member).set_wall_offset(wrong);
    }
    for (const auto member : story.draw_members(1)) story.network().hold_writes(member);
    if (round % 3 == 1) story.world().partition({story.places(story.draw_members(story.network().size() / 3))});
    story.world().lose_connections(0.05);
    story.blocks(10);
    story.world().heal();
    for (std::size_t i = 0; i < story.network().size(); ++i) story.network().release_writes(i);
    story.blocks(1 + story.rng().below(5));
  }
  for (std::size_t i = 0; i < story.network().size(); ++i) {
    story.network().place(i).set_wall_offset(Nanos(0));
    if (!story.network().running(i)) toggle(story, i);
  }
  story.blocks_until_together(90);
}

}  // namespace

std::vector<Scenario> mixed_scenarios() { return {{"all_of_it_on_one_bad_day", bad_day, play_bad_day}}; }

}  // namespace opp2p::node::devnet
