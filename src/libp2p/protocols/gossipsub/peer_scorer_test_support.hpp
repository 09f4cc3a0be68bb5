// For the tests of the score function: parameters in round numbers, and a scorer with peers that are told by number.
#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {

// Round numbers: each part can be told from the score.
inline PeerScoreParams scored_params() {
  PeerScoreParams out;
  TopicScoreParams t;
  t.topic_weight = 1;
  t.time_in_mesh_weight = 0.01;
  t.time_in_mesh_quantum = Seconds(1);
  t.time_in_mesh_cap = 50;
  t.first_message_deliveries_weight = 1;
  t.first_message_deliveries_decay = 0.5;
  t.first_message_deliveries_cap = 4;
  t.mesh_message_deliveries_weight = -10;
  t.mesh_message_deliveries_decay = 0.5;
  t.mesh_message_deliveries_cap = 8;
  t.mesh_message_deliveries_threshold = 3;
  t.mesh_message_deliveries_window = Millis(200);
  t.mesh_message_deliveries_activation = Seconds(5);
  t.mesh_failure_penalty_weight = -100;
  t.mesh_failure_penalty_decay = 0.5;
  t.invalid_message_deliveries_weight = -1000;
  t.invalid_message_deliveries_decay = 0.5;
  out.topics["t"] = t;
  out.app_specific_weight = 1;
  out.ip_colocation_factor_weight = -1;
  out.ip_colocation_factor_threshold = 1;
  out.behaviour_penalty_weight = -1;
  out.behaviour_penalty_threshold = 2;
  out.behaviour_penalty_decay = 0.5;
  out.retain_score = Seconds(60);
  return out;
}

class ScorerBench {
 public:
  explicit ScorerBench(PeerScoreParams params = scored_params(), PeerScorer::ApplicationScore application = nullptr)
      : scorer(std::move(params), 7, now, std::move(application)) {}
  ~ScorerBench() { scorer.check(); }

  static PeerId peer(std::uint32_t n) { return peer_id(n); }
  static MessageId id(std::uint8_t n) { return *MessageId::from(Bytes(20, n)); }

  void add(std::uint32_t n) { scorer.on_peer_added(peer(n), now); }
  void remove(std::uint32_t n) { scorer.on_peer_removed(peer(n), now); }
  void graft(std::uint32_t n) { scorer.on_graft(peer(n), "t", now); }
  void prune(std::uint32_t n) { scorer.on_prune(peer(n), "t", now); }
  void begin(std::uint32_t n, std::uint8_t message) { scorer.on_validation_begun(peer(n), "t", id(message), now); }
  void deliver(std::uint32_t n, std::uint8_t message) { scorer.on_delivered(peer(n), "t", id(message), now); }
  void copy(std::uint32_t n, std::uint8_t message) { scorer.on_duplicate(peer(n), "t", id(message), now); }
  void reject(std::uint32_t n, std::uint8_t message, RejectCause cause) {
    scorer.on_rejected(peer(n), "t", id(message), cause, now);
  }
  void penalise(std::uint32_t n, unsigned count) { scorer.on_penalty(peer(n), count, now); }
  void place(std::uint32_t n, std::initializer_list<const char*> addresses) {
    std::vector<PeerAddress> all;
    for (const char* address : addresses) all.push_back({Multiaddr::from_text(address).value()});
    scorer.on_addresses(peer(n), all, now);
  }
  // Time passes to the next decay, which is done.
  void decay_after(Nanos time) {
    now = now + time;
    scorer.decay(now);
    scorer.check();
  }
  double score(std::uint32_t n) { return scorer.score(peer(n)); }
  PeerScoreParts shown(std::uint32_t n) { return scorer.snapshot_of(peer(n)).value(); }
  TopicScoreParts topic(std::uint32_t n) { return shown(n).topics.at(0); }

  Now now = at(Seconds(100));
  PeerScorer scorer;
};

}  // namespace libp2p::gossipsub::test
