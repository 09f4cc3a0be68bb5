#include "known_traces.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "story.hpp"

namespace opp2p::sim {
namespace {

using Key = std::pair<std::string, std::uint64_t>;

std::map<Key, std::uint64_t> read_list() {
  std::map<Key, std::uint64_t> out;
  std::ifstream file(OPP2P_SIM_TRACE_LIST);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string scenario;
    std::uint64_t seed = 0, hash = 0;
    if (words >> scenario >> seed >> std::hex >> hash) out[{scenario, seed}] = hash;
  }
  return out;
}

}  // namespace

void expect_known_trace(std::string_view scenario, std::uint64_t seed, std::uint64_t hash) {
  std::ostringstream line;
  line << scenario << ' ' << seed << ' ' << std::hex << hash;
  std::cout << "  trace " << line.str() << std::endl;
  if (kSanitized || std::getenv("OPP2P_SIM_NODES") != nullptr) return;
  if (const char* path = std::getenv("OPP2P_SIM_TRACES")) {
    std::ofstream(path, std::ios::app) << line.str() << '\n';
    return;
  }
  const auto known = read_list();
  ASSERT_FALSE(known.empty()) << OPP2P_SIM_TRACE_LIST << " has no trace";
  const auto found = known.find({std::string(scenario), seed});
  if (found == known.end() && (std::getenv("OPP2P_SIM_SEED") || std::getenv("OPP2P_SIM_SEEDS"))) return;
  ASSERT_NE(found, known.end()) << "tests/sim/traces.txt has no trace of " << scenario << " with seed " << seed;
  EXPECT_EQ(found->second, hash) << "the trace of " << scenario << " with seed " << seed
                                 << " is another than the one in "
                                 << "tests/sim/traces.txt: a change that only moves code does not do that";
}

}  // namespace opp2p::sim
