// The invariants of Swarm. Those of InboundAdmission and UnreadMemory, which share its table, are checked with them.
// For simulations and tests.
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

}  // namespace libp2p
