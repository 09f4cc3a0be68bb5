// Settings and reports have times in seconds, as people write them; the world has them in nanoseconds. Pure functions.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "libp2p/base/seconds.hpp"

namespace opp2p::sim::attacks {

inline libp2p::Nanos nanos(double seconds) {
  return libp2p::Nanos(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}
// Seconds since the start of the run.
inline libp2p::MonoTime time_of(double seconds) { return libp2p::MonoTime(nanos(seconds)); }

inline double seconds(libp2p::Nanos time) { return libp2p::seconds_of(time); }
inline double seconds(libp2p::MonoTime time) { return seconds(time.time_since_epoch()); }

// "99.97%".
inline std::string percent(double share) { return fmt::format("{:.2f}%", share * 100); }
// "355 ms"; "never" for a time that is infinite.
inline std::string milliseconds(double seconds) {
  return std::isfinite(seconds) ? fmt::format("{:.0f} ms", seconds * 1000) : std::string("never");
}

}  // namespace opp2p::sim::attacks
