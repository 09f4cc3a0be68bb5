// The peers that reverse sync may ask: how fast each may be asked, who is busy, who is paused and why, and what each
// has proved. Picks the peer for the next request.
//
// Proof counts blocks of a peer that were linked to a gap. A block of another branch is no fault and takes no
// proof: a peer that serves one gap may hold another branch than the one below another gap. A proven peer comes before
// one that has only answered, that one before a peer that was never asked, and a peer that identify has said nothing
// about comes last. Of those never asked come first whose blocks were accepted elsewhere, by gossip: a first gap finds
// nobody proven here. Among equals the peer that has failed least of late is asked, then the one that was idle longest;
// among the never asked the one that waits longest. A failure halves proof and a lie ends it.
//
// A request to an unproven peer is a trial. Trials have a part of all that is in flight, a rate of their own while a
// proven peer can be asked, a shorter deadline, and a share for each block of addresses. So strangers cannot keep a gap
// from being filled, however many they are and however often they are replaced. Gaps behind the most urgent one have a
// small part of the trials for themselves: who serves them must be able to prove it while the first gap tries strangers
// in vain.
//
// Owner: SyncScheduler. Thread: its. Bounds: one entry for each connected peer. Tokens are taken when a request goes
// out and never before, and an answer of "not found" or "busy" costs none.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/token_bucket.hpp"
#include "opstack/sync/engine/sync_events.hpp"

namespace opstack::sync {

using libp2p::AddressBlocks;
using libp2p::TokenBucket;

struct PeerLimits {
  double per_second = 4;  // what op-node's server grants a peer
  double burst = 15;
  std::size_t in_flight = 1;
};

// Of all peers together.
struct SyncLimits {
  std::size_t in_flight = 32;
  double trials_per_second = 5;
  double trial_burst = 10;
  Nanos trial_deadline =
      libp2p::Seconds(3);                // of a first request to a stranger; more proof, and each failure, lengthen it
  Nanos deadline = libp2p::Seconds(25);  // of any
};

class SyncPeers {
 public:
  SyncPeers(PeerLimits limits, SyncLimits all, MonoTime now);

  // `identified`: identify lists the protocol. Known peers can only become identified.
  bool add(const PeerId& peer, const AddressBlocks& blocks, bool identified, MonoTime now);
  bool remove(const PeerId& peer);
  void vouch(const PeerId& peer);  // a block of its was accepted elsewhere
  bool contains(const PeerId& peer) const { return peers_.contains(peer); }
  std::size_t size() const { return peers_.size(); }
  bool empty() const { return peers_.empty(); }

  // For which request a peer is sought.
  struct Need {
    const std::vector<PeerId>& asked;        // for the block already, sorted
    const std::vector<PeerId>& passed_over;  // not asked for any block of this gap, sorted
    bool due_next = false;                   // the gap cannot be filled further without this block
    const PeerId* holder = nullptr;          // who is being asked for it: a second peer is sought
    bool urgent = true;                      // the gap is the most urgent one
  };
  struct Choice {
    std::optional<PeerId> peer;     // who to ask
    bool any_free = false;          // somebody is free for this gap, if not for this block
    bool all_asked = false;         // everybody who is not paused was asked or is passed over, and somebody was or is
    std::optional<MonoTime> retry;  // when somebody who was not asked may become free by time alone
  };
  Choice choose(const Need& need, MonoTime now);

  // Answers when the request is to be given up. `urgent` as in Need.
  MonoTime on_request(const PeerId& peer, MonoTime now, bool urgent = true);
  // The exchange is over: the peer has room for another.
  void on_idle(const PeerId& peer);

  // What a peer's answer does to its turn. Each answers the length of the pause, zero for none.
  void on_served(const PeerId& peer);                       // it speaks the protocol
  void on_answered(const PeerId& peer);                     // a well-formed block, which may or may not link
  void on_good(const PeerId& peer);                         // a block of its was linked
  void on_other_branch(const PeerId& peer);                 // a block of its cannot be linked where it was asked for
  Nanos on_empty_handed(const PeerId& peer, MonoTime now);  // not found, invalid request: after a few in a row
  Nanos on_busy(const PeerId& peer, MonoTime now);          // throttled
  Nanos on_failure(const PeerId& peer, MonoTime now);       // no answer
  Nanos on_fault(const PeerId& peer, MonoTime now);         // a lie

  bool is_proven(const PeerId& peer) const;
  bool is_identified(const PeerId& peer) const;
  std::size_t in_flight() const { return in_flight_.used(); }
  std::size_t trials() const { return trials_.used(); }
  void check() const;

 private:
  enum class Rank : std::uint8_t { proven, answered, vouched, fresh, unidentified };
  struct Peer {
    TokenBucket tokens;
    AddressBlocks blocks;
    bool identified;
    bool answered = false;
    bool vouched = false;
    int proof = 0;
    std::size_t busy = 0;
    std::size_t spare_trials = 0;  // of those, trials for gaps that are not the most urgent one
    MonoTime paused_until;
    int empty_handed = 0;
    int throttled = 0;
    int failures = 0;
    int faults = 0;
    std::uint64_t last_asked = 0;  // or added: who waits longest is the least
    Peer(TokenBucket bucket, bool is_identified) : tokens(bucket), identified(is_identified) {}
    int demerit() const { return 4 * faults + 2 * failures + throttled + empty_handed; }
    Rank rank() const;
  };
  struct Field;
  Field survey(const Need& need, MonoTime now);
  bool may_try(const PeerId& id, const Peer& peer, const Need& need, const Field& field) const;
  static bool was_asked(const PeerId& id, const Need& need);
  static bool before(const Peer& a, const Peer& b, bool second);
  Nanos patience(const Peer& peer) const;
  Nanos pause(Peer& peer, Nanos first, int times, Nanos most, MonoTime now);
  void forget_spare_trials(Peer& peer, std::size_t left);
  Peer* find(const PeerId& peer);

  PeerLimits limits_;
  SyncLimits all_;
  TokenBucket trial_tokens_;
  TokenBucket spare_trial_tokens_;       // for gaps that are not the most urgent one, beside the above
  libp2p::SharePool<PeerId> in_flight_;  // requests
  libp2p::SharePool<PeerId> trials_;     // those of them that were sent to unproven peers
  std::size_t spare_trials_ = 0;         // of those, for gaps that are not the most urgent one
  std::size_t unidentified_busy_ = 0;
  std::uint64_t turns_ = 0;
  std::map<PeerId, Peer> peers_;
};

}  // namespace opstack::sync
