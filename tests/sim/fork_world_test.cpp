// Runs every scenario of sim/fork_scenarios.hpp.
#include <gtest/gtest.h>

#include <iostream>

#include "fork_scenarios.hpp"
#include "known_traces.hpp"

namespace opp2p::sim {

void PrintTo(const ForkScenario& scenario, std::ostream* out) { *out << scenario.name; }

namespace {

class ForkWorld : public testing::TestWithParam<ForkScenario> {};

enum class With { good_members, trouble };

std::uint64_t play_forks_once(const ForkScenario& scenario, std::uint64_t seed, With with) {
  const bool trouble = with == With::trouble;
  Story story(seed, trouble ? Trouble::beside(scenario.options(seed)) : scenario.options(seed));
  ForkStory forks(story, trouble ? std::optional(seed) : std::nullopt);
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
    const auto trace = play_forks_once(GetParam(), seed, With::good_members);
    expect_nothing_lives();
    if (HasFailure()) return;
    EXPECT_EQ(trace, play_forks_once(GetParam(), seed, With::good_members));
    expect_known_trace(GetParam().name, seed, trace);
  }
}

// Restarts, full disks and pruning in the middle of each.
TEST_P(ForkWorld, takes_members_along_that_were_in_trouble_all_the_time) {
  for (const auto seed : seeds_of(kSeed, 1)) {
    std::cout << "  seed " << seed << std::endl;
    SCOPED_TRACE("run it again with: " + rerun_command(seed));
    const auto trace = play_forks_once(GetParam(), seed, With::trouble);
    expect_nothing_lives();
    if (HasFailure()) return;
    expect_known_trace(GetParam().name + std::string("_with_trouble"), seed, trace);
  }
}

std::string fork_name_of(const testing::TestParamInfo<ForkScenario>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Simulation, ForkWorld, testing::ValuesIn(fork_scenarios()), fork_name_of);

}  // namespace
}  // namespace opp2p::sim
