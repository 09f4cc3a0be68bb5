#include "opp2p/node/peer_scoring.hpp"

#include <algorithm>

namespace opp2p {

PeerScoring::PeerScoring(libp2p::runtime::Runtime& runtime, const libp2p::gossipsub::PeerScorer* scorer,
                         const libp2p::gossipsub::ScoreThresholds& thresholds)
    : runtime_(runtime), scorer_(scorer), watch_(thresholds) {
  if (scorer_) timer_ = runtime.make_timer([this] { on_timer(); });
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

}  // namespace opp2p
