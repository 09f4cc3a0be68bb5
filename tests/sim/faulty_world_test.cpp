// Runs every scenario of sim/scenarios.hpp.
#include <gtest/gtest.h>

#include <iostream>

#include "known_traces.hpp"
#include "scenarios.hpp"

namespace opp2p::sim {

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

namespace {

std::vector<Scenario> all_scenarios() {
  auto out = network_scenarios();
  for (const auto& more : {host_scenarios(), peer_scenarios(), stranger_scenarios(), mixed_scenarios()})
    out.insert(out.end(), more.begin(), more.end());
  return out;
}

// The figures of a run, for who wants to see them.
void note_figures(Story& story) {
  const auto& most = story.most();
  const auto whole_seconds = [](Nanos time) { return std::chrono::duration_cast<Seconds>(time).count(); };
  std::cout << "  " << story.network().size() << " nodes, " << story.produced() << " blocks, "
            << whole_seconds(story.elapsed()) << " s of virtual time, " << story.world().delivered()
            << " events; together again after " << whole_seconds(story.longest_recovery()) << " s; at most "
            << most.most_streams << " streams a connection, " << most.waiting_blocks << " blocks waiting, "
            << most.requests << " requests, " << most.sync_bytes << " bytes synced and not stored, " << most.serving
            << " served at once, " << most.gossip_sending << " bytes of gossip unsent, " << most.gossip_receiving
            << " of unfinished frames, " << story.most_of_world().events << " events queued, "
            << story.most_of_world().fullest << " bytes in one direction of a connection" << std::endl;
}

class FaultyWorld : public testing::TestWithParam<Scenario> {};

std::uint64_t play_once(const Scenario& scenario, std::uint64_t seed) {
  Story story(seed, scenario.options(seed));
  scenario.play(story);
  story.expect_whole_chain_everywhere();
  note_figures(story);
  story.close();
  return story.world().trace_hash();
}

TEST_P(FaultyWorld, leaves_all_heads_equal_no_queue_filled_and_one_trace_for_each_seed) {
  for (const auto seed : seeds_of(kSeed, kSanitized ? 1 : GetParam().seeds)) {
    std::cout << "  seed " << seed << std::endl;  // for a run that ends without a word
    SCOPED_TRACE("run it again with: " + rerun_command(seed));
    const auto trace = play_once(GetParam(), seed);
    expect_nothing_lives();
    if (HasFailure()) return;
    EXPECT_EQ(trace, play_once(GetParam(), seed));
    expect_known_trace(GetParam().name, seed, trace);
  }
}

std::string name_of(const testing::TestParamInfo<Scenario>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Simulation, FaultyWorld, testing::ValuesIn(all_scenarios()), name_of);

}  // namespace
}  // namespace opp2p::sim
