// What a follower tells: what became of blocks, and what its chain and its sources do. Told on the network thread where
// it happens, inside calls of the follower: a listener may subscribe and unsubscribe, must not destroy the follower,
// and leaves what it wants changed there to the queue. What an event refers to is valid until the listener returns.
#pragma once

#include <string_view>
#include <variant>

#include "libp2p/base/event_source.hpp"
#include "opstack/sync/engine/chain_actions.hpp"
#include "opstack/sync/engine/sync_events.hpp"

namespace opstack::sync {

// The block is in the store for good. Whether it is canonical may change (HeadMoved).
struct BlockStored {
  const PeerId& from;
  const Block& block;
  bool canonical = true;
  bool is_head = true;   // it extended the head
  bool fetched = false;  // a gap source brought it
};
// The store refused. `again`: the block is tried again.
struct StoreFailed {
  BlockRef block;
  Error why;
  bool again = false;
};
// No source has anybody to ask for what is missing, or one has again.
struct GapSourcesChanged {
  bool can_ask = false;
};

using FollowerEvent = std::variant<BlockStored, StoreFailed, HeadMoved, HoleChanged, GapSourcesChanged, ChainTrace,
                                   SyncTrace, SyncFault, PeerReport>;

}  // namespace opstack::sync
