// A decoded RPC that owns what its views show: for worlds of many routers in one process, which pass RPCs on without
// encoding them (Router::next_rpc). A value that never changes once it is made; any thread. Bounds: one copy of the
// views' bytes.
#pragma once

#include <memory>

#include "libp2p/protocols/gossipsub/rpc.hpp"

namespace libp2p::gossipsub {

class OwnedRpc {
 public:
  // Copies what the views of `rpc` show.
  explicit OwnedRpc(Rpc rpc);
  OwnedRpc(const OwnedRpc&) = delete;
  OwnedRpc& operator=(const OwnedRpc&) = delete;

  const Rpc& rpc() const { return rpc_; }

 private:
  Rpc rpc_;
  std::unique_ptr<std::uint8_t[]> bytes_;
};

// What is next for one peer: the frame of one message, shared with the other peers, or of one partial message; or an
// RPC of subscriptions and control, not encoded.
struct OutgoingRpc {
  SharedBytes message;                      // null for control
  std::shared_ptr<const OwnedRpc> control;  // null for a message
  std::size_t frame_size = 0;               // bytes on a stream, with the length prefix
};

}  // namespace libp2p::gossipsub
