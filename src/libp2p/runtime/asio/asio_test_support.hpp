// For the tests that use the operating system's sockets and timers.
#pragma once

#include "libp2p/base/time.hpp"

namespace libp2p::runtime::testing_asio {

// What a test waits at most for something that happens at once on an idle machine.
inline constexpr Nanos kLimit = Seconds(20);

}  // namespace libp2p::runtime::testing_asio
