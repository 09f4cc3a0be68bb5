// Time as data. No engine reads a clock: the driver passes a Now into every input. Timers use `mono`, which never goes
// back; block age, bans, records and grace periods use `wall`, which may jump. The two are different types, so that one
// cannot be taken for the other.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace libp2p {

using Nanos = std::chrono::nanoseconds;
using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

struct MonoTag {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Nanos;
  static constexpr bool is_steady = true;
};
struct WallTag {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Nanos;
  static constexpr bool is_steady = false;
};

using MonoTime = std::chrono::time_point<MonoTag, Nanos>;
// Since 1970-01-01 00:00:00 UTC.
using UnixTime = std::chrono::time_point<WallTag, Nanos>;

struct Now {
  MonoTime mono;
  UnixTime wall;

  friend Now operator+(Now now, Nanos d) { return {now.mono + d, now.wall + d}; }
};

// Whole seconds since 1970, rounded down: what a block's timestamp is compared with.
constexpr std::int64_t unix_seconds(UnixTime t) { return std::chrono::floor<Seconds>(t.time_since_epoch()).count(); }
constexpr UnixTime from_unix_seconds(std::int64_t s) { return UnixTime(Seconds(s)); }

}  // namespace libp2p
