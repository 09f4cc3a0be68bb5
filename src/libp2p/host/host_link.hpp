// How a coroutine that may outlive a host reaches it: by asking again after every wait. A value that coroutines copy.
// Thread: the network thread.
#pragma once

#include "libp2p/base/life_token.hpp"
#include "libp2p/host/host_state.hpp"

namespace libp2p {

class HostLink {
 public:
  explicit HostLink(HostState& state) : life_(state.life.watch()), state_(&state) {}
  // Null once the host is gone. To be used until the next wait.
  HostState* state() const { return life_ ? state_ : nullptr; }
  // The same, also null once the host is closing.
  HostState* open_state() const {
    HostState* const found = state();
    return found == nullptr || found->closing ? nullptr : found;
  }

 private:
  LifeWatch life_;
  HostState* state_;
};

}  // namespace libp2p
