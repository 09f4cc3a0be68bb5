#include "opstack/reputation/gossip_scores.hpp"

#include <algorithm>
#include <chrono>

#include "libp2p/base/seconds.hpp"

namespace opstack::reputation {

GossipScores gossip_scores(const libp2p::gossipsub::PeerScoreParts& parts) {
  GossipScores out;
  out.total = parts.score;
  out.ip_colocation_factor = parts.ip_colocation.value;
  out.behavioural_penalty = parts.behaviour.value;
  for (const auto& topic : parts.topics) {
    out.time_in_mesh = std::max(out.time_in_mesh, libp2p::seconds_of(topic.time_in_mesh));
    out.first_message_deliveries += topic.first_deliveries.value;
    out.mesh_message_deliveries += topic.mesh_deliveries.value;
    out.invalid_message_deliveries += topic.invalid_deliveries.value;
  }
  return out;
}

}  // namespace opstack::reputation
