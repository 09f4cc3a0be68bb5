// The error of a limit that is reached: "256 inbound connections is the limit (Limits::inbound_connections)".
#pragma once

#include <cstddef>
#include <string_view>

#include "libp2p/base/result.hpp"

namespace libp2p {

Error limit_error(std::string_view what, std::size_t value, std::string_view name);

}  // namespace libp2p
