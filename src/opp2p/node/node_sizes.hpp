// What a node holds at a moment: the fill of each of its queues. For tests that nothing grows without end, and for
// metrics. A plain value of the network thread; the bound of each field is that of its queue.
#pragma once

#include <cstddef>

#include "libp2p/protocols/gossipsub/router.hpp"

namespace opp2p {

struct NodeSizes {
  std::size_t connections = 0;   // open
  std::size_t streams = 0;       // over all connections
  std::size_t most_streams = 0;  // of one connection
  libp2p::gossipsub::Router::Sizes gossip;
  std::size_t gossip_sending = 0;    // bytes in the send queues of gossip streams
  std::size_t gossip_receiving = 0;  // bytes of messages that have not come to their end
  std::size_t validating = 0;        // messages with the block rules
  std::size_t waiting_blocks = 0;    // accepted, above a gap
  std::size_t waiting_bytes = 0;
  std::size_t requests = 0;       // of reverse sync, under way
  std::size_t sync_bytes = 0;     // blocks that came by request and are not on disk yet
  std::size_t serving = 0;        // requests of peers
  std::size_t serving_bytes = 0;  // blocks on their way to peers
};

}  // namespace opp2p
