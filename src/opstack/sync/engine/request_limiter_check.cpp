// The invariants of the limiter, for simulations, fuzzers and tests.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "opstack/sync/engine/request_limiter.hpp"

namespace opstack::sync {

void RequestLimiter::check() const {
  open_.check();
  buckets_.check();
  for (const auto& [peer, bucket] : buckets_) bucket.check();
  global_.check();
  std::size_t waiting = 0;
  for (const auto& [id, ticket] : tickets_) {
    OPP2P_CHECK(id < next_ticket_, "tickets grow and are never used again", id, next_ticket_);
    const auto peer = peers_.find(ticket.peer);
    OPP2P_CHECK(peer != peers_.end(), "a peer with an open request is known", id);
    const auto& queue = peer->second.queue;
    OPP2P_CHECK(std::count(queue.begin(), queue.end(), id) == (ticket.waiting ? 1 : 0),
                "exactly the requests that wait are in the queue of their peer", id, ticket.waiting);
    waiting += ticket.waiting ? 1 : 0;
  }
  OPP2P_CHECK(waiting == waiting_, "requests that wait are counted", waiting, waiting_);
  OPP2P_CHECK(open_.used() == tickets_.size() && tickets_.size() <= limits_.max_total,
              "each open request has a place, and those are bounded", open_.used(), tickets_);
  OPP2P_CHECK(peers_.size() == open_.holders().size(), "a peer is known while it has an open request", peers_);
  for (const auto& [id, peer] : peers_) check_peer(id, peer);
  std::size_t in_groups = 0;
  for (const auto& [key, group] : groups_) {
    OPP2P_CHECK(group.peers > 0 && group.last_served <= served_, "a group has peers, which were served in the past",
                key, group.peers, group.last_served);
    in_groups += group.peers;
  }
  OPP2P_CHECK(in_groups == peers_.size(), "each peer is in one group", in_groups, peers_);
  check_decisions();
  OPP2P_CHECK(waiting_ == 0 || next_deadline().has_value(), "a request that waits has a deadline", waiting_);
}

void RequestLimiter::check_peer(const PeerId& id, const Peer& peer) const {
  const std::size_t held = open_.held(id);
  OPP2P_CHECK(held > 0 && held <= limits_.max_per_peer, "the places of a peer are bounded", id, held);
  OPP2P_CHECK(peer.blocks.narrow.empty() || open_.held_by(peer.blocks.narrow) <= limits_.max_per_address,
              "the places of an address are bounded", id, peer.blocks.narrow);
  OPP2P_CHECK(peer.blocks.wide.empty() || open_.held_by(peer.blocks.wide) <= limits_.max_per_site,
              "the places of a site are bounded", id, peer.blocks.wide);
  OPP2P_CHECK(open_.holders().at(id).blocks == peer.blocks, "a peer keeps the addresses that it came with", id);
  const auto group = groups_.find(group_key(id, peer.blocks));
  OPP2P_CHECK(group != groups_.end() && &group->second == peer.group, "a peer is in the group of its address", id);
  OPP2P_CHECK(peer.last_served <= served_, "turns were in the past", id, peer.last_served, served_);
  OPP2P_CHECK(std::is_sorted(peer.queue.begin(), peer.queue.end()), "requests wait in the order of their arrival", id);
  for (const TicketId ticket : peer.queue) {
    const auto open = tickets_.find(ticket);
    OPP2P_CHECK(open != tickets_.end() && open->second.waiting && open->second.peer == id,
                "what is queued is a request of the peer that waits", id, ticket);
  }
}

void RequestLimiter::check_decisions() const {
  std::vector<TicketId> decided;
  for (const Decision& decision : decisions_) {
    const auto ticket = tickets_.find(decision.ticket);
    if (decision.refused == Refusal::none) {
      OPP2P_CHECK(ticket != tickets_.end() && !ticket->second.waiting, "who may go ahead does not wait any more",
                  decision.ticket);
    } else {
      OPP2P_CHECK(ticket == tickets_.end(), "who is refused has no place any more", decision.ticket);
    }
    decided.push_back(decision.ticket);
  }
  std::sort(decided.begin(), decided.end());
  OPP2P_CHECK(std::adjacent_find(decided.begin(), decided.end()) == decided.end(), "a request is decided once",
              decided);
}

}  // namespace opstack::sync
