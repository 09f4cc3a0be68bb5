#include "libp2p/services/gossipsub/gossipsub_service.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/services/stream_tools.hpp"

namespace libp2p {

using libp2p::Stream;
using runtime::Task;

namespace {

// Actions carried out in one turn of the runtime's queue; others get theirs in between.
constexpr std::size_t kActionsPerTurn = 256;
// More than these do not wait for another turn: in it peers could bring more than is carried out.
constexpr std::size_t kActionsWaiting = 4096;
// Troubles of streams that are told in one turn.
constexpr std::size_t kTroublesWaiting = 256;

std::string mesh_tag(std::string_view topic) { return "gossipsub:" + std::string(topic); }

bool speaks_gossip(const std::vector<std::string>& protocols) {
  return std::any_of(protocols.begin(), protocols.end(),
                     [](const std::string& id) { return gossipsub::version_of(id).has_value(); });
}

}  // namespace

GossipsubService::GossipsubService(libp2p::Host& host, GossipsubConfig config, gossipsub::PeerScores& scores)
    : host_(host),
      config_(std::move(config)),
      router_(config_.router, host.runtime().rng(), scores, host.runtime().now()),
      unfinished_(config_.unfinished_bytes, router_.params().rpc.max_rpc),
      timer_(host.runtime().make_timer([this] { on_timer(); })),
      scope_(host.runtime()) {
  for (const std::string_view id : gossipsub::protocol_ids()) {
    host_.set_stream_handler(std::string(id), [this](Stream stream) {
      accept(std::move(stream));
      return finished_task();
    });
  }
  host_events_ =
      host_.subscribe([this](const HostEvent& event) { std::visit([this](const auto& kind) { on(kind); }, event); });
  for (const PeerId& peer : host_.connected_peers()) begin_open(peer, row(peer), Nanos(0));
  arm();
}

GossipsubService::~GossipsubService() { shut(); }

void GossipsubService::shut() {
  if (std::exchange(shut_, true)) return;
  host_events_.reset();
  for (const std::string_view id : gossipsub::protocol_ids()) host_.remove_stream_handler(id);
  timer_->disarm();
  alive_.reset();
  for (const auto& [peer, row] : peers_) router_.remove_peer(peer, now());
  peers_.clear();
  buried_.clear();
  publishing_.clear();
  topics_.clear();
}

Task<void> GossipsubService::close() {
  shut();
  return scope_.close();
}

// ---- peers and their streams ----

GossipsubService::Peer& GossipsubService::row(const PeerId& peer) {
  const auto [place, fresh] = peers_.try_emplace(peer);
  Peer& row = place->second;
  if (fresh) {
    row.generation = next_generation_++;
    const auto connections = host_.connections(peer);
    if (!connections.empty()) row.direction = connections.front().direction;
  }
  return row;
}

GossipsubService::Peer* GossipsubService::find(const PeerId& peer, std::uint64_t generation) {
  const auto found = peers_.find(peer);
  return found == peers_.end() || found->second.generation != generation ? nullptr : &found->second;
}

void GossipsubService::bury(std::unique_ptr<libp2p::StreamHandler> stream) {
  if (stream == nullptr) return;
  buried_.push_back(std::move(stream));
  schedule_drain();
}

std::vector<PeerId> GossipsubService::peers() const {
  std::vector<PeerId> found;
  for (const auto& [peer, row] : peers_) {
    if (row.outbound != nullptr) found.push_back(peer);
  }
  return found;
}

std::size_t GossipsubService::queued_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [peer, row] : peers_) {
    if (row.outbound != nullptr) bytes += row.outbound->queued_bytes();
  }
  return bytes;
}

void GossipsubService::on(const PeerConnected& event) {
  Peer& at = row(event.peer);
  at.direction = event.direction;
  if (at.outbound == nullptr && !at.opening) begin_open(event.peer, at, Nanos(0));
}

void GossipsubService::on(const PeerIdentified& event) {
  const auto found = peers_.find(event.peer);
  if (found == peers_.end() || found->second.outbound != nullptr || found->second.opening) return;
  if (speaks_gossip(event.protocols)) begin_open(event.peer, found->second, Nanos(0));
}

void GossipsubService::on(const PeerDisconnected& event) {
  const PeerId& peer = event.peer;
  const auto found = peers_.find(peer);
  // A peer that is back before we heard of its leaving keeps its row: its old streams have told of their end
  // themselves.
  if (found == peers_.end() || host_.connected(peer)) return;
  router_.remove_peer(peer, now());
  bury(std::move(found->second.outbound));
  bury(std::move(found->second.inbound));
  peers_.erase(found);
  schedule_drain();
}

void GossipsubService::accept(Stream stream) {
  const PeerId peer = stream.peer();
  Peer& at = row(peer);
  bury(std::move(at.inbound));
  if (!std::exchange(at.known_to_router, true)) {
    router_.add_peer(peer, gossipsub::Version::pending, at.direction, now(), host_.address_blocks(peer));
  }
  GossipInbound::Owner& owner = *this;
  at.inbound = std::make_unique<GossipInbound>(host_.runtime(), std::move(stream), router_.params().rpc.max_rpc, owner,
                                               unfinished_, next_generation_++, host_.address_blocks(peer));
  schedule_drain();
  at.inbound->start();
}

void GossipsubService::begin_open(const PeerId& peer, Peer& at, Nanos delay) {
  at.opening = true;
  scope_.spawn(open(peer, at.generation, delay));
}

Nanos GossipsubService::reopen_delay(Peer& at) {
  const unsigned doublings = std::min(at.failures++, 20U);
  return std::min<Nanos>(config_.reopen_first * (std::int64_t{1} << doublings), config_.reopen_most);
}

Task<void> GossipsubService::open(PeerId peer, std::uint64_t generation, Nanos delay) {
  if (delay > Nanos(0)) {
    const Result<void> slept = co_await runtime::sleep_for(host_.runtime(), delay);
    if (!slept) co_return;
  }
  Peer* at = find(peer, generation);
  if (at == nullptr) co_return;
  if (!host_.connected(peer)) {
    at->opening = false;
    co_return;
  }
  const auto ids = gossipsub::protocol_ids();
  std::vector<std::string> protocols(ids.begin(), ids.end());
  Result<Stream> stream = co_await host_.open_stream(peer, std::move(protocols));
  at = find(peer, generation);
  if (at == nullptr) co_return;
  at->opening = false;
  if (stream) {
    opened(peer, *at, std::move(*stream));
    co_return;
  }
  note_trouble(peer, "opening a gossip stream", stream.error());
  // A peer that does not speak it is asked again when identify says that it does.
  if (stream.error() == Errc::unsupported || !host_.connected(peer)) co_return;
  begin_open(peer, *at, reopen_delay(*at));
}

void GossipsubService::opened(const PeerId& peer, Peer& at, Stream stream) {
  const auto version = gossipsub::version_of(stream.protocol()).value_or(gossipsub::Version::floodsub);
  GossipOutbound::Owner& owner = *this;
  at.outbound = std::make_unique<GossipOutbound>(host_.runtime(), std::move(stream), owner);
  if (std::exchange(at.known_to_router, true)) {
    router_.set_version(peer, version, now());
  } else {
    router_.add_peer(peer, version, at.direction, now(), host_.address_blocks(peer));
  }
  schedule_drain();
  at.outbound->start();
  at.outbound->pump();
}

void GossipsubService::on_outbound_lost(GossipOutbound& stream, const Error& why) {
  const auto found = peers_.find(stream.peer());
  if (found == peers_.end() || found->second.outbound.get() != &stream) return;
  drop_outbound(found->first, found->second, "the gossip stream to the peer was lost", why);
}

// A new stream has to begin with what we subscribe to, so the router must see the peer go and come. The peer will not
// repeat its own subscriptions when the stream that it writes to is in order; those are carried over.
void GossipsubService::drop_outbound(const PeerId& peer, Peer& at, std::string_view what, const Error& why) {
  note_trouble(peer, what, why);
  if (now().mono - at.outbound->opened() >= config_.reopen_forgiven) at.failures = 0;
  std::vector<std::string> subscribed;
  for (std::string& topic : router_.topics()) {
    const auto subscribers = router_.subscribers(topic);
    if (std::find(subscribers.begin(), subscribers.end(), peer) != subscribers.end())
      subscribed.push_back(std::move(topic));
  }
  router_.remove_peer(peer, now());
  at.known_to_router = at.inbound != nullptr;
  if (at.known_to_router) {
    router_.add_peer(peer, gossipsub::Version::pending, at.direction, now(), host_.address_blocks(peer));
    gossipsub::Rpc again;
    for (const std::string& topic : subscribed) {
      gossipsub::Subscription subscription;
      subscription.subscribe = true;
      subscription.topic = topic;
      again.subscriptions.push_back(subscription);
    }
    router_.on_rpc(peer, again, now());
  }
  bury(std::move(at.outbound));
  begin_open(peer, at, reopen_delay(at));
}

void GossipsubService::on_inbound_over(GossipInbound& stream, const std::optional<Error>& why) {
  const auto found = peers_.find(stream.peer());
  if (found == peers_.end() || found->second.inbound.get() != &stream) return;
  if (why) note_trouble(found->first, "reading the peer's gossip stream", *why);
  router_.forget_topics(found->first, now());
  bury(std::move(found->second.inbound));
}

Result<void> GossipsubService::on_frame(const PeerId& peer, SharedBytes frame) {
  schedule_drain();
  return router_.on_frame(peer, std::move(frame), now());
}

std::optional<SharedBytes> GossipsubService::next_frame(const PeerId& peer) {
  schedule_drain();  // what the router did to make it may have left traces
  return router_.next_frame(peer);
}

// ---- topics and messages ----

Result<void> GossipsubService::join(const std::string& topic, Validator validator, Subscriber subscriber) {
  if (topics_.contains(topic)) return fail(Errc::invalid_argument, "the topic " + topic + " is joined already");
  OPP2P_TRYV(router_.subscribe(topic, now()));
  topics_.emplace(topic, Topic{std::move(validator), std::move(subscriber)});
  schedule_drain();
  return {};
}

void GossipsubService::leave(const std::string& topic) {
  if (topics_.erase(topic) == 0) return;
  router_.unsubscribe(topic, now());
  schedule_drain();
}

Result<gossipsub::Publication> GossipsubService::publish(std::string_view topic, ByteView data,
                                                         gossipsub::LocalCheck check, PublishedFn published) {
  if (shut_) return fail(Errc::closed, "the gossip service is closed");
  auto publication = router_.publish(topic, data, check, now());
  if (publication && publication->request != 0 && published) {
    publishing_.emplace(publication->request, std::move(published));
  }
  schedule_drain();
  return publication;
}

void GossipsubService::answer(gossipsub::RequestId request, gossipsub::ValidationResult verdict,
                              gossipsub::Router::Blame blame) {
  if (router_.on_validation(request, verdict, now(), blame)) schedule_drain();
}

// ---- time and actions ----

void GossipsubService::arm() {
  if (const auto deadline = router_.next_deadline()) timer_->arm(*deadline);
}

void GossipsubService::on_timer() {
  const MonoTime at = now().mono;
  router_.on_timeout(now());
  for (auto& [peer, row] : peers_) {
    if (row.outbound == nullptr || !row.outbound->stalled(config_.write_timeout)) continue;
    drop_outbound(peer, row, "the peer does not read",
                  fail(Errc::timed_out, "a gossip frame did not leave within the write timeout"));
  }
  reset_overdue_frames();
  while (const auto request = router_.oldest_validation(at - config_.validation_timeout)) {
    ++counters_.validations_timed_out;
    answer(*request, gossipsub::ValidationResult::ignore, gossipsub::Router::Blame::nobody);
  }
  arm();
  schedule_drain();
}

void GossipsubService::schedule_drain() {
  if (drain_scheduled_ || shut_) return;
  drain_scheduled_ = true;
  host_.runtime().post([this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) drain();
  });
}

void GossipsubService::drain() {
  drain_scheduled_ = false;
  buried_.clear();
  const std::weak_ptr<int> alive = alive_;
  tell_troubles();
  if (alive.expired()) return;
  for (std::size_t done = 0; done < kActionsPerTurn || router_.waiting_actions() > kActionsWaiting; ++done) {
    auto action = router_.poll_action();
    if (!action) return pump_ready();
    std::visit([this](auto& kind) { act(kind); }, *action);
    if (alive.expired()) return;  // a callback has closed the service
  }
  schedule_drain();
  pump_ready();
}

// When the turn's actions are done, so that what a peer is to get leaves together.
void GossipsubService::act(const gossipsub::SendReady& action) {
  const auto found = peers_.find(action.peer);
  if (found != peers_.end() && !std::exchange(found->second.ready, true)) ready_.push_back(action.peer);
}

void GossipsubService::pump_ready() {
  const std::weak_ptr<int> alive = alive_;
  for (const PeerId& peer : std::exchange(ready_, {})) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) continue;
    found->second.ready = false;
    if (found->second.outbound != nullptr) found->second.outbound->pump();
    if (alive.expired()) return;
  }
}

void GossipsubService::act(const gossipsub::Validate& action) {
  const auto topic = topics_.find(action.topic);
  if (topic == topics_.end()) {
    return answer(action.request, gossipsub::ValidationResult::ignore, gossipsub::Router::Blame::nobody);
  }
  if (!topic->second.validator) return answer(action.request, gossipsub::ValidationResult::accept);
  const Validator validator = topic->second.validator;  // it may leave the topic
  validator(action,
            [this, alive = std::weak_ptr<int>(alive_), request = action.request](gossipsub::ValidationResult verdict) {
              if (!alive.expired()) answer(request, verdict);
            });
}

void GossipsubService::act(const gossipsub::Deliver& action) {
  const auto topic = topics_.find(action.topic);
  if (topic == topics_.end() || !topic->second.subscriber) return;
  const Subscriber subscriber = topic->second.subscriber;
  subscriber(action);
}

void GossipsubService::act(const gossipsub::Published& action) {
  auto waiting = publishing_.extract(action.request);
  if (!waiting.empty()) waiting.mapped()(action);
}

void GossipsubService::act(gossipsub::Fault& action) {
  if (events_.has_listeners()) events_.emit(std::move(action));
}

// Who brings us messages is not trimmed for the sake of who has just come, as in go-libp2p-pubsub.
void GossipsubService::act(gossipsub::Trace& action) {
  if (action.kind == gossipsub::TraceKind::graft) host_.spare(action.peer, mesh_tag(action.topic));
  if (action.kind == gossipsub::TraceKind::prune) host_.stop_sparing(action.peer, mesh_tag(action.topic));
  if (events_.has_listeners()) events_.emit(std::move(action));
}

void GossipsubService::note_trouble(const PeerId& peer, std::string_view what, const Error& why) {
  if (!events_.has_listeners()) return;
  if (troubles_.size() >= kTroublesWaiting) {
    ++counters_.troubles_not_told;
    return;
  }
  troubles_.push_back(GossipsubStreamTrouble{peer, what, why});
  schedule_drain();
}

void GossipsubService::tell_troubles() {
  const auto troubles = std::exchange(troubles_, {});
  const std::weak_ptr<int> alive = alive_;
  for (const GossipsubEvent& trouble : troubles) {
    events_.emit(trouble);
    if (alive.expired()) return;  // a listener has closed the service
  }
}

}  // namespace libp2p
