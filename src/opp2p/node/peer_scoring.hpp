// PeerScoring: the scores of a node's peers. It owns the PeerScorer that GossipSub's router asks, which a scoring
// profile (opstack/reputation/scoring_profiles.hpp) has set, and looks once a second at which peers have crossed a
// threshold. With the profile `none` nobody is scored, and it does nothing.
//
// Owner: the node's parts, before the GossipSub service, which it outlives. Thread: the network thread. Bounds: those
// of the PeerScorer; one timer. Re-entrancy: `crossed` is called from the timer and must not destroy this.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "opp2p/node/score_watch.hpp"
#include "opstack/reputation/scoring_profiles.hpp"

namespace opp2p {

class PeerScoring {
 public:
  static constexpr libp2p::Nanos kInterval = libp2p::Seconds(1);
  using CrossedFn = std::function<void(const ScoreCrossing& crossing, double threshold)>;

  PeerScoring(libp2p::runtime::Runtime& runtime, const opstack::reputation::ScoringProfile& profile);
  PeerScoring(const PeerScoring&) = delete;
  PeerScoring& operator=(const PeerScoring&) = delete;

  // What the router asks. It lives as long as this.
  libp2p::gossipsub::PeerScores& scores();
  bool is_on() const { return scorer_ != nullptr; }
  // Nothing for a peer that is not known, and while it is off.
  std::optional<libp2p::gossipsub::PeerScoreParts> score_of(const libp2p::PeerId& peer) const;

  // Calls `crossed` for each crossing from now on, with the threshold that was crossed: going down the lowest one that
  // the score is below now, going up the lowest one that it was below.
  void watch(CrossedFn crossed);
  void stop();

  void check() const;

 private:
  void on_timer();

  libp2p::runtime::Runtime& runtime_;
  libp2p::gossipsub::NeutralScores neutral_;
  std::unique_ptr<libp2p::gossipsub::PeerScorer> scorer_;  // null while it is off
  ScoreWatch watch_;
  libp2p::gossipsub::ScoreSnapshot snapshot_;  // keeps its memory between two looks
  CrossedFn crossed_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
};

}  // namespace opp2p
