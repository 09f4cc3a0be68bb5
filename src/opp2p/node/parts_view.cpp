#include "opp2p/node/parts_view.hpp"

#include <algorithm>

#include "opstack/rules/topics.hpp"

namespace opp2p {

bool PartsView::dialled(const libp2p::PeerId& peer) const {
  if (!parts_.host) return false;
  const auto connections = parts_.host->connections(peer);
  return std::any_of(connections.begin(), connections.end(),
                     [](const auto& connection) { return connection.direction == libp2p::Direction::outbound; });
}

std::size_t PartsView::topic_peers() const {
  if (!parts_.gossip) return 0;
  std::size_t most = 0;
  for (const auto& topic : opstack::rules::blocks_topics(config_.rollup.l2_chain_id))
    most = std::max(most, parts_.gossip->router().subscribers(topic).size());
  return most;
}

}  // namespace opp2p
