// Shows the scores of peers to whoever looks at them, again and again, as go-libp2p-pubsub's WithPeerScoreInspect.
// Nothing is made while nobody listens.
//
// Owner: GossipsubService. Thread: the network thread. Bounds: one timer and one snapshot. Re-entrancy: listeners are
// called from the runtime's queue and may do anything, also destroy this.
#pragma once

#include <functional>
#include <memory>

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/life_token.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

class ScoreInspector {
 public:
  // Everything outlives this. `interval` is above 0.
  ScoreInspector(runtime::Runtime& runtime, const gossipsub::PeerScores& scores, Nanos interval);
  ScoreInspector(const ScoreInspector&) = delete;
  ScoreInspector& operator=(const ScoreInspector&) = delete;

  // The first snapshot comes an interval after the first listener, or with the next one of those before it.
  Subscription subscribe(std::function<void(const gossipsub::ScoreSnapshot&)> listener);
  void stop();

 private:
  void arm();
  void on_timer();

  runtime::Runtime& runtime_;
  const gossipsub::PeerScores& scores_;
  const Nanos interval_;
  LifeToken life_;
  EventSource<gossipsub::ScoreSnapshot> source_;
  gossipsub::ScoreSnapshot spare_;  // keeps its memory from one time to the next
  bool armed_ = false;
  bool stopped_ = false;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace libp2p
