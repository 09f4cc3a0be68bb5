// What happens in a swarm, for the host. The calls come inside a connection's work: the host changes its own tables in
// them and tells users from the runtime's queue.
#pragma once

#include <memory>

#include "libp2p/connection/stream_state.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/host/connection_info.hpp"

namespace libp2p {

class SwarmEvents {
 public:
  virtual ~SwarmEvents() = default;
  virtual void on_opened(const ConnectionInfo& info, bool first_of_peer, const crypto::PublicKey& key) = 0;
  virtual void on_closed(const ConnectionInfo& info, const Error& why, bool last_of_peer) = 0;
  virtual void on_refused(const Multiaddr& remote, const Error& why) = 0;
  virtual void on_empty() = 0;  // no connection is left, not even a half-open one
  virtual void on_inbound_stream(std::shared_ptr<StreamState> stream) = 0;
};

}  // namespace libp2p
