// PeerScoring: looks once a second at which peers' scores have crossed a threshold of GossipSub. The scores are those
// of the PeerScorer that the router asks, which the reputation system owns. With the profile `none` nobody is scored,
// and it does nothing.
//
// Owner: the node's parts; the scorer outlives it. Thread: the network thread. Bounds: those of ScoreWatch; one timer.
// Re-entrancy: `crossed` is called from the timer and must not destroy this.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "opp2p/node/score_watch.hpp"

namespace opp2p {

class PeerScoring {
 public:
  static constexpr libp2p::Nanos kInterval = libp2p::Seconds(1);
  using CrossedFn = std::function<void(const ScoreCrossing& crossing, double threshold)>;

  // `scorer`: null while nobody is scored.
  PeerScoring(libp2p::runtime::Runtime& runtime, const libp2p::gossipsub::PeerScorer* scorer,
              const libp2p::gossipsub::ScoreThresholds& thresholds);
  PeerScoring(const PeerScoring&) = delete;
  PeerScoring& operator=(const PeerScoring&) = delete;

  bool is_on() const { return scorer_ != nullptr; }
  // Nothing for a peer that is not known, and while it is off.
  std::optional<libp2p::gossipsub::PeerScoreParts> score_of(const libp2p::PeerId& peer) const;

  // Calls `crossed` for each crossing from now on, with the threshold that was crossed: going down the lowest one that
  // the score is below now, going up the lowest one that it was below.
  void watch(CrossedFn crossed);
  void stop();

  void check() const { watch_.check(); }

 private:
  void on_timer();

  libp2p::runtime::Runtime& runtime_;
  const libp2p::gossipsub::PeerScorer* scorer_;
  ScoreWatch watch_;
  libp2p::gossipsub::ScoreSnapshot snapshot_;  // keeps its memory between two looks
  CrossedFn crossed_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
};

}  // namespace opp2p
