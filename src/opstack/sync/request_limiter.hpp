// Who of the peers that ask is served when: a rate for each peer and one for all, as op-node grants them, but without
// its queue in which a greedy peer makes everybody wait. Here a request first waits for its own peer's token, among
// requests of that peer only; whoever has one competes for the common rate, and of the peers that do, the one served
// longest ago comes first. A pure engine.
//
// Owner: SyncServer. Thread: its. Bounds: requests waiting or being served, of a peer and of all; a bucket each for the
// last 1000 peers. A request that cannot be served within its budget is refused at once. Source: op-node surface,
// sections 7, 13, 14.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "base/lru_map.hpp"
#include "base/token_bucket.hpp"
#include "opstack/sync/block.hpp"

namespace opstack::sync {

struct RequestLimits {
  bool rate_limited = true;  // false for --p2p.sync.server.limits off: only the bounds on what runs at once remain
  double global_per_second = 20;
  double global_burst = 40;
  double peer_per_second = 4;
  double peer_burst = 15;
  std::size_t remembered_peers = 1000;
  Nanos budget = libp2p::Seconds(20);  // for waiting, reading and looking up together
  std::size_t max_per_peer = 64;       // waiting or being served
  std::size_t max_total = 512;
};

using TicketId = std::uint64_t;

class RequestLimiter {
 public:
  enum class Refusal : std::uint8_t { none, peer_busy, server_busy, over_budget };
  struct Admission {
    TicketId ticket = 0;
    bool granted = false;             // may go ahead now; else a Grant or a Refusal follows
    Refusal refused = Refusal::none;  // then the ticket is void
  };
  struct Decision {
    TicketId ticket = 0;
    Refusal refused = Refusal::none;  // none: go ahead
  };

  RequestLimiter(RequestLimits limits, MonoTime now);

  Admission on_request(const PeerId& peer, MonoTime now);
  // The exchange is over, or was given up while it waited. Each admitted ticket ends with this, once.
  void on_finished(TicketId ticket, MonoTime now);
  void on_timeout(MonoTime now);
  std::optional<MonoTime> next_deadline() const;
  std::optional<Decision> poll_decision();

  std::size_t waiting() const { return waiting_; }
  std::size_t open() const { return tickets_.size(); }

 private:
  struct Ticket {
    PeerId peer;
    bool waiting = true;
    MonoTime expires;
  };
  struct Peer {
    std::deque<TicketId> queue;  // in order of arrival
    std::size_t open = 0;
    std::uint64_t last_served = 0;
  };
  libp2p::TokenBucket& bucket(const PeerId& peer, MonoTime now);
  void expire(MonoTime now);
  void grant(MonoTime now);
  void close(TicketId ticket);

  RequestLimits limits_;
  libp2p::TokenBucket global_;
  libp2p::LruMap<PeerId, libp2p::TokenBucket> buckets_;
  std::map<PeerId, Peer> peers_;  // with something open
  std::map<TicketId, Ticket> tickets_;
  std::deque<Decision> decisions_;
  std::size_t waiting_ = 0;
  std::uint64_t next_ticket_ = 1;
  std::uint64_t served_ = 0;
  std::optional<MonoTime> wake_;
};

std::string_view to_string(RequestLimiter::Refusal refusal);

}  // namespace opstack::sync
