// The connections of a swarm by id, half-open and open. Swarm changes the table; InboundAdmission and UnreadMemory read
// it and may close what stands there. A connection stays in it from on_half_open to on_closed.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/seams/connection.hpp"

namespace libp2p {

struct SwarmEntry {
  std::unique_ptr<Connection> connection;
  AddressBlocks blocks;
  bool open = false;
  std::optional<MonoTime> handshake_due;  // of a handshake that waits for Limits::handshakes
};

using SwarmTable = std::map<ConnectionId, SwarmEntry>;

}  // namespace libp2p
