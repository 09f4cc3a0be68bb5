// Partial messages in the score, as go-libp2p-pubsub 0.19 counts the feedback of an application: a useful one as a
// first delivery, an invalid one as an invalid message. Who was the first to bring which part only the application
// knows.
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

namespace libp2p::gossipsub {

void PeerScorer::on_partial(const PeerId& peer, std::string_view topic, bool useful, Now) {
  const auto index = find_topic(topic);
  Row* const row = find(peer);
  if (!index || row == nullptr) return;
  useful ? count_first(*row, *index) : count_invalid(*row, *index);
}

}  // namespace libp2p::gossipsub
