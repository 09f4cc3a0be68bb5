// Messages in and out: subscriptions, validation, delivery, forwarding, publishing.
#include <algorithm>
#include <map>

#include "protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {

// Of what an RPC says of a topic the last word counts: coming and going ten thousand times in one is not ten thousand events.
void Router::handle_subscriptions(PeerKey key, Peer& peer, const Rpc& rpc, Now now) {
  std::map<std::string_view, const Subscription*> last;
  for (const auto& subscription : rpc.subscriptions) {
    if (subscription.topic && allowed(*subscription.topic)) last[*subscription.topic] = &subscription;
  }
  bool too_many = false;
  for (const auto& subscription : rpc.subscriptions) {
    if (!subscription.topic) continue;
    const std::string_view name = *subscription.topic;
    const auto word = last.find(name);
    if (word == last.end() || word->second != &subscription) continue;
    const auto at = topics_.find(name);
    if (!subscription.subscribe.value_or(false)) {
      if (at != topics_.end()) remove_from_topic(at, key, peer, Departure::left_topic, now);
      continue;
    }
    if (peer.topics.contains(name)) continue;
    if (peer.topics.size() >= params().max_topics_per_peer) {
      ++counters_.ignored_entries;
      too_many = true;
      continue;
    }
    peer.topics.emplace(name);
    topic_state(name).subscribers.insert(key);
    trace(TraceKind::peer_joined, peer.id, name);
  }
  if (too_many) fault(peer.id, FaultKind::too_many_topics);
}

void Router::handle_message(PeerKey key, Peer& peer, const Rpc& rpc, const Message& message, Now now) {
  ++counters_.messages_received;
  const std::string_view topic = message.topic.value_or(std::string_view());
  if (joined_topic(topic) == nullptr) {
    ++counters_.dropped_not_subscribed;
    trace_drop(DropCause::not_subscribed, peer.id, topic.substr(0, params().max_topic_length), {});
    return;
  }
  if (!message.anonymous()) {
    ++counters_.unexpected_author;
    scores_.on_rejected(peer.id, topic, {}, RejectReason::unexpected_author, now);
    trace(TraceKind::rejected, peer.id, topic).reason = RejectReason::unexpected_author;
    fault(peer.id, FaultKind::unexpected_author);
    return;
  }
  const ByteView data = message.data.value_or(ByteView());
  const MessageId* known = recent_.find(topic, data);
  Named named = known != nullptr ? Named(*known) : config_.message_id(topic, data);
  const MessageId& id = named.id;
  if (SeenCache::Entry* seen = seen_.find(id, now.mono)) {
    note_duplicate(key, peer, *seen, topic, id, now);
    return;
  }
  Validation validation{std::string(topic), id, SharedMessage::from_received(rpc, message), peer.id, key, {key},
                        std::move(named.contents)};
  promises_.fulfil(id);
  if (!has_room(&peer, validation.bytes())) {
    ++counters_.dropped_validation_full;
    scores_.on_rejected(peer.id, topic, id, RejectReason::queue_full, now);
    trace_drop(DropCause::validation_full, peer.id, topic, id);
    return;
  }
  if (known == nullptr) recent_.add(topic, validation.message.slice(), id);
  send_idontwant(validation);
  begin_validation(std::move(validation), nullptr, now);
}

bool Router::has_room(const Peer* peer, std::size_t bytes) const {
  const ValidationParams& limits = params().validation;
  if (validating_.size() >= limits.max_items || validating_bytes_ + bytes > limits.max_bytes) return false;
  return peer == nullptr || (peer->validating_items < limits.max_items_per_peer &&
                             peer->validating_bytes + bytes <= limits.max_bytes_per_peer);
}

void Router::note_duplicate(PeerKey key, const Peer& peer, SeenCache::Entry& seen, std::string_view topic,
                            const MessageId& id, Now now) {
  ++counters_.duplicates;
  if (seen.state == SeenState::validating) {
    const auto running = validating_.find(seen.request);
    if (running != validating_.end()) running->second.holders.insert(key);
  }
  scores_.on_duplicate(peer.id, topic, id, now);
  trace(TraceKind::duplicate, peer.id, topic, id);
}

RequestId Router::begin_validation(Validation validation, SeenCache::Entry* seen, Now now) {
  const RequestId request = next_request_++;
  const SeenCache::Entry entry{SeenState::validating, request};
  if (seen != nullptr) {
    *seen = entry;
  } else {
    remember_seen(validation.id, entry, now);
  }
  validating_bytes_ += validation.bytes();
  if (Peer* peer = peers_.at(validation.from_key)) {
    ++peer->validating_items;
    peer->validating_bytes += validation.bytes();
    scores_.on_validation_begun(peer->id, validation.topic, validation.id, now);
  }
  actions_.emplace_back(Validate{request, validation.topic, validation.id, validation.message.slice(),
                                 validation.contents, validation.from, validation.from.empty()});
  validating_.emplace(request, std::move(validation));
  return request;
}

// Before validation, as op-node does: what the peers of the mesh learn early, they need not send.
void Router::send_idontwant(const Validation& validation) {
  if (validation.message.data().size() < params().gossip.idontwant_threshold) return;
  const Topic* topic = joined_topic(validation.topic);
  if (topic == nullptr) return;
  for (const PeerKey key : topic->mesh) {
    Peer& peer = *peers_.at(key);
    if (key == validation.from_key || !peer.reads_idontwant()) continue;
    peer.outbox.idontwant(validation.id);
    ++counters_.idontwant_sent;
    say_ready(peer);
  }
}

bool Router::on_validation(RequestId request, Verdict verdict, Now now) {
  const auto found = validating_.find(request);
  if (found == validating_.end()) return false;
  Validation validation = std::move(found->second);
  validating_.erase(found);
  validating_bytes_ -= validation.bytes();
  if (Peer* peer = peers_.at(validation.from_key)) {
    --peer->validating_items;
    peer->validating_bytes -= validation.bytes();
  }
  finish(validation, verdict, request, now);
  return true;
}

void Router::finish(Validation& validation, Verdict verdict, RequestId request, Now now) {
  const bool own = validation.from.empty();
  if (SeenCache::Entry* seen = seen_.find(validation.id, now.mono)) {
    const SeenState state = verdict == Verdict::accept   ? SeenState::delivered
                            : verdict == Verdict::reject ? SeenState::rejected
                                                         : SeenState::ignored;
    *seen = {state, 0};
  }
  if (own) actions_.emplace_back(Published{request, validation.id, verdict});
  if (verdict != Verdict::accept) {
    refuse(validation, verdict == Verdict::reject ? RejectReason::invalid : RejectReason::ignored, now);
    return;
  }
  if (own) {
    ++counters_.published;
    trace(TraceKind::published, PeerId(), validation.topic, validation.id);
  } else {
    scores_.on_delivered(validation.from, validation.topic, validation.id, now);
    if (joined_topic(validation.topic) == nullptr) {  // left while the validator was at work
      ++counters_.dropped_not_subscribed;
      trace_drop(DropCause::not_subscribed, validation.from, validation.topic, validation.id);
      return;
    }
    ++counters_.delivered;
    actions_.emplace_back(Deliver{validation.topic, validation.id, validation.message.slice(), validation.from});
    trace(TraceKind::delivered, validation.from, validation.topic, validation.id);
  }
  spread(validation, now);
}

void Router::refuse(const Validation& validation, RejectReason reason, Now now) {
  ++(reason == RejectReason::invalid ? counters_.rejected : counters_.ignored);
  trace(TraceKind::rejected, validation.from, validation.topic, validation.id).reason = reason;
  if (validation.from.empty()) return;
  scores_.on_rejected(validation.from, validation.topic, validation.id, reason, now);
  if (reason == RejectReason::invalid) fault(validation.from, FaultKind::invalid_message);
}

void Router::spread(const Validation& validation, Now now) {
  cache(validation.id, validation.topic, validation.message);
  const bool own = validation.from.empty();
  for (const PeerKey key : recipients(validation.topic, own, now)) {
    Peer& peer = *peers_.at(key);
    // The sender may have come back under another key since.
    if (validation.holders.contains(key) || peer.id == validation.from) continue;
    if (peer.unwanted.contains(validation.id)) {
      ++counters_.suppressed_unwanted;
      continue;
    }
    queue_message(peer, validation.id, validation.message, own ? Outbox::Kind::own : Outbox::Kind::forwarded);
  }
}

Router::Keys Router::recipients(std::string_view name, bool own, Now now) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return {};
  Topic& topic = found->second;
  const double threshold = params().thresholds.publish;
  Keys keys;
  if (own && params().mesh.flood_publish) {
    for (const PeerKey key : topic.subscribers) {
      const Peer& peer = *peers_.at(key);
      if (peer.version != Version::pending && score_of(peer) >= threshold) keys.insert(key);
    }
    return keys;
  }
  for (const PeerKey key : topic.subscribers) {
    const Peer& peer = *peers_.at(key);
    if (peer.version == Version::floodsub && score_of(peer) >= threshold) keys.insert(key);
  }
  if (!topic.joined) {
    if (topic.fanout.empty()) {
      const auto chosen = pick(topic, params().mesh.degree,
                               [&](PeerKey, const Peer& peer) { return score_of(peer) >= threshold; });
      topic.fanout.insert(chosen.begin(), chosen.end());
    }
    topic.last_publication = now.mono;
  }
  const Keys& mesh = topic.joined ? topic.mesh : topic.fanout;
  keys.insert(mesh.begin(), mesh.end());
  return keys;
}

void Router::queue_message(Peer& peer, const MessageId& id, const SharedMessage& message, Outbox::Kind kind) {
  std::vector<Outbox::Dropped> dropped;
  if (peer.outbox.push(id, message.frame(), kind, dropped)) ++counters_.forwarded;
  for (const auto& item : dropped) {
    const bool was_own = item.kind == Outbox::Kind::own;
    ++(was_own ? counters_.dropped_outbox_own : counters_.dropped_outbox_forwarded);
    trace_drop(was_own ? DropCause::outbox_own : DropCause::outbox_forwarded, peer.id, {}, item.id);
  }
  say_ready(peer);
}

Result<Publication> Router::publish(std::string_view topic, ByteView data, LocalCheck check, Now now) {
  if (!allowed(topic)) return Error(Errc::denied, "the topic filter refuses " + std::string(topic));
  const std::size_t size = message_frame_size(topic, data.size());
  if (size > params().rpc.max_rpc) {
    return Error(Errc::too_large, "a message of " + std::to_string(data.size()) + " bytes does not fit into an RPC of " +
                                      std::to_string(params().rpc.max_rpc) + " bytes");
  }
  Named named = config_.message_id(topic, data);
  const MessageId& id = named.id;
  SeenCache::Entry* seen = seen_.find(id, now.mono);
  if (seen != nullptr && (seen->state == SeenState::delivered || seen->state == SeenState::validating)) {
    return Publication{id, 0, false};
  }
  promises_.fulfil(id);  // who was asked for it meanwhile could only send us a duplicate
  Validation validation{std::string(topic), id, SharedMessage::make(topic, data), PeerId(), 0, {}, std::move(named.contents)};
  if (check == LocalCheck::validate) {
    if (!has_room(nullptr, validation.bytes())) {
      return Error(Errc::exhausted, "the validator is busy with as many messages as it may hold; publish again later");
    }
    return Publication{id, begin_validation(std::move(validation), seen, now), false};
  }
  if (seen != nullptr) {
    seen->state = SeenState::delivered;
  } else {
    remember_seen(id, {SeenState::delivered, 0}, now);
  }
  ++counters_.published;
  trace(TraceKind::published, PeerId(), topic, id);
  spread(validation, now);
  return Publication{id, 0, true};
}

void Router::remember_seen(const MessageId& id, SeenCache::Entry entry, Now now) {
  if (!seen_.add(id, entry, now.mono)) return;
  ++counters_.dropped_seen_items;
  trace_drop(DropCause::seen_items, PeerId(), {}, {});
}

void Router::cache(const MessageId& id, std::string_view topic, const SharedMessage& message) {
  const auto dropped = cache_.put(id, topic, message);
  counters_.dropped_cache_bytes += dropped.size();
  for (const auto& gone : dropped) trace_drop(DropCause::cache_bytes, PeerId(), topic, gone);
  forget_served(dropped);
}

void Router::forget_served(const std::vector<MessageId>& ids) {
  if (ids.empty()) return;
  for (auto& [key, peer] : peers_.rows()) {
    for (const auto& id : ids) peer.served.erase(id);
  }
}

}  // namespace libp2p::gossipsub
