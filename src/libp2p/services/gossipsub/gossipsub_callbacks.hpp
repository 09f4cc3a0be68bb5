// The functions that an application gives to a GossipsubService. They are called from the runtime's queue on the
// network thread, never inside another call of the service, and may call anything of it; they may also close or destroy
// it.
#pragma once

#include <functional>

#include "libp2p/protocols/gossipsub/events.hpp"

namespace libp2p {

// Answers a validation, once, on the network thread; ValidationResult::throttled when there was no room to judge it. A
// later answer, and one after the end of the service, does nothing.
using GossipsubDone = std::function<void(gossipsub::ValidationResult)>;
using GossipsubValidator = std::function<void(const gossipsub::Validate&, GossipsubDone)>;
using GossipsubSubscriber = std::function<void(const gossipsub::Deliver&)>;
// Hears the verdict about an own publication that asked to be validated.
using GossipsubPublishedFn = std::function<void(const gossipsub::Published&)>;

// The application's side of a topic with partial messages.
struct GossipsubPartialHandler {
  gossipsub::PartialUse use = gossipsub::PartialUse::requests;
  std::function<void(const gossipsub::PartialReceived&)> on_received;
  // May be empty: then peers outside of the mesh hear of a group only when they ask, or with the next publication.
  std::function<void(const gossipsub::PartialGossip&)> on_gossip = nullptr;
};

}  // namespace libp2p
