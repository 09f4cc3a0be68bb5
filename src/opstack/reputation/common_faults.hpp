// CommonFaults: finds the faults that are ours. When more than half of the peers that lately brought accepted blocks
// commit the same fault, or no block is accepted any more, this node is wrong and not they: its signer, its forks or
// its clock may be stale. Such a fault costs nobody anything from then on, until accepted blocks show otherwise. A pure
// engine.
//
// What counts within the last ten minutes (kCommonWindow), for one kind of fault:
//   1. Of three or more peers that brought accepted blocks, as the first or as a copy, more than half committed it, and
//      those that did were the first to bring more than half of the last eight accepted blocks: ours. Only the eight
//      peers that brought blocks last are asked (kMostBringers), as many as are in a mesh.
//   2. No block was accepted for five block times since a message was refused for it, and such messages came no faster
//      than blocks do: ours, whoever sent them. What was accepted before does not matter. This comes before the eighth
//      message, with which a peer is banned.
//      When a block is accepted sooner, but not within two block times (at least 1 s), the faults since then are
//      excused: this node has learned in time what it did not know.
//   3. No peer brought any, three or more peers committed it, and these are four, or more than half of the connected
//      ones: ours, without the wait. So a node that starts with a wrong signer does not ban everybody.
// An accepted block can end a finding, a fault cannot. A node that publishes blocks, the sequencer, has no fault of its
// own: its blocks pass its rules, and it accepts no others that could show it.
//
// Against abuse:
//   1. An attacker needs more than half of the peers that bring this node's blocks, and must bring more than half of
//      them first. Peers that are told not to send (IDONTWANT) bring no copies, so the number of peers alone would let
//      two attackers beside the sequencer decide. Identities that brought no accepted block have no say.
//   2. While blocks are accepted, nobody profits. While the chain pauses, an attacker that sends no faster than blocks
//      come has its faults for nothing, until the next block. A flood is faster, and is banned. A flood can also keep a
//      stale node from finding its own fault, at the price of a ban for each eight messages.
//   3. Four identities can do it. The first accepted block ends it.
// What an attacker gains in each is that its faults cost nothing, which is what op-node charges.
//
// Owner: Reputation. Thread: the network thread. Bounds: kMostPeers peers with accepted blocks, and as many per kind
// that committed it; the one that was heard of least recently goes.
#pragma once

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

class CommonFaults {
 public:
  static constexpr std::size_t kMostPeers = 256;

  explicit CommonFaults(Nanos block_time = libp2p::Seconds(2));
  CommonFaults(const CommonFaults&) = delete;
  CommonFaults& operator=(const CommonFaults&) = delete;

  struct Excused {
    FaultKind kind{};
    MonoTime since{};  // the faults from then on
  };
  struct First {
    bool is_very_first = false;  // until then nothing shows that this node believes what is right
    std::vector<Excused> excused;
  };
  // The peer was the first to bring a block that was accepted. Before on_accepted() of it.
  First on_first(const PeerId& peer, MonoTime now);
  bool has_accepted() const { return has_published_ || !firsts_.empty(); }
  // A block of this node's own.
  void on_published();
  // The peer brought an accepted block. The kinds that are the peers' again, mostly none.
  std::vector<FaultKind> on_accepted(const PeerId& peer, MonoTime now);

  // A message was refused for this, whoever sends it. Once for each message, before on_fault().
  void on_refused(FaultKind kind, MonoTime now);

  struct Finding {
    std::size_t peers = 0;  // that commit it
    std::size_t of = 0;     // that were asked about
  };
  // The peer committed the fault; `connected` peers are there. Something when this made it ours.
  std::optional<Finding> on_fault(const PeerId& peer, FaultKind kind, std::size_t connected, MonoTime now);

  bool is_ours(FaultKind kind) const { return kinds_[static_cast<std::size_t>(kind)].is_ours; }
  // What this node believed of it was changed: what was seen before says nothing now.
  void on_learned(FaultKind kind);
  // "more than half of the peers that bring accepted blocks (3 of 4) …": what the operator should look at.
  static std::string text(FaultKind kind, const Finding& finding);

  void check() const;

 private:
  using Peers = libp2p::LruMap<PeerId, MonoTime>;  // when last; the most recent first
  struct Kind {
    Peers peers{kMostPeers};
    std::optional<MonoTime> since;  // the first refused message after the last accepted block
    std::int64_t refused = 0;       // messages since then
    bool is_ours = false;
  };
  static void forget_old(Peers& peers, MonoTime now);
  bool is_silent(const Kind& kind, Nanos least, MonoTime now) const;
  std::optional<Finding> judge_peers(Kind& kind, std::size_t connected, MonoTime now);
  std::optional<Finding> judge(Kind& kind, std::size_t connected, MonoTime now);
  bool were_mostly_first(const Peers& peers) const;

  Nanos block_time_;
  Peers bringers_{kMostPeers};
  bool has_published_ = false;
  std::deque<PeerId> firsts_;  // of the last accepted blocks, at most kMostBringers
  std::array<Kind, kFaultKinds> kinds_;
};

}  // namespace opstack::reputation
