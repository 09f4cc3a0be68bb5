// The invariants of the swarm's tables, for simulations and tests.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/swarm.hpp"

namespace libp2p {

void Swarm::check() const {
  half_open_.check();
  inbound_.check();
  rates_.check();
  handshakes_.check();
  std::size_t inbound = 0, half_open = 0, dialled = 0, listed = 0, unread = 0;
  for (const auto& [id, entry] : connections_) {
    OPP2P_CHECK(id < next_id_ && entry.connection->id() == id, "ids of connections grow and are never used again", id,
                next_id_);
    const bool is_inbound = entry.connection->direction() == Direction::inbound;
    inbound += is_inbound ? 1 : 0;
    half_open += is_inbound && !entry.open ? 1 : 0;
    dialled += !is_inbound && !entry.open ? 1 : 0;
    OPP2P_CHECK(inbound_.held(id) == (is_inbound ? 1 : 0) && half_open_.held(id) == (is_inbound && !entry.open ? 1 : 0),
                "each inbound connection has one place", id);
    if (entry.open) {
      const auto peer = peers_.find(entry.connection->peer());
      OPP2P_CHECK(peer != peers_.end() && std::count(peer->second.begin(), peer->second.end(), id) == 1,
                  "an open connection stands with its peer", id);
    }
    unread += entry.connection->unread();
    entry.connection->check();
  }
  for (const auto& [peer, ids] : peers_) {
    OPP2P_CHECK(!ids.empty(), "a peer has a connection", peer);
    listed += ids.size();
  }
  OPP2P_CHECK(inbound == inbound_.used() && half_open == half_open_.used() && dialled == pending_outbound_,
              "connections are counted by what they are", inbound, half_open, dialled, pending_outbound_);
  OPP2P_CHECK(listed == open_count(), "each open connection stands with its peer", listed, open_count());
  OPP2P_CHECK(unread <= unread_ && unread_ <= memory_.used(), "unread bytes are taken from the account", unread,
              unread_, memory_.used());
}

}  // namespace libp2p
