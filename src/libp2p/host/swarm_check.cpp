// The invariants of Swarm, InboundAdmission and UnreadMemory, which share a table. For simulations and tests.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/swarm.hpp"

namespace libp2p {

void Swarm::check() const {
  admission_.check();
  unread_.check();
  std::size_t open = 0, dialled = 0, listed = 0;
  for (const auto& [id, entry] : connections_) {
    OPP2P_CHECK(id < next_id_ && entry.connection->id() == id, "ids of connections grow and are never used again", id,
                next_id_);
    if (entry.open) {
      const auto peer = peers_.find(entry.connection->peer());
      OPP2P_CHECK(peer != peers_.end() && std::count(peer->second.begin(), peer->second.end(), id) == 1,
                  "an open connection stands with its peer", id);
      ++open;
    } else if (entry.connection->direction() == Direction::outbound) {
      ++dialled;
    }
    entry.connection->check();
  }
  for (const auto& [peer, ids] : peers_) {
    OPP2P_CHECK(!ids.empty(), "a connected peer has a connection", peer);
    listed += ids.size();
  }
  OPP2P_CHECK(dialled == pending_outbound_, "half-open outbound connections are counted", dialled, pending_outbound_);
  OPP2P_CHECK(open == listed && open == open_count(), "each open connection stands with its peer, once", open, listed,
              open_count());
}

void InboundAdmission::check() const {
  std::size_t inbound = 0, half_open = 0;
  for (const auto& [id, entry] : table_) {
    const bool is_inbound = entry.connection->direction() == Direction::inbound;
    const bool is_half_open = is_inbound && !entry.open;
    OPP2P_CHECK(inbound_.held(id) == (is_inbound ? 1 : 0), "each inbound connection has one place", id);
    OPP2P_CHECK(half_open_.held(id) == (is_half_open ? 1 : 0), "each half-open one has one place among those", id);
    inbound += is_inbound ? 1 : 0;
    half_open += is_half_open ? 1 : 0;
  }
  OPP2P_CHECK(inbound == inbound_.used() && half_open == half_open_.used(), "no place is held by what has gone",
              inbound, inbound_.used(), half_open, half_open_.used());
}

void UnreadMemory::check() const {
  std::size_t unread = 0;
  for (const auto& [id, entry] : table_) unread += entry.connection->unread();
  OPP2P_CHECK(unread <= taken_ && taken_ <= memory_.used(), "unread bytes are taken from the account", unread, taken_,
              memory_.used());
}

}  // namespace libp2p
