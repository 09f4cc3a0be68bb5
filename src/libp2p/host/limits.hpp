// The bounds of a host (HostConfig::limits). Each error that a limit causes names the limit, its value and the option
// that sets it; HostCounters counts what each has turned away. Plain values.
//
// The address blocks are those of libp2p/multiformats/address_blocks.hpp: an IPv4 address or a /56 of IPv6, and a /48
// of IPv6. Loopback, exempt addresses and the memory transport belong to none; other addresses without an IP share one.
#pragma once

#include <cstddef>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/host/connection_rates.hpp"
#include "libp2p/multiformats/cidr.hpp"

namespace libp2p {

struct Limits {
  // --- inbound connections ---
  // When all places are taken, a newcomer evicts a connection of a peer that is neither proven nor protected, from the
  // address block that holds most.
  std::size_t inbound_connections = 256;
  std::size_t connections_per_peer = 8;
  // Of one address block, the half-open included, and how fast new ones may come. The figures are go-libp2p's.
  std::size_t connections_per_address = 8;  // an IPv4 address or a /56 of IPv6
  std::size_t connections_per_ip6_48 = 64;
  RateLimit address_rate{0.2, 16};
  RateLimit ip6_48_rate{0.5, 80};
  std::vector<Cidr> exempt;  // addresses without a share, as loopback has none

  // --- half-open connections: accepted, not yet secured ---
  // When all places are taken, a newcomer evicts a connection of the address block that holds most: one that has sent
  // nothing before one that has, then the one without progress for longest. When no block holds more than the
  // newcomer's, a connection is evicted only if it has been without progress for pending_patience, or for
  // pending_silence if it has sent nothing; a peer that dials sends at once.
  std::size_t pending_inbound = 64;
  Nanos pending_patience = Seconds(1);
  Nanos pending_silence = Millis(100);
  RateLimit handshakes{500, 250};  // of all inbound connections; beyond it they wait
  Nanos handshake_timeout = Seconds(10);

  // --- dials ---
  std::size_t pending_dials = 160;
  Nanos dial_timeout = Seconds(10);  // per address

  // --- streams and memory ---
  std::size_t streams_per_connection = 1000;  // inbound
  Nanos negotiation_timeout = Seconds(10);    // of a stream
  std::size_t stream_send_queue = 1 << 20;    // bytes
  std::size_t connection_memory = 32 << 20;   // receive windows of all streams of a connection, bytes
  std::size_t memory = 64 << 20;              // bytes of all that strangers can make the host remember (Host::memory)
};

}  // namespace libp2p
