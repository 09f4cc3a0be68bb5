#include "libp2p/services/gossipsub/gossip_partials.hpp"

#include <utility>

namespace libp2p {

Result<void> GossipPartials::enable(const std::string& topic, GossipsubPartialHandler handler) {
  if (!handler.on_received || handler.use == gossipsub::PartialUse::none) {
    return fail(Errc::invalid_argument, "partial messages of " + topic + " need a use and a function that takes them");
  }
  OPP2P_TRYV(router_.set_partial(topic, handler.use, runtime_.now()));
  std::swap(handlers_[topic], handler);  // what the old one holds may call back when it goes
  drain_.schedule();
  return {};
}

void GossipPartials::disable(const std::string& topic) {
  const auto gone = handlers_.extract(topic);
  if (gone.empty()) return;
  static_cast<void>(router_.set_partial(topic, gossipsub::PartialUse::none, runtime_.now()));
  drain_.schedule();
}

Result<std::size_t> GossipPartials::publish(std::string_view topic, ByteView group,
                                            const gossipsub::PartialPartsFn& parts) {
  auto sent = router_.publish_partial(topic, group, parts, runtime_.now());
  drain_.schedule();
  return sent;
}

void GossipPartials::judge(const PeerId& peer, std::string_view topic, gossipsub::Router::PartialVerdict verdict) {
  router_.judge_partial(peer, topic, verdict, runtime_.now());
  drain_.schedule();
}

void GossipPartials::on_received(const gossipsub::PartialReceived& action) {
  const auto found = handlers_.find(action.topic);
  if (found == handlers_.end()) return;
  const auto hear = found->second.on_received;  // it may disable the topic
  hear(action);
}

void GossipPartials::on_gossip(const gossipsub::PartialGossip& action) {
  const auto found = handlers_.find(action.topic);
  if (found == handlers_.end() || !found->second.on_gossip) return;
  const auto hear = found->second.on_gossip;
  hear(action);
}

}  // namespace libp2p
