// Levels: what the nodes of a network hold at a moment, by name and summed over all of them: live objects, tables,
// records on their disks. What the size of the network says exactly is expected_levels().
//
// Values; the thread of the network.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/churn/observer.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim::churn {

using Levels = std::vector<std::pair<std::string, std::uint64_t>>;
// All members run. Always in the same order.
Levels levels_of(SimNetwork& network, const std::vector<const Observer*>& observers);

// Of a network of so many nodes and links at rest, without visitors.
std::map<std::string, std::uint64_t> expected_levels(std::uint64_t nodes, std::uint64_t links);

// Bytes in use of the heap of this process; 0 where the allocator does not tell.
std::uint64_t heap_in_use();

}  // namespace opp2p::sim::churn
