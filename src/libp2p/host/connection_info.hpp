// What is told of a connection: a copy of plain values, for snapshots and events. Thread: any.
#pragma once

#include <cstdint>

#include "libp2p/base/connection_id.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p {

struct ConnectionInfo {
  std::uint64_t id = 0;  // never reused
  PeerId peer;
  Direction direction = Direction::inbound;
  Multiaddr remote;  // without /p2p
  Multiaddr local;
  MonoTime opened;
  std::size_t streams = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

}  // namespace libp2p
