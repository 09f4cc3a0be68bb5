// Partial messages in the score, as go-libp2p-pubsub 0.19 counts the feedback of an application: a useful one as a
// first delivery, an invalid one as an invalid message. Who was the first to bring which part only the application
// knows.
#include <algorithm>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

namespace libp2p::gossipsub {

void PeerScorer::on_partial(const PeerId& peer, std::string_view topic, bool useful, Now) {
  const auto index = find_topic(topic);
  Row* const row = find(peer);
  if (!index || row == nullptr) return;
  if (!useful) return count_invalid(*row, *index);
  double& first = counters(*row, *index).first_deliveries;
  first = std::min(first + 1, topics_[*index].params.first_message_deliveries_cap);
  count_mesh(*row, *index);
}

}  // namespace libp2p::gossipsub
