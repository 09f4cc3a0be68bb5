#include "libp2p/protocols/gossipsub/router.hpp"

#include <algorithm>
#include <array>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {
namespace {

constexpr std::array<std::string_view, 5> kProtocolIds = {"/meshsub/1.3.0", "/meshsub/1.2.0", "/meshsub/1.1.0",
                                                          "/meshsub/1.0.0", "/floodsub/1.0.0"};
constexpr std::array<ProtocolVersion, 5> kVersions = {ProtocolVersion::v1_3, ProtocolVersion::v1_2,
                                                      ProtocolVersion::v1_1, ProtocolVersion::v1_0,
                                                      ProtocolVersion::floodsub};

}  // namespace

std::span<const std::string_view> protocol_ids() { return kProtocolIds; }

std::optional<ProtocolVersion> version_of(std::string_view protocol_id) {
  for (std::size_t i = 0; i < kProtocolIds.size(); ++i) {
    if (kProtocolIds[i] == protocol_id) return kVersions[i];
  }
  return std::nullopt;
}

std::string_view protocol_of(ProtocolVersion version) {
  for (std::size_t i = 0; i < kVersions.size(); ++i) {
    if (kVersions[i] == version) return kProtocolIds[i];
  }
  return {};
}

Router::Router(Config config, Rng& rng, PeerScores& scores, Now now)
    : config_(std::move(config)),
      rng_(rng),
      scores_(scores),
      secret_(rng.next_u64()),
      peers_(secret_),
      seen_(params().seen_ttl, params().seen_items, secret_),
      cache_(params().gossip.gossip_windows, params().gossip.history_windows, params().gossip.cache_bytes, secret_),
      backoffs_(params().mesh.backoff_slack, params().mesh.max_backoffs_per_topic),
      blacklist_(params().max_blacklisted),
      partial_groups_(params().partial),
      admission_(params().admission, params().validation, now.mono),
      proofs_(params().admission.max_refusers),
      next_heartbeat_(now.mono + params().heartbeat_initial_delay) {
  OPP2P_ASSERT(config_.signatures != nullptr || !config_.policies.need_keys(), "who signs and verifies has keys");
  OPP2P_ASSERT(params().heartbeat > Nanos(0), "a heartbeat takes time", params().heartbeat);
  config_.params.rpc.partial_messages = params().partial.enabled;
  for (const auto& [name, topic] : params().topics)
    OPP2P_ASSERT(validate(topic, params().rpc).has_value(), "the parameters of a topic are validated", name);
}

void Router::add_peer(const PeerId& id, ProtocolVersion version, Direction direction, Now now, AddressBlocks blocks) {
  const Entry entry(entered_, kNotFromCallbacks);
  if (peers_.find(id) != nullptr) return;
  Outbox outbox(params().outbox, params().gossip.max_idontwant_length, params().rpc.max_sent_control);
  for (const auto& [name, topic] : topics_) {
    if (topic.joined) outbox.announce(name, true, own_partial(name));
  }
  AdmissionRecord record(std::move(blocks), params().admission, now.mono);
  if (const Proof* proof = proofs_.peek(id)) record.proof = *proof;
  const PeerKey key = peers_.add(Peer(id, version, direction, std::move(outbox), std::move(record)));
  peers_.at(key)->added = now.mono;
  peers_.at(key)->direct = config_.direct.contains(id);
  peers_.at(key)->blacklisted = blacklist_.contains(id);
  note_version(key, *peers_.at(key));
  admission_.add_peer(key, peers_.at(key)->admission.blocks);
  announce_extensions(*peers_.at(key));
  scores_.on_peer_added(id, now);
  trace(TraceKind::peer_added, id).version = version;
  counters_.streams_opened += version != ProtocolVersion::pending;
  say_ready(*peers_.at(key));
}

void Router::set_version(const PeerId& id, ProtocolVersion version, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  PeerKey key = 0;
  Peer* peer = peers_.find(id, &key);
  if (peer == nullptr) return;
  counters_.streams_opened += peer->version == ProtocolVersion::pending && version != ProtocolVersion::pending;
  peer->version = version;
  if (config_.tracing) trace(TraceKind::version_agreed, id).version = version;
  announce_extensions(*peer);
  note_version(key, *peer);
  if (version != ProtocolVersion::floodsub) return;
  for (auto& [name, topic] : topics_) {  // a mesh link is control that the peer cannot read
    topic.fanout.erase(key);
    if (topic.leave_mesh(key)) {
      scores_.on_prune(id, name, now);
      trace(TraceKind::prune, id, name).prune = PruneCause::version;
    }
  }
}

void Router::note_version(PeerKey key, const Peer& peer) {
  if (peer.is_outside_meshes()) {
    outside_meshes_.insert(key);
  } else {
    outside_meshes_.erase(key);
  }
}

void Router::remove_peer(const PeerId& id, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  PeerKey key = 0;
  Peer* peer = peers_.find(id, &key);
  if (peer == nullptr) return;
  for (auto at = topics_.begin(); at != topics_.end();) {
    at = remove_from_topic(at, key, *peer, Departure::gone, now);
  }
  outside_meshes_.erase(key);
  promises_.remove_peer(key);
  partial_groups_.remove_peer(key);
  for (auto& [request, validation] : validating_) validation.holders.erase(key);
  admission_.remove_peer(key);
  if (peer->admission.proof.holds(now.mono)) {
    proofs_.put(id, peer->admission.proof);
  } else {
    proofs_.erase(id);  // what it had and lost must not come back with it
  }
  OPP2P_ASSERT(peer->topics.empty(), "a peer that goes is in no topic any more", id);
  trace(TraceKind::peer_removed, id).version = peer->version;
  counters_.streams_closed += peer->version != ProtocolVersion::pending;
  scores_.on_peer_removed(id, now);
  peers_.erase(key);
}

void Router::forget_topics(const PeerId& id, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  PeerKey key = 0;
  Peer* peer = peers_.find(id, &key);
  if (peer == nullptr) return;
  for (auto at = topics_.begin(); at != topics_.end();) {
    at = remove_from_topic(at, key, *peer, Departure::left_topic, now);
  }
  partial_groups_.remove_peer(key);
  peer->had_first_rpc = peer->speaks_partial = false;
}

Result<void> Router::on_frame(const PeerId& id, SharedBytes frame, Now now) {
  PeerKey key = 0;
  Peer* const peer = peers_.find(id, &key);
  if (peer == nullptr) return {};
  const auto rpc = decode_frame(std::move(frame), params().rpc);
  if (!rpc) return rpc.error();
  take_rpc(key, *peer, *rpc, now);
  return {};
}

void Router::on_rpc(const PeerId& id, const Rpc& rpc, Now now) {
  PeerKey key = 0;
  if (Peer* const peer = peers_.find(id, &key)) take_rpc(key, *peer, rpc, now);
}

void Router::take_rpc(PeerKey key, Peer& peer, const Rpc& rpc, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  ++counters_.rpcs_received;
  counters_.ignored_entries += rpc.ignored;
  const auto traced = config_.tracing ? trace_received(peer, rpc) : nullptr;
  peer.enter_heartbeat(ticks_);
  handle_subscriptions(key, peer, rpc, now);
  if (peer.blacklisted) {
    ++counters_.rpcs_blacklisted;
    trace(TraceKind::blacklisted, peer.id);
    return;
  }
  if (const double score = score_of(peer); score < params().thresholds.graylist) {
    ++counters_.rpcs_graylisted;
    trace(TraceKind::graylisted, peer.id).score = score;
    return;
  }
  for (const auto& message : rpc.publish) handle_message(key, peer, rpc, message, now);
  if (traced != nullptr) name_traced(*traced, rpc);
  handle_control(key, peer, rpc, now);
  if (rpc.partial) handle_partial(key, peer, rpc, now);
  say_ready(peer);
}

Result<void> Router::subscribe(std::string_view name, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  if (!allowed(name)) return Error(Errc::denied, "the topic filter refuses " + std::string(name));
  Topic& topic = topic_state(name);
  topic.subscribed = true;
  enter(name, topic, now);
  return {};
}

Result<void> Router::relay(std::string_view name, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  if (!allowed(name)) return Error(Errc::denied, "the topic filter refuses " + std::string(name));
  Topic& topic = topic_state(name);
  ++topic.relays;
  enter(name, topic, now);
  return {};
}

void Router::enter(std::string_view name, Topic& topic, Now now) {
  if (topic.joined) return;
  topic.joined = true;
  for (auto& [key, peer] : peers_.rows()) peer.outbox.announce(name, true, own_partial(name));
  trace(TraceKind::joined, PeerId(), name);
  join(std::string(name), topic, now);
  told_.clear();  // everybody is told something
  for (auto& [key, peer] : peers_.rows()) say_ready(peer);
}

// The fanout of a topic that was published to becomes its mesh, filled up to D.
void Router::join(const std::string& name, Topic& topic, Now now) {
  const auto fits = [&](PeerKey key, const Peer& peer) {
    return may_graft(name, topic, key, peer, now) && score_of(peer) >= 0;
  };
  std::vector<PeerKey> chosen;
  for (const PeerKey key : topic.fanout) {
    if (fits(key, *peers_.at(key))) chosen.push_back(key);
  }
  topic.fanout.clear();
  topic.last_publication.reset();
  for (const PeerKey key : chosen) graft(name, topic, key, now);
  OPP2P_ASSERT(topic.joined && topic.fanout.empty(), "a topic has a mesh or a fanout", name);
  if (topic.mesh.size() >= topic.sizes.degree) return;
  for (const PeerKey key : pick_proven_first(topic, topic.sizes.degree - topic.mesh.size(), fits, now)) {
    graft(name, topic, key, now);
  }
}

void Router::unsubscribe(std::string_view name, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  const auto at = topics_.find(name);
  if (at == topics_.end() || !at->second.subscribed) return;
  at->second.subscribed = false;
  leave_if_unwanted(at, now);
}

void Router::stop_relaying(std::string_view name, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  const auto at = topics_.find(name);
  if (at == topics_.end() || at->second.relays == 0) return;
  --at->second.relays;
  leave_if_unwanted(at, now);
}

void Router::leave_if_unwanted(Topics::iterator at, Now now) {
  auto& [name, topic] = *at;
  if (topic.subscribed || topic.relays != 0) return;
  topic.joined = false;
  for (const PeerKey key : topic.mesh) {
    Peer& peer = *peers_.at(key);
    send_prune(key, peer, name, topic, params().mesh.unsubscribe_backoff, Exchange::allowed);
    backoffs_.add(name, peer.id, params().mesh.unsubscribe_backoff, now.mono);
    scores_.on_prune(peer.id, name, now);
    trace(TraceKind::prune, peer.id, name).prune = PruneCause::we_left;
  }
  topic.mesh.clear();
  topic.newcomers.clear();
  trace(TraceKind::left, PeerId(), name);
  for (auto& [key, peer] : peers_.rows()) {
    peer.outbox.announce(name, false);
    say_ready(peer);
  }
  drop_if_unused(at);
}

void Router::on_timeout(Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  if (now.mono < next_heartbeat_) return;
  next_heartbeat_ += params().heartbeat;
  if (next_heartbeat_ <= now.mono) next_heartbeat_ = now.mono + params().heartbeat;
  OPP2P_ASSERT(next_heartbeat_ > now.mono, "the next heartbeat lies ahead", next_heartbeat_, now.mono);
  heartbeat(now);
}

std::optional<Action> Router::poll_action() {
  if (actions_.empty()) return std::nullopt;
  return actions_.take_front();
}

std::optional<SharedBytes> Router::next_frame(const PeerId& id) {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) return std::nullopt;
  auto frame = peer->outbox.next();
  if (!frame) peer->ready_said = false;
  counters_.rpcs_sent += frame.has_value();
  if (frame && config_.tracing) trace_sent(*peer, *frame);
  return frame;
}

std::optional<std::size_t> Router::next_frame_size(const PeerId& id) const {
  const Peer* peer = peers_.find(id);
  return peer != nullptr ? peer->outbox.next_size() : std::nullopt;
}

std::optional<OutgoingRpc> Router::next_rpc(const PeerId& id) {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) return std::nullopt;
  auto rpc = peer->outbox.next_rpc();
  if (!rpc) peer->ready_said = false;
  counters_.rpcs_sent += rpc.has_value();
  return rpc;
}

bool Router::allowed(std::string_view topic) const {
  return topic.size() <= params().max_topic_length && (!config_.topic_filter || config_.topic_filter(topic));
}

Router::Topic& Router::topic_state(std::string_view name) {
  const auto found = topics_.find(name);
  if (found != topics_.end()) return found->second;
  Topic& topic = topics_.emplace(std::string(name), Topic{}).first->second;
  apply_topic_params(name, topic);
  return topic;
}

Router::Topic* Router::joined_topic(std::string_view name) {
  const auto found = topics_.find(name);
  return found != topics_.end() && found->second.joined ? &found->second : nullptr;
}

Router::Topics::iterator Router::drop_if_unused(Topics::iterator at) {
  const Topic& topic = at->second;
  return topic.joined || !topic.subscribers.empty() ? std::next(at) : topics_.erase(at);
}

// Answers the iterator after the topic, which may be forgotten with its last peer.
Router::Topics::iterator Router::remove_from_topic(Topics::iterator at, PeerKey key, Peer& peer, Departure how,
                                                   Now now) {
  auto& [name, topic] = *at;
  if (topic.leave_mesh(key)) {
    if (how == Departure::left_topic) scores_.on_prune(peer.id, name, now);
    trace(TraceKind::prune, peer.id, name).prune = PruneCause::peer_left;
  }
  topic.fanout.erase(key);
  if (topic.subscribers.erase(key) == 0) return std::next(at);
  trace(TraceKind::peer_left, peer.id, name);
  if (peer.partial.erase(name) != 0) partial_groups_.remove_peer(name, key);
  const std::size_t left = peer.topics.erase(name);
  OPP2P_ASSERT(left == 1, "peer and topic know of each other", peer.id, name);
  return drop_if_unused(at);
}

void Router::say_ready(Peer& peer) {
  if (peer.ready_said || peer.outbox.empty()) return;
  peer.ready_said = true;
  actions_.push_back(SendReady{peer.id});
}

// What an RPC repeats ten thousand times becomes one action, also where two kinds and what they cause take turns.
void Router::fault(const PeerId& peer, FaultKind kind, unsigned count) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(4, actions_.size()); ++back) {
    Fault* const last = std::get_if<Fault>(&actions_[actions_.size() - back]);
    if (last == nullptr || last->kind != kind || last->peer != peer) continue;
    last->count += count;
    return;
  }
  actions_.push_back(Fault{peer, kind, count});
}

void Router::penalise(const PeerId& peer, FaultKind kind, unsigned count, Now now) {
  scores_.on_penalty(peer, count, now);
  fault(peer, kind, count);
}

Trace& Router::trace(TraceKind kind, const PeerId& peer, std::string_view topic, const MessageId& id) {
  Trace event;
  event.kind = kind;
  event.peer = peer;
  event.topic = topic;
  event.id = id;
  switch (kind) {
    case TraceKind::joined: ++counters_.joined; break;
    case TraceKind::left: ++counters_.left; break;
    case TraceKind::graft: ++counters_.grafted; break;
    case TraceKind::prune: ++counters_.pruned; break;
    default: break;
  }
  return std::get<Trace>(actions_.push_back(std::move(event)));
}

void Router::trace_drop(DropCause cause, const PeerId& peer, std::string_view topic, const MessageId& id) {
  trace(TraceKind::dropped, peer, topic, id).drop = cause;
}

}  // namespace libp2p::gossipsub
