// GossipSub's score of a peer in the units of the score book: as op-node's snapshot hook computes it. A pure function.
// Source: op-node surface, 5.6.
#pragma once

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "opstack/reputation/peer_score_record.hpp"

namespace opstack::reputation {

GossipScores gossip_scores(const libp2p::gossipsub::PeerScoreParts& parts);

}  // namespace opstack::reputation
