// Who of the peers that ask is served when: a rate for each peer and one for all, as op-node grants them, but without
// its queue in which a greedy peer makes everybody wait. Here a request first waits for its own peer's token, among
// requests of that peer only; whoever has one competes for the common rate. Turns go round the addresses, and within an
// address round its peers: the one served longest ago comes first, and a newcomer comes after all that are there. A
// pure engine.
//
// The places are bounded for a peer, for a block of addresses and in all. Where a bound other than the peer's own is
// reached, a newcomer takes the place of a request of whoever holds most, if that is more than the newcomer has: of one
// that waits, else of the one that has gone without progress longest. Where nobody holds more, a request goes that has
// made no progress for `idle_reading` or `idle_sending`; else the newcomer is refused. So a place is free within that
// time, whoever fills them.
//
// Owner: SyncServer. Thread: its. Bounds: those of RequestLimits; a bucket each for the last 1000 peers. A request that
// cannot be served within its budget is refused at once. Source: op-node surface, sections 7, 13, 14.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/token_bucket.hpp"
#include "opstack/sync/engine/names.hpp"

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
  std::size_t max_per_address = 128;   // an IPv4 address or a /56
  std::size_t max_per_site = 256;      // a /48
  std::size_t max_total = 512;
  // Without progress for so long, a request that is being served loses its place to a newcomer when all are taken.
  Nanos idle_reading = libp2p::Seconds(1);  // the number has not come
  Nanos idle_sending = libp2p::Seconds(5);  // it has
};

using TicketId = std::uint64_t;

class RequestLimiter {
 public:
  enum class Refusal : std::uint8_t { none, peer_busy, address_busy, server_busy, over_budget, displaced };
  struct Admission {
    TicketId ticket = 0;
    bool granted = false;             // may go ahead now; else a Grant or a Refusal follows
    Refusal refused = Refusal::none;  // then the ticket is void
  };
  // None: go ahead. Displaced may also come for a request that went ahead: its stream is to be reset.
  struct Decision {
    TicketId ticket = 0;
    Refusal refused = Refusal::none;
  };

  RequestLimiter(RequestLimits limits, MonoTime now);

  Admission on_request(const PeerId& peer, const libp2p::AddressBlocks& blocks, MonoTime now);
  // The number that is asked for has come.
  void on_progress(TicketId ticket, MonoTime now);
  // The exchange is over, or was given up while it waited. Each admitted ticket ends with this, once.
  void on_finished(TicketId ticket, MonoTime now);
  void on_timeout(MonoTime now);
  std::optional<MonoTime> next_deadline() const;
  std::optional<Decision> poll_decision();

  std::size_t waiting() const { return waiting_; }
  std::size_t open() const { return tickets_.size(); }
  void check() const;  // every invariant (request_limiter_check.cpp)

 private:
  struct Ticket {
    PeerId peer;
    bool waiting = true;
    bool reading = true;
    MonoTime expires;
    MonoTime since;  // of the last progress
  };
  // Who takes turns with others: an address, or a peer that has no share of one.
  struct Group {
    std::size_t peers = 0;
    std::uint64_t last_served = 0;
  };
  struct Peer {
    std::deque<TicketId> queue;  // in order of arrival
    libp2p::AddressBlocks blocks;
    std::uint64_t last_served = 0;
    Group* group = nullptr;
  };
  libp2p::TokenBucket& bucket(const PeerId& peer, MonoTime now);
  void expire(MonoTime now);
  void grant(MonoTime now);
  void close(TicketId ticket);
  static Bytes group_key(const PeerId& peer, const libp2p::AddressBlocks& blocks);
  Peer& peer_for(const PeerId& peer, const libp2p::AddressBlocks& blocks);
  bool displace(const PeerId& newcomer, const libp2p::AddressBlocks& blocks, libp2p::ShareFull full, MonoTime now);
  std::optional<TicketId> of_largest(const PeerId& newcomer, const libp2p::AddressBlocks& blocks,
                                     libp2p::ShareFull full);
  std::optional<TicketId> of_idlest(const libp2p::AddressBlocks& blocks, libp2p::ShareFull full, MonoTime now);
  void check_peer(const PeerId& id, const Peer& peer) const;
  void check_decisions() const;

  RequestLimits limits_;
  libp2p::TokenBucket global_;
  libp2p::LruMap<PeerId, libp2p::TokenBucket> buckets_;
  libp2p::SharePool<PeerId> open_;
  std::map<PeerId, Peer> peers_;  // with something open
  std::map<Bytes, Group, libp2p::BlockOrder> groups_;
  std::map<TicketId, Ticket> tickets_;
  std::deque<Decision> decisions_;
  std::size_t waiting_ = 0;
  std::uint64_t next_ticket_ = 1;
  std::uint64_t served_ = 0;
  std::optional<MonoTime> wake_;
};

std::string_view to_string(RequestLimiter::Refusal refusal);

}  // namespace opstack::sync
