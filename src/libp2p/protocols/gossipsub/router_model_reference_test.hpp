// What the model expects of the router in the step that is played, and how an event changes the model. Where the
// specification leaves a choice, it looks at the router's and requires that it is one of the allowed ones. What peers
// say is in router_model_heard_test.hpp, what happens by time in router_model_time_test.hpp; the calls of the
// application are in the fuzz target itself. Owned by the fuzz run, as the model, the watch and the clock that it
// refers to.
#pragma once

#include "libp2p/protocols/gossipsub/router_model_watch_test.hpp"

namespace libp2p::gossipsub::model {

struct Reference {
  Model& model;
  RouterWatch& watch;
  const Now& now;
  Outcome expected = {};  // of this step
  Peers may_dial = {};    // of these the router may choose
  RequestId last_request = 0;

  void begin_step() {
    expected = {};
    may_dial.clear();
  }

  // Our stream to the peer is a new one.
  void expect_hello(const PeerId& peer) {
    watch.on_new_stream(peer);
    for (const auto& [name, topic] : model.topics) {
      if (topic.joined) expected.sent[peer].subscriptions[name] = {true, model.own_partial(name)};
    }
    expected.sent[peer].extensions = model.peers.at(peer).version == ProtocolVersion::v1_3;
  }
  void expect_prune(const PeerId& to, const std::string& name, Nanos length, bool exchange) {
    const bool has_room = model.params.rpc.max_sent_control > kNarrowControl;
    const std::size_t nameable = exchange && has_room ? model.nameable(name, to).size() : 0;
    expected.sent[to].prunes.emplace(name, model.told_backoff(to, length),
                                     std::min(nameable, model.params.mesh.prune_peers));
  }
  void expect_validation(const Pending& message, RequestId request) {
    model.see(message.id, Seen::validating, now.mono);
    model.pending[request] = message;
    last_request = std::max(last_request, request);
    expected.validations.insert(request);
  }

  void spread(const Pending& message) {
    choose_fanout(message.topic);
    model.spread(message, expected.sent);
  }
  void choose_fanout(const std::string& name) {
    KnownTopic& topic = model.topics[name];
    if (topic.joined) return;
    const Peers possible = model.choosable(name, model.params.thresholds.publish);
    const Peers chosen = watch.fanout_of(name);
    if (topic.fanout.empty()) {
      require(chosen.size() == std::min(topic.sizes.degree, possible.size()));
      require(std::includes(possible.begin(), possible.end(), chosen.begin(), chosen.end()));
    } else {
      require(chosen == topic.fanout);
    }
    topic.fanout = chosen;
    if (model.has_subscribers(name)) topic.published = now.mono;
  }
};

}  // namespace libp2p::gossipsub::model
