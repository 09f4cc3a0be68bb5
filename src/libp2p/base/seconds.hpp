// A span of time as a real number of seconds, for metrics, reports and texts.
#pragma once

#include <chrono>

#include "libp2p/base/time.hpp"

namespace libp2p {

constexpr double seconds_of(Nanos span) { return std::chrono::duration<double>(span).count(); }

}  // namespace libp2p
