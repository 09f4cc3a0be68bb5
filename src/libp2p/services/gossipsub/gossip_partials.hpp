// Partial messages of a GossipsubService (libp2p/protocols/gossipsub/partial_messages.hpp): who of the application
// hears of which topic.
//
// Owner: GossipsubService. Thread: the network thread. Bounds: what the application enables; the router's
// PartialParams. Re-entrancy: the on_… functions call the application, and come from GossipDrain's turn alone; the
// application may publish, disable the topic or end the service in them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/gossip_drain.hpp"
#include "libp2p/services/gossipsub/gossipsub_callbacks.hpp"

namespace libp2p {

class GossipPartials {
 public:
  GossipPartials(runtime::Runtime& runtime, gossipsub::Router& router, GossipDrain& drain)
      : runtime_(runtime), router_(router), drain_(drain) {}
  GossipPartials(const GossipPartials&) = delete;
  GossipPartials& operator=(const GossipPartials&) = delete;

  // See GossipsubService.
  Result<void> enable(const std::string& topic, GossipsubPartialHandler handler);
  void disable(const std::string& topic);
  Result<std::size_t> publish(std::string_view topic, ByteView group, const gossipsub::PartialPartsFn& parts);
  void judge(const PeerId& peer, std::string_view topic, gossipsub::Router::PartialVerdict verdict);

  void on_received(const gossipsub::PartialReceived& action);
  void on_gossip(const gossipsub::PartialGossip& action);
  void clear() { handlers_.clear(); }

 private:
  runtime::Runtime& runtime_;
  gossipsub::Router& router_;
  GossipDrain& drain_;
  std::map<std::string, GossipsubPartialHandler, std::less<>> handlers_;
};

}  // namespace libp2p
