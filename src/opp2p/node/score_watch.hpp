// ScoreWatch: finds the connected peers whose score has crossed one of GossipSub's thresholds since the last look. A
// pure engine: it is given the scores and answers what changed, the lowest threshold that a score is below counting.
// Whoever disconnects is forgotten; when it returns and its score was kept, it has crossed again.
//
// Owner: PeerScoring. Thread: the network thread. Bounds: a row for each connected peer below a threshold.
#pragma once

#include <map>
#include <vector>

#include "libp2p/protocols/gossipsub/params.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

namespace opp2p {

// The lowest threshold that a score is below. Where two thresholds are the same, it is the later one of these.
enum class ScoreStanding : std::uint8_t { good, below_gossip, below_publish, below_graylist };
inline constexpr std::size_t kScoreStandings = 4;

// One peer's score has crossed a threshold, down or up.
struct ScoreCrossing {
  const libp2p::gossipsub::PeerScoreParts* score = nullptr;  // of the snapshot
  ScoreStanding before{};
  ScoreStanding now{};
};

class ScoreWatch {
 public:
  explicit ScoreWatch(const libp2p::gossipsub::ScoreThresholds& thresholds) : thresholds_(thresholds) {}

  ScoreStanding standing_of(double score) const;
  // The threshold that a standing is below; 0 for good.
  double threshold_of(ScoreStanding standing) const;

  // In the order of the snapshot, which has all connected peers.
  std::vector<ScoreCrossing> on_scores(const libp2p::gossipsub::ScoreSnapshot& scores);

  std::size_t low_peers() const { return low_.size(); }
  void check() const;

 private:
  libp2p::gossipsub::ScoreThresholds thresholds_;
  std::map<libp2p::PeerId, ScoreStanding> low_;
};

}  // namespace opp2p
