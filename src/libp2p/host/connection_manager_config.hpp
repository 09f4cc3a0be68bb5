// When connections are too many, and how they are chosen then (connection_manager.hpp). Plain values; thread: any.
#pragma once

#include <cstddef>

#include "libp2p/base/time.hpp"

namespace libp2p {

// go-libp2p's defaults. A node of a chain keeps fewer (NodeConfig).
struct ConnectionManagerConfig {
  std::size_t low = 160;
  std::size_t high = 192;       // above this, the least valuable are closed down to `low`
  Nanos grace = Seconds(60);    // young connections are spared
  Nanos silence = Seconds(10);  // at most one trim in this time
  // Of connections of equal value those without streams go first, and those with fewer before those with more. A
  // stranger can open streams: a node whose peers prove themselves otherwise (Host::mark_proven) lets them count for
  // nothing.
  bool count_streams = true;
};

}  // namespace libp2p
