#include "opp2p/node/node_event.hpp"

#include <iterator>

namespace opp2p {

std::string_view refusal_id(RefusalKind kind) {
  constexpr std::string_view kIds[] = {"limit", "gater", "handshake"};
  static_assert(std::size(kIds) == kRefusalKinds);
  return kIds[static_cast<std::size_t>(kind)];
}

}  // namespace opp2p
