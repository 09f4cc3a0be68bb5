// CommonFaults: finds the faults that are ours. When more than half of the peers that lately brought accepted blocks
// commit the same fault, this node is wrong and not they: its signer, its forks or its clock may be stale. Such a fault
// costs nobody anything from then on, until accepted blocks show otherwise. A pure engine.
//
// What counts within the last ten minutes (kCommonWindow), for one kind of fault:
//   - Of three or more peers that brought accepted blocks, as the first or as a copy, more than half committed it:
//     ours. Only those are asked that brought one of the last accepted blocks (within `recent` of the newest), and of
//     them the last eight (kMostBringers), as many as are in a mesh. Who has left, or is not in the mesh any more,
//     brings no faults either; and where one peer is so near that all others are told not to send (IDONTWANT), that one
//     alone can say anything.
//   - Of one or two such peers, all did: ours. One of two decides nothing.
//   - No block was accepted for as long as `recent` since it was committed first, and whoever commits it was the first
//     to bring more than half of the last eight accepted blocks: ours. So a node beside its sequencer, which hears
//     nothing from others, does not ban it after a rotation. While blocks are accepted, nobody profits from this.
//   - No peer brought any, three or more peers committed it, and these are four, or more than half of the connected
//     ones: ours. So a node that starts with a wrong signer does not ban everybody. Its mesh is a small part of the
//     connected peers, and only the mesh brings blocks.
// An accepted block can end a finding, a fault cannot.
//
// Against abuse: identities that never brought an accepted block have no say once anybody did. To make its faults ours,
// an attacker needs more than half of the peers that bring this node's blocks; it gains that they cost it nothing,
// which is what op-node charges. A copy counts, because the fastest peer would otherwise be the only one with a say.
//
// Owner: Reputation. Thread: the network thread. Bounds: kMostPeers peers with accepted blocks, and as many per kind
// that committed it; the one that was heard of least recently goes.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <vector>

#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/reputation/fault.hpp"

namespace opstack::reputation {

using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::PeerId;

inline constexpr Nanos kCommonWindow = libp2p::Seconds(600);
inline constexpr std::size_t kMostBringers = 8;
// The time of some five blocks, for `recent`: costs are held back for that of fifteen (FaultLedgerLimits::hold).
constexpr Nanos recent_of(Nanos hold) { return std::max<Nanos>(hold / 3, libp2p::Seconds(10)); }

class CommonFaults {
 public:
  static constexpr std::size_t kMostPeers = 256;

  explicit CommonFaults(Nanos recent = libp2p::Seconds(10));
  CommonFaults(const CommonFaults&) = delete;
  CommonFaults& operator=(const CommonFaults&) = delete;

  // The peer was the first to bring a block that was accepted. Besides on_accepted(). True for the very first block:
  // until then nothing shows that this node believes what is right.
  bool on_first(const PeerId& peer);
  bool has_accepted() const { return !firsts_.empty(); }
  // The peer brought an accepted block. The kinds that are the peers' again, mostly none.
  std::vector<FaultKind> on_accepted(const PeerId& peer, MonoTime now);

  struct Finding {
    std::size_t peers = 0;  // that commit it
    std::size_t of = 0;     // that were asked about
  };
  // The peer committed the fault; `connected` peers are there. Something when this made it ours.
  std::optional<Finding> on_fault(const PeerId& peer, FaultKind kind, std::size_t connected, MonoTime now);

  bool is_ours(FaultKind kind) const { return kinds_[static_cast<std::size_t>(kind)].is_ours; }
  // "more than half of the peers that bring accepted blocks (3 of 4) …": what the operator should look at.
  static std::string text(FaultKind kind, const Finding& finding);

  void check() const;

 private:
  using Peers = libp2p::LruMap<PeerId, MonoTime>;  // when last; the most recent first
  struct Kind {
    Peers peers{kMostPeers};
    std::optional<MonoTime> since;  // the first fault after the last accepted block
    bool is_ours = false;
  };
  static void forget_old(Peers& peers, MonoTime now);
  std::optional<Finding> judge_silence(const Kind& kind, MonoTime now) const;
  std::optional<Finding> judge(Kind& kind, std::optional<std::size_t> connected, MonoTime now);

  Nanos recent_;
  Peers bringers_{kMostPeers};
  std::deque<PeerId> firsts_;  // of the last accepted blocks, at most kMostBringers
  std::array<Kind, kFaultKinds> kinds_;
};

}  // namespace opstack::reputation
