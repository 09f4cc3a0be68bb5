// Faults of what lies between the nodes: latency, loss, partitions.
#include <gtest/gtest.h>

#include "scenarios.hpp"

namespace opp2p::sim {
namespace runtime = libp2p::runtime;
namespace {

std::vector<std::size_t> first_half(Story& story) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < story.network().size() / 2; ++i) out.push_back(i);
  return out;
}

// --- latency from a regional matrix ---

StoryOptions regional(std::uint64_t) {
  StoryOptions out;
  runtime::LinkQuality rest;
  rest.jitter = Millis(15);
  rest.bytes_per_second = 2'500'000;
  out.links = std::make_unique<runtime::RegionalLinks>(rest);
  out.block_size = 20'000;
  return out;
}

void play_regional(Story& story) {
  story.blocks(60);
  Nanos slowest{0};
  for (std::size_t i = 1; i < story.network().size(); ++i)
    slowest = std::max(slowest, story.network().node(i).stats().latency.quantile(0.5).value_or(Nanos(0)));
  EXPECT_GT(slowest, Millis(40)) << "no block can cross an ocean faster";
  EXPECT_LT(slowest, Millis(1500));
}

// --- loss and reordering ---

StoryOptions lossy(std::uint64_t) {
  StoryOptions out;
  runtime::LinkQuality quality;
  quality.loss = 0.05;
  quality.jitter = Millis(50);
  out.links = std::make_unique<runtime::UniformLinks>(quality);
  return out;
}

void play_lossy(Story& story) {
  std::size_t lost = 0;
  for (int i = 0; i < 12; ++i) {
    story.blocks(5);
    lost += story.world().lose_connections(0.1);
  }
  EXPECT_GT(lost, 0u);
  story.blocks_until_together(15);
}

// --- partitions ---

void play_partition(Story& story, std::uint64_t blocks) {
  story.blocks(10);
  story.world().partition({story.places(first_half(story))});
  story.blocks(blocks);
  EXPECT_EQ(story.behind().size(), story.network().size() - first_half(story).size());
  story.world().heal();
  story.blocks_until_together(60);
  story.blocks(5);
}

void play_partition_30_s(Story& story) { play_partition(story, 15); }
void play_partition_5_min(Story& story) { play_partition(story, 150); }

void play_sequencer_alone(Story& story) {
  story.blocks(10);
  story.world().partition({story.places({0})});
  story.blocks(300);
  EXPECT_EQ(story.behind().size(), story.network().size() - 1);
  for (const auto member : story.behind()) EXPECT_LE(story.head(member), 10u);
  story.world().heal();
  story.blocks_until_together(150);
  story.world().run_until([&] { return story.holes() == 0; }, Seconds(180));
  for (std::size_t i = 1; i < story.network().size(); ++i)
    EXPECT_GT(story.network().node(i).stats().synced, 250u) << "what the sequencer made alone comes by request";
  story.blocks(5);
}

}  // namespace

std::vector<Scenario> network_scenarios() {
  return {
      {"latency_from_a_regional_matrix", regional, play_regional},
      {"loss_and_reordering_of_connections", lossy, play_lossy},
      {"partition_of_30_seconds", usual, play_partition_30_s},
      {"partition_of_5_minutes", usual, play_partition_5_min},
      {"sequencer_alone_for_10_minutes", usual, play_sequencer_alone},
  };
}

}  // namespace opp2p::sim
