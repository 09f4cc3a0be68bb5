// ApplicationScores: what reverse sync thinks of the connected peers, by op-node's numbers: valid responses, error
// responses and rejected payloads count, each with a cap, a weight and a decay per slot. The sum is P5 of GossipSub. A
// pure engine.
//
// Owner: Reputation. Thread: the network thread. Bounds: connected peers, which the host bounds. Source: op-node
// surface, section 8.
#pragma once

#include <map>
#include <vector>

#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/reputation/peer_score_record.hpp"
#include "opstack/sync/engine/sync_events.hpp"

namespace opstack::reputation {

using libp2p::PeerId;

struct ApplicationScorePart {
  double increment;
  double cap;
  double weight;
};
inline constexpr ApplicationScorePart kValidResponses{1, 10, 0.5};
inline constexpr ApplicationScorePart kErrorResponses{1, 9, -1};
inline constexpr ApplicationScorePart kRejectedPayloads{1, 20, -20};
// What counters are multiplied with in each slot, and below what they are 0: 1 falls to that in 60 slots.
double application_score_decay();
inline constexpr double kApplicationDecayToZero = 0.01;

double application_score(const ReqRespScores& scores);
void add_merit(ReqRespScores& scores, sync::PeerMerit merit);
void decay_application_score(ReqRespScores& scores);

class ApplicationScores {
 public:
  // With what the book has of it.
  void on_connected(const PeerId& peer, const ReqRespScores& scores) { peers_.insert_or_assign(peer, scores); }
  void on_disconnected(const PeerId& peer) { peers_.erase(peer); }
  // A report about a peer that is not connected is not heard: false.
  bool on_report(const PeerId& peer, sync::PeerMerit merit);
  // One slot. The peers whose scores changed.
  std::vector<PeerId> decay();
  void clear(const PeerId& peer);

  bool is_connected(const PeerId& peer) const { return peers_.contains(peer); }
  std::size_t size() const { return peers_.size(); }
  std::vector<PeerId> peers() const;  // in order
  // All zero for a peer that is not connected.
  ReqRespScores scores_of(const PeerId& peer) const;
  double score_of(const PeerId& peer) const { return application_score(scores_of(peer)); }

  void check() const;

 private:
  std::map<PeerId, ReqRespScores> peers_;
};

}  // namespace opstack::reputation
