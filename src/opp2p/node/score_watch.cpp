#include "opp2p/node/score_watch.hpp"

#include "libp2p/base/assert.hpp"

namespace opp2p {

ScoreStanding ScoreWatch::standing_of(double score) const {
  if (score < thresholds_.graylist) return ScoreStanding::below_graylist;
  if (score < thresholds_.publish) return ScoreStanding::below_publish;
  if (score < thresholds_.gossip) return ScoreStanding::below_gossip;
  return ScoreStanding::good;
}

double ScoreWatch::threshold_of(ScoreStanding standing) const {
  switch (standing) {
    case ScoreStanding::good: return 0;
    case ScoreStanding::below_gossip: return thresholds_.gossip;
    case ScoreStanding::below_publish: return thresholds_.publish;
    case ScoreStanding::below_graylist: return thresholds_.graylist;
  }
  return 0;
}

std::vector<ScoreCrossing> ScoreWatch::on_scores(const libp2p::gossipsub::ScoreSnapshot& scores) {
  std::vector<ScoreCrossing> out;
  std::map<libp2p::PeerId, ScoreStanding> low;
  for (const auto& peer : scores.peers) {
    const auto known = low_.find(peer.peer);
    const auto before = known == low_.end() ? ScoreStanding::good : known->second;
    const auto now = standing_of(peer.score);
    if (now != before) out.push_back({&peer, before, now});
    if (now != ScoreStanding::good) low.emplace(peer.peer, now);
  }
  low_ = std::move(low);
  return out;
}

void ScoreWatch::check() const {
  for (const auto& [peer, standing] : low_)
    OPP2P_CHECK(standing != ScoreStanding::good, "only peers below a threshold have a row", peer.to_base58());
}

}  // namespace opp2p
