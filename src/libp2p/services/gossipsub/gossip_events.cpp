#include "libp2p/services/gossipsub/gossip_events.hpp"

#include <utility>

namespace libp2p {

GossipEvents::GossipEvents(GossipDrain& drain, GossipsubCounters& counters, const LifeToken& life)
    : drain_(drain), counters_(counters), life_(life) {}

Subscription GossipEvents::subscribe(std::function<void(const GossipsubEvent&)> listener) {
  return source_.subscribe(std::move(listener));
}

void GossipEvents::note_trouble(const PeerId& peer, std::string_view what, const Error& why) {
  if (!source_.has_listeners()) return;
  if (troubles_.size() >= kTroublesWaiting) {
    ++counters_.troubles_not_told;
    return;
  }
  troubles_.push_back(GossipsubStreamTrouble{peer, what, why});
  drain_.schedule();
}

void GossipEvents::tell_troubles() {
  const auto troubles = std::exchange(troubles_, {});
  const LifeWatch alive = life_.watch();
  for (const GossipsubEvent& trouble : troubles) {
    source_.emit(trouble);
    if (!alive) return;  // a listener has closed the service
  }
}

}  // namespace libp2p
