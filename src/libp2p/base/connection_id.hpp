// What names a connection from outside: its id, and which side has opened it. No thread, no bounds.
#pragma once

#include <cstdint>
#include <string_view>

namespace libp2p {

using ConnectionId = std::uint64_t;  // given by the owner, never reused

enum class Direction : std::uint8_t { inbound, outbound };
constexpr std::string_view to_string(Direction direction) {
  return direction == Direction::inbound ? "inbound" : "outbound";
}

}  // namespace libp2p
