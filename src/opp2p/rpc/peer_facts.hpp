// All that the node knows about one peer, for the methods and the sentence that explain it. Taken on the network
// thread; a plain value afterwards.
#pragma once

#include "opp2p/observe/why.hpp"
#include "opp2p/rpc/node_api.hpp"

namespace opp2p {

struct PeerKnowledge {
  PeerFacts facts;
  ScoreStandingSnapshot standing;
  libp2p::UnixTime now{};
};

// With the last `events` events of its timeline.
PeerKnowledge know_peer(const NodeApi& api, const libp2p::PeerId& peer, std::size_t events);

}  // namespace opp2p
