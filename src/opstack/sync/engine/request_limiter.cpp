#include "opstack/sync/engine/request_limiter.hpp"

#include <algorithm>
#include <tuple>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

using libp2p::AddressBlocks;
using libp2p::ShareFull;

std::string_view to_string(RequestLimiter::Refusal refusal) {
  switch (refusal) {
    case RequestLimiter::Refusal::none: return "none";
    case RequestLimiter::Refusal::peer_busy: return "the peer has too many requests open";
    case RequestLimiter::Refusal::server_busy: return "too many requests are open";
    case RequestLimiter::Refusal::address_busy: return "the peer's address has too many requests open";
    case RequestLimiter::Refusal::displaced:
      return "all places were taken, and another peer had fewer or this one made no progress";
    case RequestLimiter::Refusal::over_budget: return "the rate limit leaves no turn within the budget";
  }
  return "unknown";
}

RequestLimiter::RequestLimiter(RequestLimits limits, MonoTime now)
    : limits_(limits),
      global_(limits.global_per_second, limits.global_burst, now),
      buckets_(limits.remembered_peers),
      open_({limits.max_total, limits.max_per_peer, limits.max_per_address, limits.max_per_site}) {}

libp2p::TokenBucket& RequestLimiter::bucket(const PeerId& peer, MonoTime now) {
  if (auto* present = buckets_.get(peer)) return *present;
  buckets_.put(peer, libp2p::TokenBucket(limits_.peer_per_second, limits_.peer_burst, now));
  auto* fresh = buckets_.get(peer);
  OPP2P_ASSERT(fresh != nullptr, "the peer that was seen last has a bucket", limits_.remembered_peers);
  return *fresh;
}

RequestLimiter::Admission RequestLimiter::on_request(const PeerId& peer, const AddressBlocks& told, MonoTime now) {
  Admission out;
  if (open_.held(peer) >= limits_.max_per_peer) {
    out.refused = Refusal::peer_busy;
    return out;
  }
  const auto known = peers_.find(peer);
  // A peer keeps the addresses that it came with for as long as it has a request open: those are whose share it uses.
  const AddressBlocks blocks = known == peers_.end() ? told : known->second.blocks;
  if (limits_.rate_limited) {
    // Its own queue goes first. What the common rate will leave over is not known yet: that runs into the budget.
    const double ahead = known == peers_.end() ? 0 : static_cast<double>(known->second.queue.size());
    const Nanos own = bucket(peer, now).time_until(ahead + 1, now);
    if (own >= limits_.budget) {
      out.refused = Refusal::over_budget;
      return out;
    }
  }
  for (auto full = open_.check(peer, blocks, 1); full != ShareFull::none; full = open_.check(peer, blocks, 1)) {
    if (displace(peer, blocks, full, now)) continue;
    out.refused = full == ShareFull::total ? Refusal::server_busy : Refusal::address_busy;
    return out;
  }
  out.ticket = next_ticket_++;
  Ticket ticket;
  ticket.peer = peer;
  ticket.expires = now + limits_.budget;
  ticket.since = now;
  tickets_.emplace(out.ticket, std::move(ticket));
  open_.take(peer, blocks, 1);
  peer_for(peer, blocks).queue.push_back(out.ticket);
  ++waiting_;
  OPP2P_ASSERT(open_.used() == tickets_.size() && tickets_.size() <= limits_.max_total,
               "each request that is open has a place", open_.used(), tickets_);
  grant(now);
  // Granted at once when nobody was before it: that decision is told here and not again.
  const auto found =
      std::find_if(decisions_.begin(), decisions_.end(), [&](const Decision& d) { return d.ticket == out.ticket; });
  if (found != decisions_.end()) {
    out.granted = true;
    decisions_.erase(found);
  }
  return out;
}

void RequestLimiter::close(TicketId id) {
  const auto found = tickets_.find(id);
  if (found == tickets_.end()) return;
  const auto peer = peers_.find(found->second.peer);
  OPP2P_ASSERT(peer != peers_.end() && open_.held(found->second.peer) > 0, "a peer with an open request is known", id);
  if (found->second.waiting) {
    OPP2P_ASSERT(waiting_ > 0, "requests that wait are counted", id);
    --waiting_;
    auto& queue = peer->second.queue;
    const auto at = std::find(queue.begin(), queue.end(), id);
    OPP2P_ASSERT(at != queue.end(), "a request that waits is in the queue of its peer", id);
    queue.erase(at);
  }
  open_.give(found->second.peer, 1);
  if (open_.held(found->second.peer) == 0) {
    OPP2P_ASSERT(peer->second.queue.empty() && peer->second.group->peers > 0,
                 "a peer whose last request ends has none that waits", peer->first);
    if (--peer->second.group->peers == 0) groups_.erase(group_key(peer->first, peer->second.blocks));
    peers_.erase(peer);
  }
  tickets_.erase(found);
}

void RequestLimiter::on_progress(TicketId ticket, MonoTime now) {
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return;
  found->second.reading = false;
  found->second.since = now;
}

// ---- places ----

Bytes RequestLimiter::group_key(const PeerId& peer, const AddressBlocks& blocks) {
  return blocks.is_exempt() ? libp2p::to_bytes(peer.bytes()) : blocks.narrow;
}

// Whoever comes, comes last in the order of turns: coming anew must not be worth anything.
RequestLimiter::Peer& RequestLimiter::peer_for(const PeerId& peer, const AddressBlocks& blocks) {
  const auto [place, is_new] = peers_.try_emplace(peer);
  if (is_new) {
    const auto [group, first] = groups_.try_emplace(group_key(peer, blocks));
    if (first) group->second.last_served = served_;
    ++group->second.peers;
    place->second.group = &group->second;
    place->second.last_served = served_;
    place->second.blocks = blocks;
  }
  return place->second;
}

namespace {

// Whether a holder falls under the bound that was reached.
bool is_under(ShareFull full, const AddressBlocks& holder, const AddressBlocks& newcomer) {
  if (full == ShareFull::narrow) return holder.narrow == newcomer.narrow;
  if (full == ShareFull::wide) return holder.wide == newcomer.wide;
  return true;
}

}  // namespace

bool RequestLimiter::displace(const PeerId& newcomer, const AddressBlocks& blocks, ShareFull full, MonoTime now) {
  auto victim = of_largest(newcomer, blocks, full);
  if (!victim) victim = of_idlest(blocks, full, now);
  if (!victim) return false;
  OPP2P_ASSERT(tickets_.contains(*victim), "only an open request is displaced", *victim);
  close(*victim);
  std::erase_if(decisions_, [&](const Decision& d) { return d.ticket == *victim; });
  decisions_.push_back({*victim, Refusal::displaced});
  return true;
}

// Of the address that holds most the peer that does, as long as the newcomer still has fewer when it has its place.
std::optional<TicketId> RequestLimiter::of_largest(const PeerId& newcomer, const AddressBlocks& blocks,
                                                   ShareFull full) {
  const bool by_address = full == ShareFull::total;
  const auto weight = [&](const PeerId& peer, const AddressBlocks& its) {
    const std::size_t own = open_.held(peer);
    return std::pair(by_address && !its.is_exempt() ? open_.held_by(its.narrow) : own, own);
  };
  const Peer* largest = nullptr;
  PeerId name;
  auto most = weight(newcomer, blocks);
  ++most.first;
  ++most.second;
  for (const auto& [id, peer] : peers_) {
    if (!is_under(full, peer.blocks, blocks)) continue;
    const auto its = weight(id, peer.blocks);
    if (its.first <= most.first && (largest == nullptr || its <= most)) continue;
    most = its;
    largest = &peer;
    name = id;
  }
  if (largest == nullptr) return std::nullopt;
  if (!largest->queue.empty()) return largest->queue.back();
  std::optional<TicketId> out;
  for (const auto& [id, ticket] : tickets_)
    if (ticket.peer == name && (!out || ticket.since < tickets_.at(*out).since)) out = id;
  return out;
}

std::optional<TicketId> RequestLimiter::of_idlest(const AddressBlocks& blocks, ShareFull full, MonoTime now) {
  std::optional<TicketId> out;
  for (const auto& [id, ticket] : tickets_) {
    if (ticket.waiting || now - ticket.since < (ticket.reading ? limits_.idle_reading : limits_.idle_sending)) continue;
    if (!is_under(full, peers_.at(ticket.peer).blocks, blocks)) continue;
    if (!out || ticket.since < tickets_.at(*out).since) out = id;
  }
  return out;
}

// ---- turns ----

void RequestLimiter::on_finished(TicketId ticket, MonoTime now) {
  close(ticket);
  std::erase_if(decisions_, [&](const Decision& d) { return d.ticket == ticket; });
  grant(now);
}

void RequestLimiter::on_timeout(MonoTime now) {
  grant(now);
  expire(now);
}

void RequestLimiter::expire(MonoTime now) {
  std::vector<TicketId> late;
  for (const auto& [id, ticket] : tickets_)
    if (ticket.waiting && ticket.expires <= now) late.push_back(id);
  for (const TicketId id : late) {
    close(id);
    decisions_.push_back({id, Refusal::over_budget});
  }
}

void RequestLimiter::grant(MonoTime now) {
  wake_.reset();
  const auto turn_of = [](const Peer& peer) {
    return std::tuple(peer.group->last_served, peer.last_served, peer.queue.front());
  };
  while (waiting_ > 0) {
    Peer* next = nullptr;
    const PeerId* name = nullptr;
    std::optional<MonoTime> soonest;
    for (auto& [id, peer] : peers_) {
      if (peer.queue.empty()) continue;
      const Nanos wait = limits_.rate_limited ? bucket(id, now).time_until(1, now) : Nanos(0);
      if (wait > Nanos(0)) {
        soonest = std::min(soonest.value_or(now + wait), now + wait);
      } else if (next == nullptr || turn_of(peer) < turn_of(*next)) {
        next = &peer;
        name = &id;
      }
    }
    if (next == nullptr) {
      wake_ = soonest;
      return;
    }
    if (limits_.rate_limited) {
      if (!global_.try_take(1, now)) {
        wake_ = now + global_.time_until(1, now);
        return;
      }
      (void)bucket(*name, now).try_take(1, now);
    }
    const TicketId ticket = next->queue.front();
    OPP2P_ASSERT(tickets_.at(ticket).waiting, "a request has its turn once", ticket);
    next->queue.pop_front();
    next->last_served = next->group->last_served = ++served_;
    Ticket& granted = tickets_.at(ticket);
    granted.waiting = false;
    granted.since = now;
    --waiting_;
    decisions_.push_back({ticket, Refusal::none});
  }
}

std::optional<MonoTime> RequestLimiter::next_deadline() const {
  std::optional<MonoTime> out = wake_;
  for (const auto& [id, ticket] : tickets_)
    if (ticket.waiting) out = std::min(out.value_or(ticket.expires), ticket.expires);
  return out;
}

std::optional<RequestLimiter::Decision> RequestLimiter::poll_decision() {
  if (decisions_.empty()) return std::nullopt;
  const Decision out = decisions_.front();
  decisions_.pop_front();
  return out;
}

}  // namespace opstack::sync
