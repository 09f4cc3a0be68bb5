// What a host has turned away, by cause, since its start (Host::counters). Each counter names the limit that it belongs
// to. Plain values.
#pragma once

#include <cstdint>

namespace libp2p {

struct HostCounters {
  std::uint64_t refused_pending_inbound = 0;       // Limits::pending_inbound
  std::uint64_t evicted_pending_inbound = 0;       // half-open ones that made room for a newcomer
  std::uint64_t refused_inbound_connections = 0;   // Limits::inbound_connections
  std::uint64_t evicted_inbound_connections = 0;   // unproven ones that made room for a newcomer
  std::uint64_t refused_per_address = 0;           // Limits::connections_per_address
  std::uint64_t refused_per_ip6_48 = 0;            // Limits::connections_per_ip6_48
  std::uint64_t refused_address_rate = 0;          // Limits::address_rate
  std::uint64_t refused_ip6_48_rate = 0;           // Limits::ip6_48_rate
  std::uint64_t delayed_handshakes = 0;            // Limits::handshakes
  std::uint64_t refused_connections_per_peer = 0;  // Limits::connections_per_peer
  std::uint64_t refused_pending_dials = 0;         // Limits::pending_dials
  std::uint64_t denied_by_gater = 0;
  std::uint64_t closed_by_gater = 0;    // connections and dials under way that a new rule ended
  std::uint64_t failed_handshakes = 0;  // inbound
  std::uint64_t failed_dials = 0;       // whole dials, not addresses
  std::uint64_t abandoned_dials = 0;    // nobody waited for them any more
  std::uint64_t trimmed = 0;
  std::uint64_t reset_for_memory = 0;  // streams whose unread bytes others needed the room of
};

}  // namespace libp2p
