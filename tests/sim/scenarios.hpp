// The faulty worlds, by name: each a network, and what happens to it while a chain is made. The rest, which is the same
// for all of them, is in story.hpp and faulty_world_test.cpp: afterwards every head equals the sequencer's, no queue
// has grown beyond its bound or kept anything, and nothing outlives the network. A scenario also checks that its fault
// was felt.
#pragma once

#include <vector>

#include "story.hpp"

namespace opp2p::sim {

struct Scenario {
  const char* name;
  StoryOptions (*options)(std::uint64_t seed);
  void (*play)(Story&);
  std::uint64_t seeds = 2;  // in a usual run
};

// The options of a scenario that needs none of its own.
inline StoryOptions usual(std::uint64_t) { return {}; }

std::vector<Scenario> network_scenarios();
std::vector<Scenario> host_scenarios();
std::vector<Scenario> peer_scenarios();
std::vector<Scenario> stranger_scenarios();
std::vector<Scenario> mixed_scenarios();

}  // namespace opp2p::sim
