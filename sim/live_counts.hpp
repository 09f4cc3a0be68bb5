// The counters of all objects that are counted while they live (libp2p/base/live_count.hpp), by name. In a simulation
// each says what stands at this moment over all nodes; when all of them are gone each is zero.
//
// Values; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace opp2p::sim {

struct LiveCount {
  std::string_view name;
  std::int64_t count = 0;
};
// Always in the same order.
std::vector<LiveCount> live_counts();

}  // namespace opp2p::sim
