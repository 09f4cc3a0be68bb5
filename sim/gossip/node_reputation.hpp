// What a simulated node thinks of its peers beyond their scores: the engines of opstack/reputation that a node drives,
// on the port of a simulated world. It hears the verdicts of the node's rules and what the score function counts, and
// says whom to ban. Deviations from the driver of a node: nothing is kept over a restart, and no address is banned.
//
// Owner: HonestNode, which gives it to its scorer and destroys it after that. Thread: the world's. Bounds: those of the
// engines; kMostReasons reasons of rejected messages. Re-entrancy: as DeliveryObserver says.
#pragma once

#include <optional>
#include <vector>

#include "libp2p/base/lru_map.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "opstack/reputation/fault_accounts.hpp"
#include "opstack/reputation/peer_monitor.hpp"
#include "opstack/reputation/scoring_profiles.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

struct ReputationParams {
  opstack::reputation::ScoringProfile scoring;
  bool ban_peers = true;
  double ban_threshold = -100;  // op-node's --p2p.ban.threshold
  Nanos ban_duration = Seconds(3600);
};

class NodeReputation final : public libp2p::gossipsub::DeliveryObserver {
 public:
  static constexpr std::size_t kMostReasons = 1024;

  // Both outlive it.
  NodeReputation(const ReputationParams& params, libp2p::gossipsub::PeerScorer& scorer);

  // The rules accepted the message that the peer was the first to bring, or rejected it. Told before the router hears.
  void on_accepted(const PeerId& first, Now now) { accounts_.on_first(first, now.mono); }
  void on_rejected(const libp2p::gossipsub::MessageId& id, opstack::rules::Reason reason, Now now);
  void on_signer_changed() { accounts_.on_signer_changed(); }
  void on_published() { accounts_.on_published(); }
  void on_valid(const PeerId& peer, std::string_view topic, const libp2p::gossipsub::MessageId& id, Now now) override;
  void on_invalid(const PeerId& peer, std::string_view topic, const libp2p::gossipsub::MessageId& id,
                  libp2p::gossipsub::RejectCause cause, const libp2p::gossipsub::InvalidCount& count, Now now) override;
  void on_peer_count(std::size_t connected) { connected_ = connected; }

  // The peer monitor: one peer a second. `connected` are those that the operator has not configured.
  std::optional<MonoTime> next_deadline() const;
  void on_timeout(const std::vector<PeerId>& connected, Now now);
  // Whom to ban now, each once.
  std::vector<PeerId> take_bans() { return std::exchange(bans_, {}); }
  // Its ban has ended.
  void forgive(const PeerId& peer);

  // How often a fault was found to be the node's own.
  std::uint64_t findings() const { return findings_; }
  const opstack::reputation::FaultLedger& ledger() const { return accounts_.ledger(); }
  void check() const;

 private:
  void ban(const PeerId& peer);

  struct IdHash {
    std::size_t operator()(const libp2p::gossipsub::MessageId& id) const {
      return static_cast<std::size_t>(libp2p::gossipsub::MessageIdHash{}(id));
    }
  };

  const ReputationParams& params_;
  libp2p::gossipsub::PeerScorer& scorer_;
  opstack::reputation::FaultAccounts accounts_;
  opstack::reputation::PeerMonitor monitor_;
  libp2p::LruMap<libp2p::gossipsub::MessageId, opstack::reputation::FaultKind, IdHash> reasons_{kMostReasons};
  std::vector<PeerId> bans_;
  std::size_t connected_ = 0;
  std::uint64_t findings_ = 0;
  MonoTime next_look_{};
};

}  // namespace opp2p::sim::gossip
