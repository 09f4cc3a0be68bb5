// The scenarios of fork choice, by name: each a network, and what happens to the producers of its blocks. The rest is
// the same for all of them (fork_world_test.cpp): afterwards all nodes have one chain up to holes, every disk is sound,
// no queue has grown beyond its bound, and nothing outlives the network. A scenario also checks that its fault was
// felt.
#pragma once

#include <vector>

#include "fork_story.hpp"

namespace opp2p::sim {

struct ForkScenario {
  const char* name;
  StoryOptions (*options)(std::uint64_t seed);
  void (*play)(ForkStory&);
  std::uint64_t seeds = 2;  // in a usual run
};

std::vector<ForkScenario> fork_scenarios();

}  // namespace opp2p::sim
