// What a peer said on the stream that it writes to. It says it once; when only the stream that we write to is a new one
// the service takes the peer out of the router and puts it in again, and what was heard is carried over.
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {

Router::Heard Router::heard(const PeerId& id) const {
  Heard out;
  const Peer* const peer = peers_.find(id);
  if (peer == nullptr) return out;
  out.since = peer->added;
  out.had_first_rpc = peer->had_first_rpc;
  out.speaks_partial = peer->speaks_partial;
  for (const std::string& topic : peer->topics) {
    const auto use = peer->partial.find(topic);
    out.topics.emplace(topic, use == peer->partial.end() ? PartialUse::none : use->second);
  }
  return out;
}

void Router::restore(const PeerId& id, const Heard& heard, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  PeerKey key = 0;
  Peer* const peer = peers_.find(id, &key);
  if (peer == nullptr) return;
  Rpc again;
  for (const auto& [topic, use] : heard.topics) {
    SubOpts& subscription = again.subscriptions.emplace_back();
    subscription.subscribe = true;
    subscription.topic = topic;
    subscription.requests_partial = use == PartialUse::requests;
    subscription.supports_sending_partial = use != PartialUse::none;
  }
  handle_subscriptions(key, *peer, again, now);
  peer->added = heard.since;  // it has not restarted
  peer->had_first_rpc = heard.had_first_rpc;
  peer->speaks_partial = heard.speaks_partial;
}

}  // namespace libp2p::gossipsub
