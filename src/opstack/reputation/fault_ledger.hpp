// FaultLedger: the last faults of each peer with their evidence, how many different messages a peer was blamed for
// lately, and what each fault cost in GossipSub's score, so that it can be given back. A pure engine.
//
// What a fault costs is held back for a while (FaultLedgerLimits::hold), in which it shows whether the fault is this
// node's own (common_faults.hpp): without that, an honest peer that brings the first block of a new signer to a node
// that does not know it would fall below zero. After that time it counts together with a second one of the same kind
// (FaultLedgerLimits::proof): one message alone proves nothing, because a node can be behind by a block. A fault that
// no belief of this node can cause is not held back, nor are those of a peer that was blamed for as many messages as
// lead to a ban.
//
// Owner: Reputation. Thread: the network thread. Bounds: FaultLedgerLimits. When a peer has more faults than are kept,
// its oldest goes; when more peers have faults, the one that was blamed least recently goes. Whoever commits a fault
// anew is at the front, so a crowd of identities pushes out only those that have stopped, or itself.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "opstack/reputation/fault.hpp"
#include "opstack/reputation/scoring_profiles.hpp"

namespace opstack::reputation {

using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::gossipsub::InvalidCount;

struct FaultLedgerLimits {
  std::size_t peers = 1024;
  std::size_t faults_of_a_peer = 24;
  Nanos window = libp2p::Seconds(600);  // blamed messages are counted for this long
  Nanos hold{};                         // 0: every cost counts at once
  std::size_t proof = 1;                // messages of one kind, held for that long, with which they count
  std::size_t most_held = 8;            // messages of one peer; with the last one all count
};

// What a profile wants: the defaults where it has no rule for blamed messages.
FaultLedgerLimits ledger_limits(const ScoringProfile& profile);

class FaultLedger {
 public:
  explicit FaultLedger(FaultLedgerLimits limits = {});
  FaultLedger(const FaultLedger&) = delete;
  FaultLedger& operator=(const FaultLedger&) = delete;

  struct Noted {
    bool is_new = false;              // false: a copy of a message that is on record
    std::size_t blamed_messages = 0;  // different ones of gossip within the window, with this one
    // The caller takes the cost off the score: until settle() answers it, or for good when it is a copy, because a peer
    // pays for a message once.
    bool is_free = false;
  };
  // `cost`: what GossipSub's score counted for it, if it did.
  Noted on_fault(const PeerId& peer, Fault fault, const std::optional<InvalidCount>& cost, MonoTime now);

  // Costs that count from now on: of faults that are held back no longer; or all of a peer, which are held no more.
  // What has not counted within the window never does.
  std::vector<InvalidCount> settle(MonoTime now);
  std::vector<InvalidCount> settle(const PeerId& peer);
  // What is held back never costs anything; the faults stay on record.
  void drop_held();
  // Nothing is held back any more of a peer that is blamed for so many messages.
  bool is_settled_by(std::size_t blamed_messages) const { return blamed_messages >= limits_.most_held; }

  // The oldest first.
  std::vector<Fault> faults_of(const PeerId& peer) const;
  std::vector<Fault> last_faults_of(const PeerId& peer, std::size_t most) const;
  std::size_t blamed_messages(const PeerId& peer, MonoTime now) const;

  // Takes the faults of this kind from then on off all records, and answers what they cost; what is held back has cost
  // nothing.
  std::vector<InvalidCount> forget(FaultKind kind, MonoTime since = MonoTime::min());
  void forget(const PeerId& peer) { peers_.erase(peer); }

  std::size_t peers() const { return peers_.size(); }
  void check() const;

 private:
  struct Entry {
    Fault fault;
    MonoTime at{};
    std::optional<InvalidCount> cost;
    bool is_held = false;
  };
  using Entries = std::deque<Entry>;
  std::size_t count_messages(const Entries& entries, MonoTime now) const;

  std::vector<PeerId> peers_from_the_oldest() const;
  bool is_proven(const Entries& entries, FaultKind kind, MonoTime now) const;
  bool has_room_to_hold(const Entries& entries) const;

  FaultLedgerLimits limits_;
  libp2p::LruMap<PeerId, Entries> peers_;  // none is empty
};

}  // namespace opstack::reputation
