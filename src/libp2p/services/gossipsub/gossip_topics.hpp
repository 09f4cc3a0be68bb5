// The topics that the application has joined through a GossipsubService, each with its validator and its subscriber,
// and the own publications whose verdict somebody waits for. It asks validators what the router wants to know and gives
// the router their answers.
//
// Owner: GossipsubService. Thread: the network thread. Bounds: what the application joins; waiting publications are
// those that the router validates (Params). Re-entrancy: the on_… functions call the application, and come from
// GossipDrain's turn alone; the application may leave the topic or end the service in them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "libp2p/base/life_token.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/gossip_drain.hpp"
#include "libp2p/services/gossipsub/gossipsub_callbacks.hpp"

namespace libp2p {

class GossipTopics {
 public:
  GossipTopics(runtime::Runtime& runtime, gossipsub::Router& router, GossipDrain& drain, const LifeToken& life);
  GossipTopics(const GossipTopics&) = delete;
  GossipTopics& operator=(const GossipTopics&) = delete;

  // See GossipsubService.
  Result<void> join(const std::string& topic, GossipsubValidator validator, GossipsubSubscriber subscriber);
  Result<void> relay(const std::string& topic, GossipsubValidator validator);
  void leave(const std::string& topic);
  Result<gossipsub::Publication> publish(std::string_view topic, ByteView data, gossipsub::LocalCheck check,
                                         GossipsubPublishedFn published);

  void on_validate(const gossipsub::Validate& action);
  void on_deliver(const gossipsub::Deliver& action);
  void on_published(const gossipsub::Published& action);

  // Gives the router a verdict. Nothing when the request is not open any more.
  void answer(gossipsub::RequestId request, gossipsub::ValidationResult verdict,
              gossipsub::Router::Blame blame = gossipsub::Router::Blame::sender);
  void clear();

 private:
  struct Topic {
    GossipsubValidator validator;
    GossipsubSubscriber subscriber;
    bool relayed = false;  // only
  };
  Now now() const { return runtime_.now(); }

  runtime::Runtime& runtime_;
  gossipsub::Router& router_;
  GossipDrain& drain_;
  const LifeToken& life_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::map<gossipsub::RequestId, GossipsubPublishedFn> publishing_;
};

}  // namespace libp2p
