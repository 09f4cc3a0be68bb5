// Peers that misbehave on purpose (sim/adversary.hpp).
#include <gtest/gtest.h>

#include "scenarios.hpp"

namespace opp2p::sim {
namespace {

// A member that has 60 blocks to fetch, and as many bad peers to fetch them from as good ones.
void play_late_joiner_among(Story& story, AdversaryKind kind) {
  story.blocks(60);
  const auto late = story.add_member();
  story.add_adversaries(kind, 3, {0, 1, late});
  story.blocks_until_together(90);
  std::uint64_t misdeeds = 0;
  for (std::size_t i = 0; i < story.network().adversaries(); ++i) misdeeds += story.network().adversary(i).misdeeds();
  EXPECT_GT(misdeeds, 0u) << "nobody asked the adversaries";
  EXPECT_GE(story.network().node(late).stats().synced, 59u);
}

void play_liars(Story& story) { play_late_joiner_among(story, AdversaryKind::liar); }
void play_silent(Story& story) { play_late_joiner_among(story, AdversaryKind::silent); }
void play_tricklers(Story& story) { play_late_joiner_among(story, AdversaryKind::trickler); }

void play_forger(Story& story) {
  story.add_adversaries(AdversaryKind::forger, 1, {0, 1, 2});
  story.blocks(60);
  EXPECT_GT(story.network().adversary(0).misdeeds(), 100u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GE(story.network().node(i).stats().rejected.reasons(), kMischiefs - 1);
}

void play_hoarder(Story& story) {
  story.add_adversaries(AdversaryKind::hoarder, 1, {0, 1, 2});
  story.blocks(60);
  EXPECT_GE(story.network().adversary(0).misdeeds(), 3 * Adversary::kHoarded);
  EXPECT_GE(story.most().most_streams, Adversary::kHoarded / 2);
}

}  // namespace

std::vector<Scenario> peer_scenarios() {
  return {
      {"a_peer_that_serves_wrong_blocks", usual, play_liars},
      {"a_peer_that_never_answers", usual, play_silent},
      {"a_peer_that_answers_one_byte_a_second", usual, play_tricklers},
      {"a_peer_that_gossips_wrong_blocks", usual, play_forger},
      {"200_streams_opened_and_never_used", usual, play_hoarder},
  };
}

}  // namespace opp2p::sim
