// One RPC on its way between two members: a frame of bytes, or an object that was never encoded. Both are shared, never
// copied. A value.
#pragma once

#include "libp2p/protocols/gossipsub/owned_rpc.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

struct Wire {
  static Wire of(SharedBytes frame) {
    const std::size_t size = frame->size();
    return {std::move(frame), nullptr, size};
  }
  static Wire of(libp2p::gossipsub::OutgoingRpc rpc) {
    return {std::move(rpc.message), std::move(rpc.control), rpc.frame_size};
  }

  SharedBytes frame;                                          // null for an object
  std::shared_ptr<const libp2p::gossipsub::OwnedRpc> object;  // null for a frame
  std::size_t size = 0;                                       // bytes on a stream, in either form
};

}  // namespace opp2p::sim::gossip
