// The peers that reverse sync may ask: how fast each may be asked, who is busy, who is paused and why. Picks the peer
// for the next request: of those that are free the one that has failed least of late, and among equals the one that was
// idle longest.
//
// Owner: SyncScheduler. Thread: its. Bounds: one entry for each connected peer. Tokens are taken when a request goes
// out and never before, and an answer of "not found" or "busy" costs none.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/token_bucket.hpp"
#include "opstack/sync/sync_events.hpp"

namespace opstack::sync {

using libp2p::TokenBucket;

struct PeerLimits {
  double per_second = 4;  // what op-node's server grants a peer
  double burst = 15;
  std::size_t in_flight = 1;
};

class SyncPeers {
 public:
  explicit SyncPeers(PeerLimits limits) : limits_(limits) {}

  bool add(const PeerId& peer, MonoTime now);
  bool remove(const PeerId& peer) { return peers_.erase(peer) > 0; }
  bool contains(const PeerId& peer) const { return peers_.contains(peer); }
  std::size_t size() const { return peers_.size(); }
  bool empty() const { return peers_.empty(); }

  struct Choice {
    std::optional<PeerId> peer;     // who to ask
    bool any_free = false;          // somebody is free, if not for this block
    bool all_asked = false;         // `asked` holds everybody who is not paused, and somebody
    std::optional<MonoTime> retry;  // when somebody who was not asked may become free by time alone
  };
  // `asked`: who has been asked for the block already, sorted.
  Choice choose(const std::vector<PeerId>& asked, MonoTime now);

  void on_request(const PeerId& peer, MonoTime now);
  // The exchange is over: the peer has room for another.
  void on_idle(const PeerId& peer);

  // What a peer's answer does to its turn. Each answers the length of the pause, zero for none.
  void on_good(const PeerId& peer);
  Nanos on_empty_handed(const PeerId& peer, MonoTime now);  // not found, invalid request: after a few in a row
  Nanos on_busy(const PeerId& peer, MonoTime now);          // throttled
  Nanos on_failure(const PeerId& peer, MonoTime now);       // no answer
  Nanos on_fault(const PeerId& peer, MonoTime now);         // a lie

 private:
  struct Peer {
    TokenBucket tokens;
    std::size_t busy = 0;
    MonoTime paused_until;
    int empty_handed = 0;
    int throttled = 0;
    int failures = 0;
    int faults = 0;
    std::uint64_t last_asked = 0;
    explicit Peer(TokenBucket bucket) : tokens(bucket) {}
    int demerit() const { return 4 * faults + 2 * failures + throttled + empty_handed; }
  };
  Nanos pause(Peer& peer, Nanos first, int times, Nanos most, MonoTime now);

  PeerLimits limits_;
  std::uint64_t asked_ = 0;
  std::map<PeerId, Peer> peers_;
};

}  // namespace opstack::sync
