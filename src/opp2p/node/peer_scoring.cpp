#include "opp2p/node/peer_scoring.hpp"

#include <algorithm>

namespace opp2p {

using libp2p::gossipsub::PeerScorer;

PeerScoring::PeerScoring(libp2p::runtime::Runtime& runtime, const opstack::reputation::ScoringProfile& profile)
    : runtime_(runtime), watch_(profile.thresholds) {
  if (!profile.params) return;
  scorer_ = std::make_unique<PeerScorer>(*profile.params, runtime.rng().next_u64(), runtime.now());
  timer_ = runtime.make_timer([this] { on_timer(); });
}

libp2p::gossipsub::PeerScores& PeerScoring::scores() {
  if (scorer_) return *scorer_;
  return neutral_;
}

std::optional<libp2p::gossipsub::PeerScoreParts> PeerScoring::score_of(const libp2p::PeerId& peer) const {
  if (!scorer_) return std::nullopt;
  return scorer_->snapshot_of(peer);
}

void PeerScoring::watch(CrossedFn crossed) {
  if (!scorer_) return;
  crossed_ = std::move(crossed);
  timer_->arm(runtime_.now().mono + kInterval);
}

void PeerScoring::stop() {
  if (timer_) timer_->disarm();
}

void PeerScoring::on_timer() {
  timer_->arm(runtime_.now().mono + kInterval);
  scorer_->snapshot(snapshot_);
  for (const auto& crossing : watch_.on_scores(snapshot_))
    crossed_(crossing, watch_.threshold_of(std::max(crossing.before, crossing.now)));
}

void PeerScoring::check() const {
  if (scorer_) scorer_->check();
  watch_.check();
}

}  // namespace opp2p
