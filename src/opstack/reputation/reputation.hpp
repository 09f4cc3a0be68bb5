// Reputation: what a node thinks of its peers, and what follows from it. It owns the scores of GossipSub and of the
// application, the book of scores, the bans of peers and IP addresses with their reasons and evidence, the faults of
// each peer, the peer monitor that bans, and the two gaters that keep out who is banned or has a bad score. It hears
// what block gossip judges and what reverse sync reports, writes what it must remember to a datastore, and closes the
// connections of who is banned. docs/reputation.md explains the rules to operators.
//
// Order: make it before the host, load() it, give gater() to the host and scores() to GossipSub; attach() the host,
// listen_to() block gossip and the follower, start(); close() it last.
//
// Owner: the node. Destroyed after the host, block gossip, the follower and GossipSub. Thread: the network thread.
// Bounds: those of the parts (score_book.hpp, ban_book.hpp, fault_ledger.hpp, common_faults.hpp). Re-entrancy: a
// listener is told inside the call that causes an event; it may ask everything here, and must not change anything or
// destroy the object. `done` is called from the runtime's queue. Source: op-node surface, sections 3, 4, 5.5, 8 and 13.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/event_source.hpp"
#include "libp2p/host/gater.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/storage/datastore.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/reputation/reputation_event.hpp"
#include "opstack/reputation/scoring_profiles.hpp"
#include "opstack/sync/drive/follower.hpp"

namespace opstack::reputation {

using libp2p::Nanos;
using libp2p::Result;

struct ReputationConfig {
  ScoringProfile scoring;
  Nanos block_time = libp2p::Seconds(2);
  bool ban_peers = true;  // by the peer monitor; the operator may always ban
  double ban_threshold = -100;
  Nanos ban_duration = libp2p::Seconds(3600);  // at most kLongestBan
  std::optional<double> gater_min_score;       // nothing: ban_threshold
};

struct PeerBan {
  PeerId peer;
  Ban ban;
};
struct IpBan {
  std::string ip;  // canonical
  Ban ban;
};
// In order of the peers' ids and of the addresses' texts.
struct BanList {
  std::vector<PeerBan> peers;
  std::vector<IpBan> ips;
};

class Reputation final {
 public:
  // `inner` is asked after the gaters of this; null: nobody.
  Reputation(libp2p::runtime::Runtime& runtime, ReputationConfig config,
             std::shared_ptr<libp2p::storage::Datastore> store, std::shared_ptr<libp2p::Gater> inner);
  ~Reputation();
  Reputation(const Reputation&) = delete;
  Reputation& operator=(const Reputation&) = delete;

  // Reads the bans of the store. Until it has succeeded, the gater denies everybody.
  Result<void> load();

  std::shared_ptr<libp2p::Gater> gater() const;
  libp2p::gossipsub::PeerScores& scores();
  // Null while nobody is scored.
  const libp2p::gossipsub::PeerScorer* scorer() const;

  // `is_static`: the operator has configured the peer; it is never banned by a rule, and its score closes no gate.
  // Neither does that of a protected peer.
  void attach(libp2p::Host& host, std::function<bool(const PeerId&)> is_static);
  void listen_to(gossip::BlockGossip& blocks);
  void listen_to(sync::Follower& follower);
  // Another signer's blocks count from now on. Who brought them before that is forgiven, and is not banned for it.
  void on_signer_changed();
  void start();
  void stop();
  // Writes what is not written yet.
  libp2p::runtime::Task<void> close();

  // --- bans ---
  BanList bans() const;
  // How many of these there are: a walk over the book without a copy.
  BanCounts peer_ban_counts() const;
  BanCounts ip_ban_counts() const;
  // Nothing when there is no ban, or it has expired.
  std::optional<Ban> ban_of(const PeerId& peer) const;
  std::optional<Ban> ban_of_ip(std::string_view ip) const;
  // `done` when it is durable, or the error: then it holds in this process, and is written when the store is well
  // again. True when something changed. An undo clears the peer's scores and faults, also of a peer that is not banned
  // (then the answer is false): a score may keep it out, or a record that cannot be read.
  using Done = std::function<void(Result<bool>)>;
  void ban(const PeerId& peer, Nanos duration, std::string why, Done done);
  void ban_ip(std::string_view ip, Nanos duration, std::string why, Done done);
  void unban(const PeerId& peer, Done done);
  void unban_ip(std::string_view ip, Done done);

  // --- what is known of a peer ---
  // The oldest first; empty for a peer without faults on record.
  std::vector<Fault> faults_of(const PeerId& peer) const;
  std::optional<PeerScoreRecord> scores_of(const PeerId& peer) const;
  // Why the scoring gater keeps the peer out; nothing when it does not.
  std::optional<ScoreRefusal> score_refusal(const PeerId& peer) const;

  libp2p::Subscription subscribe(std::function<void(const ReputationEvent&)> listener);

  void check() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace opstack::reputation
