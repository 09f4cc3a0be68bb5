#include "libp2p/services/gossipsub/gossip_topics.hpp"

#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

using gossipsub::ValidationResult;

GossipTopics::GossipTopics(runtime::Runtime& runtime, gossipsub::Router& router, GossipDrain& drain,
                           const LifeToken& life)
    : runtime_(runtime), router_(router), drain_(drain), life_(life) {}

void GossipTopics::clear() {
  publishing_.clear();
  topics_.clear();
}

Result<void> GossipTopics::join(const std::string& topic, GossipsubValidator validator,
                                GossipsubSubscriber subscriber) {
  if (topics_.contains(topic)) return fail(Errc::invalid_argument, "the topic " + topic + " is joined already");
  OPP2P_TRYV(router_.subscribe(topic, now()));
  topics_.emplace(topic, Topic{std::move(validator), std::move(subscriber)});
  drain_.schedule();
  return {};
}

Result<void> GossipTopics::relay(const std::string& topic, GossipsubValidator validator) {
  if (topics_.contains(topic)) return fail(Errc::invalid_argument, "the topic " + topic + " is joined already");
  OPP2P_TRYV(router_.relay(topic, now()));
  topics_.emplace(topic, Topic{std::move(validator), nullptr, true});
  drain_.schedule();
  return {};
}

void GossipTopics::leave(const std::string& topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  const bool relayed = found->second.relayed;
  topics_.erase(found);
  relayed ? router_.stop_relaying(topic, now()) : router_.unsubscribe(topic, now());
  drain_.schedule();
}

Result<gossipsub::Publication> GossipTopics::publish(std::string_view topic, ByteView data, gossipsub::LocalCheck check,
                                                     GossipsubPublishedFn published) {
  auto publication = router_.publish(topic, data, check, now());
  if (publication && publication->request != 0 && published) {
    const bool fresh = publishing_.emplace(publication->request, std::move(published)).second;
    OPP2P_ASSERT(fresh, "the router never uses a request id twice", publication->request);
  }
  drain_.schedule();
  return publication;
}

void GossipTopics::answer(gossipsub::RequestId request, ValidationResult verdict, gossipsub::Router::Blame blame) {
  if (router_.on_validation(request, verdict, now(), blame)) drain_.schedule();
}

void GossipTopics::on_validate(const gossipsub::Validate& action) {
  const auto topic = topics_.find(action.topic);
  if (topic == topics_.end()) {
    return answer(action.request, ValidationResult::ignore, gossipsub::Router::Blame::nobody);
  }
  if (!topic->second.validator) return answer(action.request, ValidationResult::accept);
  const GossipsubValidator validator = topic->second.validator;  // it may leave the topic
  validator(action,
            life_.guard([this, request = action.request](ValidationResult verdict) { answer(request, verdict); }));
}

void GossipTopics::on_deliver(const gossipsub::Deliver& action) {
  const auto topic = topics_.find(action.topic);
  if (topic == topics_.end() || !topic->second.subscriber) return;
  const GossipsubSubscriber subscriber = topic->second.subscriber;  // it may leave the topic
  subscriber(action);
}

void GossipTopics::on_published(const gossipsub::Published& action) {
  auto waiting = publishing_.extract(action.request);
  if (!waiting.empty()) waiting.mapped()(action);
}

}  // namespace libp2p
