// Gap: a missing block that is known by its hash, and how far down it makes sense to ask ahead. A plain value. Thread:
// any. Bounds: none of its own.
#pragma once

#include <cstdint>

#include "opstack/sync/engine/names.hpp"

namespace opstack::sync {

// Stays the same while the blocks below the same tip, or in the same hole, are fetched.
using GapId = std::uint64_t;

struct Gap {
  GapId id = 0;
  BlockRef child;           // the lowest block that is there: its parent is wanted
  std::uint64_t floor = 0;  // the lowest number that is asked ahead; the parent itself is asked for in any case
  friend bool operator==(const Gap&, const Gap&) = default;
};

}  // namespace opstack::sync
