// Whether a node follows its chain: it does while its head is at most max(10 blocks, 60 s) old. A node that is alive
// but behind is not ready (/readyz answers 503), yet it must not be restarted for that (/healthz answers 200):
// otherwise an outage of the sequencer would restart every node. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libp2p/base/time.hpp"

namespace opp2p {

// How long ago the head's timestamp was; zero for one that is ahead of our clock.
libp2p::Seconds head_age(std::uint64_t timestamp, libp2p::UnixTime now);

// From which age on a head is too old: max(10 blocks, 60 s). Both in seconds.
std::uint64_t stale_after(std::uint64_t block_time);

// So many blocks in a row with the wrong time are an error of the configuration.
inline constexpr std::uint64_t kWrongInARow = 16;

// Of HeadClock.
struct WrongTimes {
  std::uint64_t in_a_row = 0;
  std::optional<std::uint64_t> observed_block_time;  // seconds
};

struct Health {
  bool ok = true;
  std::string why;  // it is not ok
};

// `block_time` in seconds. Without a head the node is not ready, nor with kWrongInARow wrong times.
Health health_of(std::optional<std::uint64_t> head_timestamp, std::uint64_t block_time, libp2p::UnixTime now,
                 const WrongTimes& wrong = {});

}  // namespace opp2p
