// Runs every scenario of sim/fork_scenarios.hpp.
#include <gtest/gtest.h>

#include <iostream>

#include "fork_scenarios.hpp"
#include "known_traces.hpp"

namespace opp2p::sim {

void PrintTo(const ForkScenario& scenario, std::ostream* out) { *out << scenario.name; }

namespace {

class ForkWorld : public testing::TestWithParam<ForkScenario> {};

std::uint64_t play_forks_once(const ForkScenario& scenario, std::uint64_t seed) {
  Story story(seed, scenario.options(seed));
  ForkStory forks(story);
  scenario.play(forks);
  forks.expect_one_chain();
  std::cout << "  " << story.network().size() << " nodes, "
            << std::chrono::duration_cast<Seconds>(story.elapsed()).count() << " s of virtual time, "
            << story.world().delivered() << " events, " << forks.reorganisations() << " reorganisations" << std::endl;
  story.close();
  return story.world().trace_hash();
}

TEST_P(ForkWorld, leaves_one_chain_on_all_nodes_sound_disks_and_one_trace_for_each_seed) {
  for (const auto seed : seeds_of(kSeed, kSanitized ? 1 : GetParam().seeds)) {
    std::cout << "  seed " << seed << std::endl;  // for a run that ends without a word
    SCOPED_TRACE("run it again with: " + rerun_command(seed));
    const auto trace = play_forks_once(GetParam(), seed);
    expect_nothing_lives();
    if (HasFailure()) return;
    EXPECT_EQ(trace, play_forks_once(GetParam(), seed));
    expect_known_trace(GetParam().name, seed, trace);
  }
}

std::string fork_name_of(const testing::TestParamInfo<ForkScenario>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Simulation, ForkWorld, testing::ValuesIn(fork_scenarios()), fork_name_of);

}  // namespace
}  // namespace opp2p::sim
