// FaultAccounts: what a fault costs. It puts each fault on the ledger, asks whether it is this node's own
// (common_faults.hpp), and keeps GossipSub's score in step: what is held back or forgiven is taken off it, and put back
// when it counts. A node's driver and the simulator both judge by this. A pure engine.
//
// Owner: FaultTracker, and a simulated node. Thread: the network thread. Bounds: those of the ledger and of
// CommonFaults.
#pragma once

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "opstack/reputation/common_faults.hpp"
#include "opstack/reputation/fault_ledger.hpp"

namespace opstack::reputation {

class FaultAccounts {
 public:
  // `scorer` may be null: nobody is scored, and no fault has a cost. It outlives this.
  FaultAccounts(libp2p::gossipsub::PeerScorer* scorer, const ScoringProfile& profile);

  // The peer was the first to bring a block that was accepted.
  void on_first(const PeerId& peer, MonoTime now);
  // Another signer counts from now on: what was taken for a wrong signature before is forgotten, with what it cost.
  void on_signer_changed();
  // See CommonFaults.
  std::vector<FaultKind> on_accepted(const PeerId& peer, MonoTime now) { return common_.on_accepted(peer, now); }
  void on_published() { common_.on_published(); }
  void on_refused(FaultKind kind, MonoTime now) { common_.on_refused(kind, now); }

  struct Blamed {
    std::optional<CommonFaults::Finding> found;  // with this fault its kind was found to be this node's own
    bool is_new = false;                         // on the ledger; not when it is this node's own, or a copy
    std::size_t blamed_messages = 0;             // of the peer, with this one
  };
  // `cost`: what the score has counted for it, if it did. `connected` peers are there.
  Blamed blame(const PeerId& peer, const Fault& fault, const std::optional<InvalidCount>& cost, std::size_t connected,
               MonoTime now);
  // Every second: what is held back no longer counts.
  void on_timeout(MonoTime now);

  const FaultLedger& ledger() const { return ledger_; }
  const CommonFaults& common() const { return common_; }
  void forget(const PeerId& peer) { ledger_.forget(peer); }
  void check() const;

 private:
  void take_back(const std::vector<InvalidCount>& costs);
  void put_back(const std::vector<InvalidCount>& costs);

  libp2p::gossipsub::PeerScorer* scorer_;
  FaultLedger ledger_;
  CommonFaults common_;
};

}  // namespace opstack::reputation
