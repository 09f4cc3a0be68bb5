#include "opstack/sync/request_limiter.hpp"

#include <algorithm>

namespace opstack::sync {

std::string_view to_string(RequestLimiter::Refusal refusal) {
  switch (refusal) {
    case RequestLimiter::Refusal::none:
      return "none";
    case RequestLimiter::Refusal::peer_busy:
      return "the peer has too many requests open";
    case RequestLimiter::Refusal::server_busy:
      return "too many requests are open";
    case RequestLimiter::Refusal::over_budget:
      return "the rate limit leaves no turn within the budget";
  }
  return "unknown";
}

RequestLimiter::RequestLimiter(RequestLimits limits, MonoTime now)
    : limits_(limits), global_(limits.global_per_second, limits.global_burst, now), buckets_(limits.remembered_peers) {}

libp2p::TokenBucket& RequestLimiter::bucket(const PeerId& peer, MonoTime now) {
  if (auto* present = buckets_.get(peer)) return *present;
  buckets_.put(peer, libp2p::TokenBucket(limits_.peer_per_second, limits_.peer_burst, now));
  return *buckets_.get(peer);
}

RequestLimiter::Admission RequestLimiter::on_request(const PeerId& peer, MonoTime now) {
  Admission out;
  const auto known = peers_.find(peer);
  if (known != peers_.end() && known->second.open >= limits_.max_per_peer) {
    out.refused = Refusal::peer_busy;
    return out;
  }
  if (tickets_.size() >= limits_.max_total) {
    out.refused = Refusal::server_busy;
    return out;
  }
  if (limits_.rate_limited) {
    // Its own queue goes first. What the common rate will leave over is not known yet: that runs into the budget.
    const double ahead = known == peers_.end() ? 0 : static_cast<double>(known->second.queue.size());
    const Nanos own = bucket(peer, now).time_until(ahead + 1, now);
    if (own >= limits_.budget) {
      out.refused = Refusal::over_budget;
      return out;
    }
  }
  out.ticket = next_ticket_++;
  Ticket ticket;
  ticket.peer = peer;
  ticket.expires = now + limits_.budget;
  tickets_.emplace(out.ticket, std::move(ticket));
  Peer& state = peers_[peer];
  ++state.open;
  state.queue.push_back(out.ticket);
  ++waiting_;
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
  if (found->second.waiting) {
    --waiting_;
    auto& queue = peer->second.queue;
    queue.erase(std::find(queue.begin(), queue.end(), id));
  }
  if (--peer->second.open == 0) peers_.erase(peer);
  tickets_.erase(found);
}

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
  while (waiting_ > 0) {
    Peer* next = nullptr;
    const PeerId* name = nullptr;
    std::optional<MonoTime> soonest;
    for (auto& [id, peer] : peers_) {
      if (peer.queue.empty()) continue;
      const Nanos wait = limits_.rate_limited ? bucket(id, now).time_until(1, now) : Nanos(0);
      if (wait > Nanos(0)) {
        soonest = std::min(soonest.value_or(now + wait), now + wait);
      } else if (next == nullptr || peer.last_served < next->last_served) {
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
    next->queue.pop_front();
    next->last_served = ++served_;
    tickets_.at(ticket).waiting = false;
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
