// The traces that are known: tests/sim/traces.txt has the trace hash of every scenario and seed of a usual run, one a
// line. A change that moves code and nothing else leaves them as they are; a change of behaviour writes them anew, in a
// commit that says why: OPP2P_SIM_TRACES=FILE appends what a run gives to FILE.
#pragma once

#include <cstdint>
#include <string_view>

namespace opp2p::sim {

// Prints the trace of the running test's `scenario`, and fails when the list has another one or none. Runs of another
// size than the usual one (a sanitizer's, OPP2P_SIM_NODES, a seed beyond the usual ones) are not compared.
void expect_known_trace(std::string_view scenario, std::uint64_t seed, std::uint64_t hash);

}  // namespace opp2p::sim
