#include "opstack/gossip/block_gossip.hpp"

#include <algorithm>
#include <utility>

#include "opstack/rules/topics.hpp"

namespace opstack::gossip {
namespace {

// Of version 1; the others differ in the version only.
rules::BlockRulesConfig rules_of(const BlockGossipConfig& config) {
  rules::BlockRulesConfig out;
  out.chain_id = config.chain_id;
  out.jovian_time = config.jovian_time;
  out.max_age = config.max_age;
  out.extra_rule = config.extra_rule;
  return out;
}

}  // namespace

libp2p::GossipsubConfig block_gossip_config(const chain::ChainId& chain_id, libp2p::gossipsub::Params params) {
  libp2p::GossipsubConfig config;
  config.router.params = params;
  config.router.message_id = [](std::string_view topic, ByteView data) -> libp2p::gossipsub::Named {
    auto message = rules::read_message(topic, data);
    return {*libp2p::gossipsub::MessageId::from(message.id), std::move(message.decompressed)};
  };
  config.router.unpacked_size = [](std::string_view, ByteView data) { return rules::announced_size(data); };
  config.router.topic_filter = [allowed = rules::blocks_topics(chain_id)](std::string_view topic) {
    return std::find(allowed.begin(), allowed.end(), topic) != allowed.end();
  };
  return config;
}

BlockGossip::BlockGossip(libp2p::runtime::Runtime& runtime, libp2p::GossipsubService& gossip, BlockGossipConfig config,
                         PayloadFn on_unsafe_payload)
    : runtime_(runtime),
      gossip_(gossip),
      pipeline_(runtime, config.queue),
      publisher_(gossip, runtime, rules_of(config), config.version_at) {
  for (std::size_t i = 0; i < rules::kVersions.size(); ++i) {
    rules::BlockRulesConfig rules = rules_of(config);
    rules.version = rules::kVersions[i];
    auto on_verdict = [this](const BlockVerdict& verdict) {
      if (events_.has_listeners()) events_.emit(verdict);
    };
    subscribers_[i] = std::make_unique<Subscriber>(gossip, runtime, pipeline_, signers_, std::move(rules),
                                                   std::move(on_verdict), on_unsafe_payload);
  }
  gossip_events_ = gossip_.subscribe([this](const libp2p::GossipsubEvent& event) {
    if (const auto* trace = std::get_if<libp2p::gossipsub::Trace>(&event)) on_trace(*trace);
  });
}

BlockGossip::~BlockGossip() {
  gossip_events_.reset();
  leave();
}

Result<void> BlockGossip::join() {
  for (std::size_t i = 0; i < subscribers_.size(); ++i) {
    const auto joined = subscribers_[i]->join();
    if (joined) continue;
    for (std::size_t done = 0; done < i; ++done) subscribers_[done]->leave();
    return joined.error().within("joining the topic " + subscribers_[i]->topic());
  }
  return {};
}

void BlockGossip::leave() {
  for (const auto& subscriber : subscribers_) subscriber->leave();
}

void BlockGossip::check() const {
  pipeline_.queue().check();
  for (const auto& subscriber : subscribers_) subscriber->check();
}

bool BlockGossip::is_ours(const std::string& topic) const {
  return std::any_of(subscribers_.begin(), subscribers_.end(),
                     [&topic](const auto& subscriber) { return subscriber->topic() == topic; });
}

void BlockGossip::on_trace(const libp2p::gossipsub::Trace& trace) {
  if (!events_.has_listeners() || !is_ours(trace.topic)) return;
  switch (trace.kind) {
    case libp2p::gossipsub::TraceKind::peer_joined: return events_.emit(PeerJoinedTopic{trace.peer, trace.topic});
    case libp2p::gossipsub::TraceKind::peer_left: return events_.emit(PeerLeftTopic{trace.peer, trace.topic});
    case libp2p::gossipsub::TraceKind::joined: return events_.emit(TopicJoined{trace.topic});
    case libp2p::gossipsub::TraceKind::left: return events_.emit(TopicLeft{trace.topic});
    case libp2p::gossipsub::TraceKind::graft: return events_.emit(PeerGrafted{trace.peer, trace.topic});
    case libp2p::gossipsub::TraceKind::prune:
      return events_.emit(PeerPruned{trace.peer, trace.topic, trace.prune, trace.score});
    case libp2p::gossipsub::TraceKind::duplicate: return events_.emit(CopyReceived{trace.peer, trace.id});
    default: return;
  }
}

}  // namespace opstack::gossip
