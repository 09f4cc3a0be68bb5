// The first network at size: fifty whole nodes and ten minutes of chain, in which each minute takes a fiftieth of the
// connections and half of the nodes are cut off for a minute. Under a sanitizer it is smaller (story.hpp).
#include <gtest/gtest.h>

#include <iostream>

#include "known_traces.hpp"
#include "story.hpp"

namespace opp2p::sim {
namespace {

constexpr std::uint64_t kMinutes = kSanitized ? 4 : 10;
constexpr std::uint64_t kCutOff = 2;  // the minute of the partition, counted from zero
constexpr std::uint64_t kBlocksPerMinute = 60 / kBlockTime;
constexpr double kLostPerMinute = 0.02;

StoryOptions fifty() {
  StoryOptions out;
  out.nodes = 50;
  out.dials = 5;
  return out;
}

struct FiftyNodesEnding {
  std::uint64_t trace_hash = 0;
  std::uint64_t events = 0;
  std::size_t lost = 0;  // connections
};

FiftyNodesEnding run_fifty_nodes(std::uint64_t seed) {
  FiftyNodesEnding out;
  Story story(seed, fifty());
  for (std::uint64_t minute = 0; minute < kMinutes; ++minute) {
    const bool cut_off = minute == kCutOff;
    if (cut_off) story.world().partition({story.places(story.draw_members(story.network().size() / 2))});
    story.blocks(kBlocksPerMinute / 2);
    out.lost += story.world().lose_connections(kLostPerMinute);
    story.blocks(kBlocksPerMinute / 2);
    if (cut_off) {
      EXPECT_GE(story.behind().size(), story.network().size() / 2);
    }
    story.world().heal();
  }
  story.expect_whole_chain_everywhere();
  story.close();
  out.trace_hash = story.world().trace_hash();
  out.events = story.world().delivered();
  std::cout << "  seed " << seed << ": " << story.produced() << " blocks, " << out.lost << " connections lost, "
            << out.events << " events, trace hash " << std::hex << out.trace_hash << std::dec << std::endl;
  return out;
}

TEST(FiftyNodes, have_equal_heads_after_ten_minutes_with_losses_and_a_partition_and_one_trace_for_each_seed) {
  for (const auto seed : seeds_of(kSeed, 1)) {
    SCOPED_TRACE("run it again with: " + rerun_command(seed));
    const auto first = run_fifty_nodes(seed);
    EXPECT_GT(first.lost, 0u);
    const auto second = run_fifty_nodes(seed);
    EXPECT_EQ(first.trace_hash, second.trace_hash);
    EXPECT_EQ(first.events, second.events);
    EXPECT_NE(first.trace_hash, run_fifty_nodes(seed + 1).trace_hash);
    expect_known_trace("fifty_nodes", seed, first.trace_hash);
    expect_nothing_lives();
  }
}

}  // namespace
}  // namespace opp2p::sim
