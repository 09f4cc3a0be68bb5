// What a GossipsubService tells its listeners (GossipsubService::subscribe): what the router traces, how peers break
// the protocol, and what happens to streams. All are values, and told from the runtime's queue on the network thread.
#pragma once

#include <string_view>
#include <variant>

#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/events.hpp"

namespace libp2p {

// A stream could not be opened, was lost, or was reset by us.
struct GossipsubStreamTrouble {
  PeerId peer;
  std::string_view what;  // which of these; of static storage
  Error why;
};

using GossipsubEvent = std::variant<gossipsub::Trace, gossipsub::Fault, GossipsubStreamTrouble>;

}  // namespace libp2p
