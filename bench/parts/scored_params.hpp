// Parameters of scores as a chain of 2 s blocks may use them: every part of the score is on. For the benchmarks of the
// score function and of the router with scores.
#pragma once

#include <span>
#include <string>

#include "libp2p/protocols/gossipsub/score_params.hpp"

namespace bench {

inline libp2p::gossipsub::PeerScoreParams scored_params(std::span<const std::string> topics) {
  using namespace libp2p;
  using namespace libp2p::gossipsub;
  TopicScoreParams t;
  t.topic_weight = 0.8;
  t.time_in_mesh_weight = 0.005;
  t.time_in_mesh_quantum = Seconds(2);
  t.time_in_mesh_cap = 1800;
  t.first_message_deliveries_weight = 1;
  t.first_message_deliveries_decay = score_decay(Seconds(240), Seconds(2));
  t.first_message_deliveries_cap = 23;
  t.mesh_message_deliveries_weight = -0.7;
  t.mesh_message_deliveries_decay = score_decay(Seconds(60), Seconds(2));
  t.mesh_message_deliveries_cap = 30;
  t.mesh_message_deliveries_threshold = 3;
  t.mesh_message_deliveries_window = Seconds(2);
  t.mesh_message_deliveries_activation = Seconds(48);
  t.mesh_failure_penalty_weight = -0.7;
  t.mesh_failure_penalty_decay = t.mesh_message_deliveries_decay;
  t.invalid_message_deliveries_weight = -140;
  t.invalid_message_deliveries_decay = score_decay(Seconds(600), Seconds(2));
  PeerScoreParams p;
  for (const auto& topic : topics) p.topics[topic] = t;
  p.topic_score_cap = 34;
  p.app_specific_weight = 1;
  p.ip_colocation_factor_weight = -35;
  p.ip_colocation_factor_threshold = 2;
  p.behaviour_penalty_weight = -16;
  p.behaviour_penalty_threshold = 6;
  p.behaviour_penalty_decay = score_decay(Seconds(60));
  p.decay_interval = Seconds(2);
  p.retain_score = Seconds(1200);
  return p;
}

}  // namespace bench
