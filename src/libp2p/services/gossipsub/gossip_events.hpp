// The listeners of a GossipsubService, and the troubles of streams that wait to be told: they occur inside a
// connection's work, and listeners may do anything.
//
// Owner: GossipsubService. Thread: the network thread. Bounds: 256 troubles wait for a turn; what comes beyond is
// counted (GossipsubCounters::troubles_not_told). Without a listener nothing is kept. Re-entrancy: emit() and
// tell_troubles() call listeners, and come from GossipDrain's turn alone.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/life_token.hpp"
#include "libp2p/services/gossipsub/gossip_drain.hpp"
#include "libp2p/services/gossipsub/gossipsub_counters.hpp"
#include "libp2p/services/gossipsub/gossipsub_event.hpp"

namespace libp2p {

class GossipEvents {
 public:
  GossipEvents(GossipDrain& drain, GossipsubCounters& counters, const LifeToken& life);
  GossipEvents(const GossipEvents&) = delete;
  GossipEvents& operator=(const GossipEvents&) = delete;

  Subscription subscribe(std::function<void(const GossipsubEvent&)> listener);
  // Of the router: a Trace or a Fault.
  template <class Kind>
  void emit(Kind& event) {
    if (source_.has_listeners()) source_.emit(std::move(event));
  }
  // To be told in the next turn. `what` is of static storage.
  void note_trouble(const PeerId& peer, std::string_view what, const Error& why);
  void tell_troubles();

 private:
  static constexpr std::size_t kTroublesWaiting = 256;

  GossipDrain& drain_;
  GossipsubCounters& counters_;
  const LifeToken& life_;
  EventSource<GossipsubEvent> source_;
  std::vector<GossipsubEvent> troubles_;
};

}  // namespace libp2p
