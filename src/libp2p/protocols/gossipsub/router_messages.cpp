// Messages in and out: subscriptions, validation, delivery, forwarding, publishing.
#include <algorithm>
#include <map>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {

// Of what an RPC says of a topic the last word counts: coming and going ten thousand times in one is not ten thousand
// events.
void Router::handle_subscriptions(PeerKey key, Peer& peer, const Rpc& rpc, Now now) {
  if (rpc.subscriptions.empty()) return;
  std::map<std::string_view, const SubOpts*> last;
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
    const bool joined = topic_state(name).subscribers.insert(key).second;
    OPP2P_ASSERT(joined, "peer and topic know of each other", peer.id, name);
    OPP2P_ASSERT(peer.topics.size() <= params().max_topics_per_peer, "the topics of a peer are bounded", peer.id);
    trace(TraceKind::peer_joined, peer.id, name);
  }
  if (too_many) fault(peer.id, FaultKind::too_many_topics);
  if (params().partial.enabled) hear_partial_uses(peer, rpc);
}

void Router::handle_message(PeerKey key, Peer& peer, const Rpc& rpc, const Message& message, Now now) {
  ++counters_.messages_received;
  const std::string_view topic = message.topic.value_or(std::string_view());
  const Topic* const joined = joined_topic(topic);
  if (joined == nullptr) {
    ++counters_.dropped_not_subscribed;
    trace_drop(DropCause::not_subscribed, peer.id, topic.substr(0, params().max_topic_length), {});
    return;
  }
  if (message.from && blacklist_.size() != 0) {
    const auto author = PeerId::from_bytes(*message.from);
    if (author && blacklist_.contains(*author)) return refuse_author(peer, topic, RejectCause::blacklisted, now);
  }
  if (const auto cause = author_fault(config_.policies.of(topic), message))
    return refuse_author(peer, topic, *cause, now);
  const std::size_t frame = message_frame_size(message);
  if (frame > joined->max_message) return refuse_author(peer, topic, RejectCause::too_large, now);
  const ByteView data = message.data.value_or(ByteView());
  // The same data of another author is another message, where authors give the names.
  const bool named_by_data = config_.message_id != nullptr || message.anonymous();
  const MessageId* known = named_by_data ? recent_.find(topic, data) : nullptr;
  if (known != nullptr && is_copy(key, peer, topic, *known, now)) return;
  // Room and budget are asked for before the work of naming it.
  const std::size_t unpacked = known == nullptr && config_.unpacked_size ? config_.unpacked_size(topic, data) : 0;
  if (!admit(key, peer, topic, frame, unpacked, now)) return;
  std::optional<Named> maybe_named = known != nullptr ? Named(*known) : name(message);
  if (!maybe_named) return refuse_author(peer, topic, RejectCause::invalid_signature, now);
  Named& named = *maybe_named;
  if (known == nullptr && is_copy(key, peer, topic, named.id, now)) return charge_copy(peer, named.id, now);
  // Only now: whoever signs nothing could choose its name, and so keep the right one out.
  if (const auto cause = check_author(message)) return refuse_author(peer, topic, *cause, now);
  promises_.fulfil(named.id);
  Validation validation{std::string(topic),
                        named.id,
                        SharedMessage::from_received(rpc, message),
                        peer.id,
                        key,
                        {key},
                        std::move(named.contents),
                        now.mono,
                        frame,
                        unpacked,
                        author_of(message),
                        named_by_data};
  const AdmissionRecord& record = peer.admission;
  if (validation.bytes() > frame + unpacked &&  // it unpacked to more than it said, or nobody could say
      !admission_.has_room(key, record.blocks, record.proof.holds(now.mono), validation.bytes())) {
    if (!admission_.is_own_doing(key, peer.admission, validation.bytes(), 0, now.mono)) excuse(peer, now);
    return drop_unnamed(DropCause::validation_full, peer, topic, now);
  }
  if (known == nullptr && named_by_data) recent_.add(topic, validation.message.slice(), named.id);
  send_idontwant(validation);
  begin_validation(std::move(validation), false, now);
}

bool Router::admit(PeerKey key, Peer& peer, std::string_view topic, std::size_t frame, std::size_t unpacked, Now now) {
  const DropCause cause = admission_.admit(key, peer.id, peer.admission, frame, unpacked, now);
  if (cause == DropCause::none) return true;
  if (cause != DropCause::refused_often && !admission_.is_own_doing(key, peer.admission, frame, unpacked, now.mono))
    excuse(peer, now);
  drop_unnamed(cause, peer, topic, now);
  return false;
}

// It is our room, or the budget of all, that is short: what the peer promised may be what is dropped. Who has used up
// what is its own is not excused, or a few messages that say they are large would pay for any number of promises.
void Router::excuse(Peer& peer, Now now) const {
  peer.excused_until = now.mono + params().gossip.iwant_followup + params().heartbeat;
}

// What has no name is not marked seen, so that gossip can bring it again.
void Router::drop_unnamed(DropCause cause, Peer& peer, std::string_view topic, Now now) {
  if (cause == DropCause::refused_often) {
    ++counters_.dropped_refused_often;
  } else {
    ++(cause == DropCause::naming_budget ? counters_.dropped_naming_budget : counters_.dropped_validation_full);
    scores_.on_rejected(peer.id, topic, {}, RejectCause::queue_full, now);
  }
  trace_drops(cause, peer, topic);
}

// What an RPC, or a burst of them, repeats becomes one action.
void Router::trace_drops(DropCause cause, const Peer& peer, std::string_view topic) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(4, actions_.size()); ++back) {
    Trace* const last = std::get_if<Trace>(&actions_[actions_.size() - back]);
    if (last == nullptr || last->drop != cause || last->peer != peer.id) continue;
    ++last->count;
    return;
  }
  trace_drop(cause, peer.id, topic, {});
}

// Whether the message was met before; then that is all there is to do.
bool Router::is_copy(PeerKey key, const Peer& peer, std::string_view topic, const MessageId& id, Now now) {
  const SeenCache::Entry* seen = seen_.find(id, now.mono);
  if (seen == nullptr) return false;
  ++counters_.duplicates;
  if (seen->state == SeenState::validating) {
    const auto running = validating_.find(seen->request);
    if (running != validating_.end()) running->second.holders.insert(key);
  }
  scores_.on_duplicate(peer.id, topic, id, now);
  trace(TraceKind::duplicate, peer.id, topic, id);
  return true;
}

// Naming a copy was work for nothing, and nobody honest passes on what was rejected.
void Router::charge_copy(const Peer& peer, const MessageId& id, Now now) {
  const SeenCache::Entry* seen = seen_.find(id, now.mono);
  if (seen == nullptr || seen->state != SeenState::rejected) return;
  admission_.refusals().add(peer.id, peer.admission.blocks, now.mono);
}

RequestId Router::begin_validation(Validation validation, bool seen, Now now) {
  const RequestId request = next_request_++;
  const SeenCache::Entry entry{SeenState::validating, request};
  const Peer* const peer = peers_.at(validation.from_key);
  OPP2P_ASSERT(validation.from.empty() == (validation.from_key == 0), "only our own messages have no sender",
               validation.from, validation.from_key);
  if (seen) {
    seen_.set(validation.id, entry);
  } else {
    remember_seen(validation.id, entry, peer != nullptr ? &peer->admission : nullptr, validation.from, now);
  }
  // Without a peer the message is our own.
  admission_.begin(validation.from_key, peer != nullptr ? peer->admission.blocks : AddressBlocks::exempt(),
                   validation.bytes());
  if (peer != nullptr) scores_.on_validation_begun(peer->id, validation.topic, validation.id, now);
  actions_.push_back(Validate{request, validation.topic, validation.id, validation.message.slice(), validation.contents,
                              validation.from, validation.from.empty(), validation.author});
  validating_.emplace(request, std::move(validation));
  OPP2P_ASSERT(validating_.rbegin()->first == request, "requests grow and are never used again", request);
  OPP2P_ASSERT(admission_.items() == validating_.size(), "each message at the validator is counted once",
               admission_.items(), validating_);
  return request;
}

// Before validation, as op-node does: what the peers of the mesh learn early, they need not send.
void Router::send_idontwant(const Validation& validation) {
  if (validation.message.data().size() < params().gossip.idontwant_threshold) return;
  const Topic* topic = joined_topic(validation.topic);
  if (topic == nullptr) return;
  const auto tell = [&](PeerKey key) {
    Peer& peer = *peers_.at(key);
    if (key == validation.from_key || !peer.reads_idontwant() || sends_parts(peer, validation.topic)) return;
    peer.outbox.idontwant(validation.id);
    ++counters_.idontwant_sent;
    say_ready(peer);
  };
  for (const PeerKey key : topic->mesh) tell(key);
  for (const PeerId& id : config_.direct) {  // who sends everything, as the peers of the mesh do
    PeerKey key = 0;
    const Peer* const peer = peers_.find(id, &key);
    if (peer != nullptr && peer->gets_all() && topic->subscribers.contains(key)) tell(key);
  }
}

bool Router::on_validation(RequestId request, ValidationResult verdict, Now now, Blame blame) {
  const Entry entry(entered_, kNotFromCallbacks);
  const auto found = validating_.find(request);
  if (found == validating_.end()) return false;
  Validation validation = std::move(found->second);
  validating_.erase(found);
  admission_.end(validation.from_key, validation.bytes());
  OPP2P_ASSERT(admission_.items() == validating_.size(), "each message at the validator is counted once",
               admission_.items(), validating_);
  judge_senders(validation, verdict, blame, now);
  finish(validation, verdict, blame, request, now);
  return true;
}

std::optional<RequestId> Router::oldest_validation(MonoTime until) const {
  if (validating_.empty() || validating_.begin()->second.begun > until) return std::nullopt;
  return validating_.begin()->first;
}

// All who sent an accepted message before we could have sent it to them have proven something by it.
void Router::judge_senders(const Validation& validation, ValidationResult verdict, Blame blame, Now now) {
  if (validation.from.empty()) return;
  Peer* const sender = peers_.at(validation.from_key);
  if (verdict == ValidationResult::accept) {
    for (const PeerKey key : validation.holders) {
      if (Peer* peer = peers_.at(key)) peer->admission.proof.credit(now.mono);
    }
    admission_.pay_back(sender != nullptr ? &sender->admission : nullptr, validation.named_frame,
                        validation.named_unpacked);
    if (validation.named_by_data) recent_.accept(validation.topic, validation.message.slice(), validation.id);
    return;
  }
  if (blame == Blame::nobody || verdict == ValidationResult::throttled) return;
  if (sender != nullptr && verdict == ValidationResult::reject) sender->admission.proof.debit();
  // Who has gone, or we ourselves: the identity alone.
  admission_.refusals().add(validation.from, sender != nullptr ? sender->admission.blocks : AddressBlocks::exempt(),
                            now.mono);
}

void Router::finish(Validation& validation, ValidationResult verdict, Blame blame, RequestId request, Now now) {
  const bool own = validation.from.empty();
  const SeenState state = verdict == ValidationResult::accept   ? SeenState::delivered
                          : verdict == ValidationResult::reject ? SeenState::rejected
                                                                : SeenState::ignored;
  seen_.set(validation.id, {state, 0});
  const bool rejected = verdict == ValidationResult::reject || verdict == ValidationResult::reject_unblamed;
  if (own) actions_.push_back(Published{request, validation.id, rejected ? ValidationResult::reject : verdict});
  if (verdict != ValidationResult::accept) {
    refuse(validation,
           verdict == ValidationResult::throttled         ? RejectCause::throttled
           : blame == Blame::nobody                       ? RejectCause::not_to_blame
           : verdict == ValidationResult::reject          ? RejectCause::invalid
           : verdict == ValidationResult::reject_unblamed ? RejectCause::invalid_unblamed
                                                          : RejectCause::ignored,
           now);
    return;
  }
  scores_.on_delivered(validation.from, validation.topic, validation.id, now);
  if (own) {
    ++counters_.published;
    trace(TraceKind::published, PeerId(), validation.topic, validation.id);
  } else {
    const Topic* topic = joined_topic(validation.topic);
    if (topic == nullptr) {  // left while the validator was at work
      ++counters_.dropped_not_subscribed;
      trace_drop(DropCause::not_subscribed, validation.from, validation.topic, validation.id);
      return;
    }
    ++(topic->subscribed ? counters_.delivered : counters_.relayed);
    if (topic->subscribed) {
      actions_.push_back(
          Deliver{validation.topic, validation.id, validation.message.slice(), validation.from, validation.author});
    }
    trace(topic->subscribed ? TraceKind::delivered : TraceKind::relayed, validation.from, validation.topic,
          validation.id);
  }
  spread(validation, now);
}

void Router::refuse(const Validation& validation, RejectCause reason, Now now) {
  const bool rejected = reason == RejectCause::invalid || reason == RejectCause::invalid_unblamed;
  ++(rejected ? counters_.rejected : reason == RejectCause::throttled ? counters_.throttled : counters_.ignored);
  trace(TraceKind::rejected, validation.from, validation.topic, validation.id).reason = reason;
  scores_.on_rejected(validation.from, validation.topic, validation.id, reason, now);
  if (validation.from.empty()) return;
  if (reason == RejectCause::invalid) fault(validation.from, FaultKind::invalid_message);
}

void Router::spread(const Validation& validation, Now now) {
  cache(validation.id, validation.topic, validation.message);
  const bool own = validation.from.empty();
  for (const PeerKey key : recipients(validation.topic, own, now)) {
    Peer& peer = *peers_.at(key);
    // The sender may have come back under another key since; and who wrote the message has it.
    if (validation.holders.contains(key) || peer.id == validation.from) continue;
    if (!validation.author.empty() && peer.id == validation.author) continue;
    peer.enter_heartbeat(ticks_);
    if (peer.unwanted.contains(validation.id)) {
      ++counters_.suppressed_unwanted;
      continue;
    }
    if (takes_parts(peer, validation.topic)) {
      ++counters_.suppressed_partial;
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
  if (own && params().mesh.flood_publish) {
    Keys keys;
    for (const PeerKey key : topic.subscribers) {
      const Peer& peer = *peers_.at(key);
      if (peer.gets_all() || (peer.version != ProtocolVersion::pending && score_of(peer) >= threshold))
        keys.insert(key);
    }
    return keys;
  }
  if (!topic.joined) {
    if (topic.fanout.empty()) {
      const auto chosen =
          pick(topic, topic.sizes.degree, [&](PeerKey, const Peer& peer) { return score_of(peer) >= threshold; });
      for (const PeerKey key : chosen) topic.fanout.insert(key);
    }
    topic.last_publication = now.mono;
  }
  Keys keys = topic.joined ? topic.mesh : topic.fanout;
  for (const PeerKey key : outside_meshes_) {
    if (!topic.subscribers.contains(key)) continue;
    const Peer& peer = *peers_.at(key);
    if (peer.gets_all() || (peer.version == ProtocolVersion::floodsub && score_of(peer) >= threshold)) keys.insert(key);
  }
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
  const Entry entry(entered_, kNotFromCallbacks);
  if (!allowed(topic)) return Error(Errc::denied, "the topic filter refuses " + std::string(topic));
  std::optional<Named> named;
  PeerId author;
  OPP2P_TRY(auto message, make_own(topic, data, named, author));
  const MessageId& id = named->id;
  const SeenCache::Entry* seen = seen_.find(id, now.mono);
  if (seen != nullptr && (seen->state == SeenState::delivered || seen->state == SeenState::validating)) {
    return Publication{id, 0, false};
  }
  promises_.fulfil(id);  // who was asked for it meanwhile could only send us a duplicate
  Validation validation{
      std::string(topic), id, std::move(message), PeerId(), 0, {}, std::move(named->contents), now.mono, 0, 0,
      std::move(author)};
  if (check == LocalCheck::validate) {
    if (!admission_.has_room(0, {}, true, validation.bytes())) {
      return Error(Errc::exhausted, "the validator is busy with as many messages as it may hold; publish again later");
    }
    return Publication{id, begin_validation(std::move(validation), seen != nullptr, now), false};
  }
  if (seen != nullptr) {
    seen_.set(id, {SeenState::delivered, 0});
  } else {
    remember_seen(id, {SeenState::delivered, 0}, nullptr, PeerId(), now);
  }
  scores_.on_delivered(PeerId(), topic, id, now);
  ++counters_.published;
  trace(TraceKind::published, PeerId(), topic, id);
  spread(validation, now);
  return Publication{id, 0, true};
}

// A peer's messages are counted for its address, which it cannot change as easily as its name.
void Router::remember_seen(const MessageId& id, SeenCache::Entry entry, const AdmissionRecord* of, const PeerId& from,
                           Now now) {
  const ByteView owner = of != nullptr && !of->blocks.is_exempt() ? ByteView(of->blocks.narrow) : from.bytes();
  if (!seen_.add(id, entry, now.mono, as_text(owner))) return;
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
    if (peer.served.empty()) continue;
    for (const auto& id : ids) peer.served.erase(id);
  }
}

}  // namespace libp2p::gossipsub
