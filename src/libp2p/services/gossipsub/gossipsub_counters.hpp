// What a GossipsubService has given up or passed over, by cause, since its start. The router counts its own drops
// (gossipsub::Counters).
#pragma once

#include <cstdint>

namespace libp2p {

struct GossipsubCounters {
  std::uint64_t frames_timed_out = 0;       // GossipsubConfig::frame_timeout
  std::uint64_t frames_evicted = 0;         // GossipsubConfig::unfinished_bytes
  std::uint64_t validations_timed_out = 0;  // GossipsubConfig::validation_timeout
  std::uint64_t dials = 0;                  // begun
  std::uint64_t dials_dropped = 0;          // GossipsubConfig::max_waiting_dials
  std::uint64_t records_refused = 0;        // of peer exchange: not signed by the peer, or no records at all
  std::uint64_t troubles_not_told = 0;      // more than fit between two turns
};

}  // namespace libp2p
