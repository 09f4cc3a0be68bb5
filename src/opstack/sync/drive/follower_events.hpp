// What a follower tells: what became of blocks, and what its chain and its reverse sync do. Told on the network thread
// where it happens, inside calls of the follower: a listener may subscribe and unsubscribe, must not destroy the
// follower, and leaves what it wants changed there to the queue. What an event refers to is valid until the listener
// returns.
#pragma once

#include <variant>

#include "libp2p/base/event_source.hpp"
#include "opstack/sync/engine/sync_events.hpp"
#include "opstack/sync/engine/unsafe_chain.hpp"

namespace opstack::sync {

// The block is in the store for good; in order, each number once.
struct BlockStored {
  const PeerId& from;
  const Block& block;
};
// The store refused; the chain went back to what it has, and the gap check brings the rest again.
struct StoreFailed {
  BlockRef block;
  Error why;
};

using FollowerEvent = std::variant<BlockStored, StoreFailed, ChainTrace, SyncTrace, SyncFault, PeerReport>;

}  // namespace opstack::sync
