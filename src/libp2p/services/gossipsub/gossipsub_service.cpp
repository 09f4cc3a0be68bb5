#include "libp2p/services/gossipsub/gossipsub_service.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/life_token.hpp"
#include "libp2p/services/gossipsub/gossip_deadlines.hpp"
#include "libp2p/services/gossipsub/gossip_dials.hpp"
#include "libp2p/services/gossipsub/gossip_drain.hpp"
#include "libp2p/services/gossipsub/gossip_events.hpp"
#include "libp2p/services/gossipsub/gossip_partials.hpp"
#include "libp2p/services/gossipsub/gossip_peers.hpp"
#include "libp2p/services/gossipsub/gossip_topics.hpp"
#include "libp2p/services/gossipsub/score_inspector.hpp"
#include "libp2p/services/peer_records.hpp"
#include "libp2p/services/stream_tools.hpp"

namespace libp2p {

using runtime::Task;

namespace {

std::string mesh_tag(std::string_view topic) { return "gossipsub:" + std::string(topic); }

// Numbers of messages grow over restarts: they begin with the time.
std::unique_ptr<gossipsub::Signatures> keys_for(const gossipsub::Router::Config& config, Host& host) {
  if (config.signatures != nullptr || !config.policies.need_keys()) return nullptr;
  const auto wall = std::max<std::int64_t>(host.runtime().now().wall.time_since_epoch().count(), 0);
  return std::make_unique<gossipsub::KeySignatures>(host.identity(), static_cast<std::uint64_t>(wall));
}

// What the router gets of the service: its direct peers, the records of the peerstore, and the host's key.
GossipsubConfig completed(GossipsubConfig config, Host& host, gossipsub::Signatures* keys) {
  if (config.router.signatures == nullptr) config.router.signatures = keys;
  config.router.tracing = config.tracer != nullptr;
  for (const GossipDirectPeer& direct : config.direct) config.router.direct.insert(direct.peer);
  if (!config.router.signed_record) {
    config.router.signed_record = [&host](const PeerId& peer) { return newest_peer_record(host.peerstore(), peer); };
  }
  return config;
}

}  // namespace

// What the service consists of, and who hears what: the host's events, and the router's actions in the drain's turns.
class GossipsubService::Parts final : private GossipDrain::Work {
 public:
  Parts(Host& host, GossipsubConfig settings, gossipsub::PeerScores& scores);
  ~Parts() override { shut(); }
  void shut();
  bool is_shut() const { return shut_; }
  Task<void> close();
  Now now() const { return host_.runtime().now(); }

 private:
  // --- GossipDrain::Work ---
  void tell_troubles() override { events.tell_troubles(); }
  void carry_out(gossipsub::Action& action) override {
    std::visit([this](auto& kind) { act(kind); }, action);
  }
  void pump(const PeerId& peer) override { peers.pump(peer); }

  void act(const gossipsub::SendReady& action) { peers.on_send_ready(action.peer); }
  void act(const gossipsub::Validate& action) { topics.on_validate(action); }
  void act(const gossipsub::Deliver& action) { topics.on_deliver(action); }
  void act(const gossipsub::Published& action) { topics.on_published(action); }
  void act(const gossipsub::Connect& action) { dials.dial(action); }
  void act(const gossipsub::PartialReceived& action) { partials.on_received(action); }
  void act(const gossipsub::PartialGossip& action) { partials.on_gossip(action); }
  void act(gossipsub::Fault& action) { events.emit(action); }
  void act(gossipsub::Trace& action);
  void act(const gossipsub::RpcTrace& action);

  void on(const PeerConnected& event) { peers.on_connected(event); }
  void on(const PeerDisconnected& event) { peers.on_disconnected(event); }
  void on(const PeerIdentified& event) { peers.on_identified(event); }
  void on(const ConnectionOpened& event) { peers.on_connections_changed(event.connection.peer); }
  void on(const ConnectionClosed& event) { peers.on_connections_changed(event.connection.peer); }
  template <class Other>
  void on(const Other&) {}

  Host& host_;
  const std::unique_ptr<gossipsub::Signatures> keys_;  // when a policy needs some, and none are given
  const GossipsubConfig config_;
  LifeToken life_;  // ends with shut(): what comes later finds nothing
  bool shut_ = false;

 public:
  GossipsubCounters counters;
  gossipsub::Router router;
  GossipDrain drain;
  GossipEvents events;
  GossipTopics topics;
  GossipPartials partials;
  GossipPeers peers;
  GossipDials dials;
  GossipDeadlines deadlines;
  ScoreInspector inspector;

 private:
  Subscription host_events_;
};

GossipsubService::Parts::Parts(Host& host, GossipsubConfig settings, gossipsub::PeerScores& scores)
    : host_(host),
      keys_(keys_for(settings.router, host)),
      config_(completed(std::move(settings), host, keys_.get())),
      router(config_.router, host.runtime().rng(), scores, host.runtime().now()),
      drain(host.runtime(), router, life_, *this),
      events(drain, counters, life_),
      topics(host.runtime(), router, drain, life_),
      partials(host.runtime(), router, drain),
      peers(host, config_, router, scores, drain, events, counters),
      dials(host, config_, events, counters),
      deadlines(host.runtime(), config_, router, scores, peers, topics, drain, counters),
      inspector(host.runtime(), scores, config_.inspect_interval) {
  for (const std::string_view id : gossipsub::protocol_ids()) {
    host_.set_stream_handler(std::string(id), [this](Stream stream) {
      peers.accept(std::move(stream));
      return finished_task();
    });
  }
  host_events_ =
      host_.subscribe([this](const HostEvent& event) { std::visit([this](const auto& kind) { on(kind); }, event); });
  peers.start();
  dials.start();
  deadlines.start();
}

void GossipsubService::Parts::shut() {
  if (std::exchange(shut_, true)) return;
  host_events_.reset();
  for (const std::string_view id : gossipsub::protocol_ids()) host_.remove_stream_handler(id);
  deadlines.stop();
  inspector.stop();
  life_.end();
  peers.clear();
  dials.stop();
  drain.stop();
  topics.clear();
  partials.clear();
}

Task<void> GossipsubService::Parts::close() {
  co_await dials.close();
  co_await peers.close();
}

// A peer in the mesh brings us messages, so it is not trimmed in favour of one that has just come, as in
// go-libp2p-pubsub.
void GossipsubService::Parts::act(gossipsub::Trace& action) {
  if (action.kind == gossipsub::TraceKind::graft) host_.spare(action.peer, mesh_tag(action.topic));
  if (action.kind == gossipsub::TraceKind::prune) host_.stop_sparing(action.peer, mesh_tag(action.topic));
  if (config_.tracer != nullptr) {
    if (auto event = trace_event(action, host_.id(), now().wall)) config_.tracer->on_event(std::move(*event));
  }
  events.emit(action);
}

void GossipsubService::Parts::act(const gossipsub::RpcTrace& action) {
  OPP2P_ASSERT(config_.tracer != nullptr, "RPCs are told when somebody traces them");
  config_.tracer->on_event(trace_event(action, host_.id(), now().wall));
}

GossipsubService::GossipsubService(Host& host, GossipsubConfig config, gossipsub::PeerScores& scores)
    : parts_(std::make_unique<Parts>(host, std::move(config), scores)) {}

GossipsubService::~GossipsubService() = default;

Task<void> GossipsubService::close() {
  parts_->shut();
  return parts_->close();
}

Result<void> GossipsubService::join(const std::string& topic, Validator validator, Subscriber subscriber) {
  return parts_->topics.join(topic, std::move(validator), std::move(subscriber));
}

Result<void> GossipsubService::relay(const std::string& topic, Validator validator) {
  return parts_->topics.relay(topic, std::move(validator));
}

Result<void> GossipsubService::set_topic_params(std::string_view topic, const gossipsub::TopicParams& params) {
  return parts_->router.set_topic_params(topic, params);
}

void GossipsubService::blacklist(const PeerId& peer, std::optional<Nanos> duration) {
  parts_->router.blacklist(peer, parts_->now(), duration);
  parts_->drain.schedule();
}

void GossipsubService::pardon(const PeerId& peer) { parts_->router.pardon(peer); }

void GossipsubService::restore_backoffs(std::span<const gossipsub::BackoffLeft> before) {
  parts_->router.restore_backoffs(before, parts_->now().mono);
}

void GossipsubService::leave(const std::string& topic) { parts_->topics.leave(topic); }

Result<gossipsub::Publication> GossipsubService::publish(std::string_view topic, ByteView data,
                                                         gossipsub::LocalCheck check, PublishedFn published) {
  if (parts_->is_shut()) return fail(Errc::closed, "the gossip service is closed");
  return parts_->topics.publish(topic, data, check, std::move(published));
}

Result<void> GossipsubService::enable_partial(const std::string& topic, GossipsubPartialHandler handler) {
  if (parts_->is_shut()) return fail(Errc::closed, "the gossip service is closed");
  return parts_->partials.enable(topic, std::move(handler));
}

void GossipsubService::disable_partial(const std::string& topic) { parts_->partials.disable(topic); }

Result<std::size_t> GossipsubService::publish_partial(std::string_view topic, ByteView group,
                                                      const gossipsub::PartialPartsFn& parts) {
  if (parts_->is_shut()) return fail(Errc::closed, "the gossip service is closed");
  return parts_->partials.publish(topic, group, parts);
}

void GossipsubService::judge_partial(const PeerId& peer, std::string_view topic,
                                     gossipsub::Router::PartialVerdict verdict) {
  parts_->partials.judge(peer, topic, verdict);
}

Subscription GossipsubService::subscribe(std::function<void(const GossipsubEvent&)> listener) {
  return parts_->events.subscribe(std::move(listener));
}

Subscription GossipsubService::inspect_scores(std::function<void(const gossipsub::ScoreSnapshot&)> listener) {
  return parts_->inspector.subscribe(std::move(listener));
}

const gossipsub::Router& GossipsubService::router() const { return parts_->router; }
std::vector<PeerId> GossipsubService::peers() const { return parts_->peers.with_outbound(); }
std::size_t GossipsubService::queued_bytes() const { return parts_->peers.queued_bytes(); }
std::size_t GossipsubService::unfinished_bytes() const { return parts_->peers.unfinished_bytes(); }
const GossipsubCounters& GossipsubService::counters() const { return parts_->counters; }

void GossipsubService::check() const {
  parts_->router.check();
  parts_->peers.check();
  parts_->dials.check();
  parts_->drain.check();
}

}  // namespace libp2p
