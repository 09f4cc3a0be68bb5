// Times in records: whole seconds since 1970, any number of 64 bits. Those beyond what UnixTime holds (the year 2262,
// or 1677) become its last or first moment. Pure.
#pragma once

#include "libp2p/base/time.hpp"

namespace libp2p::storage {

constexpr UnixTime saturated_unix_time(std::int64_t seconds) {
  constexpr auto kMost = std::chrono::floor<Seconds>(Nanos::max()).count();
  if (seconds >= kMost) return UnixTime::max();  // which is written as kMost, and read back as it was
  if (seconds < -kMost) return UnixTime::min();
  return from_unix_seconds(seconds);
}

// `time` and a duration that is not negative later; the last moment that there is when the sum is beyond it.
constexpr UnixTime saturated_sum(UnixTime time, Nanos later) {
  return time > UnixTime::max() - later ? UnixTime::max() : time + later;
}

}  // namespace libp2p::storage
