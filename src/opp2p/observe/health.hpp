// Whether a node follows its chain: it does when its head is not older than max(10 blocks, 60 s). A node that is alive
// but behind is not ready (/readyz gives 503), and must not be restarted for it (/healthz gives 200): a sequencer's
// outage would restart every node.
//
// HeadClock: set by the node on the network thread, read from any; one atomic, so that a busy network thread does not
// hold up a probe. The rest are pure functions.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "libp2p/base/time.hpp"

namespace opp2p {

class HeadClock {
 public:
  // Seconds since 1970, of the head's timestamp.
  void set(std::uint64_t timestamp) { timestamp_.store(timestamp, std::memory_order_relaxed); }
  std::optional<std::uint64_t> get() const;

 private:
  static constexpr std::uint64_t kNone = UINT64_MAX;
  std::atomic<std::uint64_t> timestamp_{kNone};
};

// How long ago the head's timestamp was; zero for one that is ahead of our clock.
libp2p::Seconds head_age(std::uint64_t timestamp, libp2p::UnixTime now);

// From which age on a head is too old: max(10 blocks, 60 s). Both in seconds.
std::uint64_t stale_after(std::uint64_t block_time);

struct Health {
  bool ok = true;
  std::string why;  // it is not ok
};

// `block_time` in seconds. Without a head the node is not ready.
Health health_of(std::optional<std::uint64_t> head_timestamp, std::uint64_t block_time, libp2p::UnixTime now);

}  // namespace opp2p
