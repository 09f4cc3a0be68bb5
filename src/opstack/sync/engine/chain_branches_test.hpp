// Four branches of a chain of a few dozen blocks, for scripts of fuzz targets: the trunk, two that part from it at one
// height, and one that parts higher.
#pragma once

#include "opstack/sync/engine/chain_world_test.hpp"

namespace opstack::sync::testing_chain {

inline constexpr std::uint64_t kHeights = 40;
// Each parts from branch 0 after this height; 0 is the trunk.
inline constexpr std::uint64_t kBranches[] = {0, 12, 12, 25};

// The block of a branch: below the height where it parts, the trunk's.
inline Block on_branch(std::uint64_t number, unsigned branch) {
  const auto fork = [&](std::uint64_t at) { return at <= kBranches[branch] ? 0u : branch; };
  return block(number, fork(number), fork(number - 1));
}

}  // namespace opstack::sync::testing_chain
