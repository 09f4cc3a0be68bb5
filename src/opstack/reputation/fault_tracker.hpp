// FaultTracker: who is blamed for what. It hears the verdicts of block gossip and, where GossipSub's topics are scored,
// each count of P4, so that exactly those are blamed whose score pays for it: the peer that brought a message and those
// that sent copies. Where topics are not scored, the peer that brought it is blamed. Faults that are ours
// (common_faults.hpp) are taken off the ledger and off the scores.
//
// Owner: Reputation. Thread: the network thread. Bounds: those of the ledger and of CommonFaults; kMostVerdicts reasons
// of refused messages, the oldest goes, and a copy that comes after that is blamed for nothing but counted.
// Re-entrancy: `on_blamed` and listeners are called inside the router's calls and must not call the router or the
// scorer.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "libp2p/base/event_source.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "opstack/gossip/subscriber.hpp"
#include "opstack/reputation/fault_accounts.hpp"
#include "opstack/reputation/reputation_event.hpp"

namespace opstack::reputation {

using libp2p::Now;

class FaultTracker final : public libp2p::gossipsub::DeliveryObserver {
 public:
  static constexpr std::size_t kMostVerdicts = 4096;

  struct Uses {
    std::function<std::size_t()> connected;  // peers that are there
    // The peer was blamed for one message more, the last of so many.
    std::function<void(const PeerId&, std::size_t blamed_messages)> on_blamed;
    // The faults of this kind were ours.
    std::function<void(FaultKind)> on_common;
  };
  // `scorer` may be null: nobody is scored. Both outlive it.
  FaultTracker(libp2p::gossipsub::PeerScorer* scorer, libp2p::EventSource<ReputationEvent>& events, Uses uses,
               const ScoringProfile& profile);
  ~FaultTracker() override;

  // Before the router hears of the verdict.
  void on_verdict(const gossip::BlockVerdict& verdict, bool signer_known, Now now);
  void on_signer_changed();
  void on_sync_fault(const sync::SyncFault& fault, Now now);

  void on_valid(const PeerId& peer, std::string_view topic, const libp2p::gossipsub::MessageId& id, Now now) override;
  void on_invalid(const PeerId& peer, std::string_view topic, const libp2p::gossipsub::MessageId& id,
                  libp2p::gossipsub::RejectCause cause, const InvalidCount& count, Now now) override;

  // Every second: what is held back no longer counts.
  void on_timeout(Now now) { accounts_.on_timeout(now.mono); }

  const FaultLedger& ledger() const { return accounts_.ledger(); }
  const CommonFaults& common() const { return accounts_.common(); }
  void forget(const PeerId& peer) { accounts_.forget(peer); }
  void check() const;

 private:
  bool is_scored(const std::string& topic) const;
  void remember(const libp2p::gossipsub::MessageId& id, const Fault& fault);
  void blame(const PeerId& peer, const Fault& fault, const std::optional<InvalidCount>& cost, Now now);

  libp2p::gossipsub::PeerScorer* scorer_;
  libp2p::EventSource<ReputationEvent>& events_;
  Uses uses_;
  FaultAccounts accounts_;
  // Of messages that were refused, for their copies.
  std::map<libp2p::gossipsub::MessageId, Fault> verdicts_;
  std::deque<libp2p::gossipsub::MessageId> by_age_;
};

}  // namespace opstack::reputation
