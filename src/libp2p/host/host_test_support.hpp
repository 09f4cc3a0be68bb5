// For the tests of the host's parts: addresses from their texts, and the time at which a test begins.
#pragma once

#include <string_view>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/multiaddr.hpp"

namespace libp2p::testing_host {

inline constexpr MonoTime kStart{Seconds(1000)};

inline Multiaddr address(std::string_view text) { return Multiaddr::from_text(text).value(); }

}  // namespace libp2p::testing_host
