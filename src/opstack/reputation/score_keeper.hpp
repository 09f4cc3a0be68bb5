// ScoreKeeper: the scores of the peers. It owns GossipSub's PeerScorer, keeps the scores of the application and makes
// them P5, and writes both into the score book: of peers that are connected every kScoreWriteInterval, and when they
// go.
//
// Owner: Reputation. Thread: the network thread; records that have expired are looked for on a worker. Bounds: those of
// its parts; kMostExpired records are erased at a time. Source: op-node surface, sections 4, 5.6 and 8.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "opstack/reputation/application_scores.hpp"
#include "opstack/reputation/score_book.hpp"
#include "opstack/reputation/scoring_profiles.hpp"

namespace opstack::reputation {

inline constexpr Nanos kScoreWriteInterval = libp2p::Seconds(15);
inline constexpr Nanos kGarbageInterval = libp2p::Seconds(2 * 3600);

class ScoreKeeper {
 public:
  static constexpr std::size_t kMostExpired = 4096;

  // All outlive it.
  ScoreKeeper(const ScoringProfile& profile, libp2p::runtime::Runtime& runtime, libp2p::storage::BatchWriter& writer);
  ScoreKeeper(const ScoreKeeper&) = delete;
  ScoreKeeper& operator=(const ScoreKeeper&) = delete;

  libp2p::gossipsub::PeerScores& scores();
  // Null while nobody is scored.
  libp2p::gossipsub::PeerScorer* scorer() { return scorer_.get(); }
  const libp2p::gossipsub::PeerScorer* scorer() const { return scorer_.get(); }

  void on_connected(const PeerId& peer);
  void on_disconnected(const PeerId& peer);
  void on_report(const sync::PeerReport& report);
  void on_slot();  // the scores of the application decay
  void write();
  void collect_garbage();
  std::size_t connected() const { return application_.size(); }

  // Live where the peer is known to GossipSub, else as stored; nothing for a peer that is unknown.
  std::optional<PeerScoreRecord> scores_of(const PeerId& peer);
  // What a ban by score, or a gate, compares, by the profile: live or as stored, with P6 or without. The error is the
  // store's.
  Result<double> score_to_ban(const PeerId& peer);
  Result<double> score_to_gate(const PeerId& peer);

  // Nothing is known of the peer any more.
  void clear(const PeerId& peer);
  void check() const;

 private:
  struct Expired;
  PeerScoreRecord live_record(const PeerId& peer, const libp2p::gossipsub::PeerScoreParts* parts);
  void store(const PeerId& peer, const PeerScoreRecord& record);
  void set_application_score(const PeerId& peer);
  double total_to_compare(const GossipScores& scores) const;
  void erase_expired(const Expired& expired);
  UnixTime wall() const { return runtime_.now().wall; }

  const bool bans_on_live_score_;
  const bool ignores_colocation_;
  libp2p::runtime::Runtime& runtime_;
  libp2p::storage::BatchWriter& writer_;
  ScoreBook book_;
  ApplicationScores application_;
  libp2p::gossipsub::NeutralScores neutral_;
  std::unique_ptr<libp2p::gossipsub::PeerScorer> scorer_;
  libp2p::gossipsub::ScoreSnapshot snapshot_;  // keeps its memory
  libp2p::LifeToken life_;
};

}  // namespace opstack::reputation
