// Partial messages in the router (partial_messages.hpp): who agrees to them, what comes in, what goes out, gossip.
//
// As go-libp2p-pubsub 0.19 where it and rust-libp2p differ: an IHAVE of a peer that sends partial messages is heeded.
// Unlike both: a peer that has not agreed to the extension is sent whole messages, whatever it says of a topic.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {
namespace {

// The part of the RPC's frame, or a copy where the RPC was built by hand.
SharedSlice slice_of(const Rpc& rpc, const std::optional<ByteView>& part) {
  if (!part || part->empty()) return {};
  if (!rpc.frame) return SharedSlice(share(to_bytes(*part)));
  return {rpc.frame, static_cast<std::size_t>(part->data() - rpc.frame->data()), part->size()};
}

}  // namespace

// ---- who agrees ----

PartialUse Router::own_partial(std::string_view topic) const {
  const auto found = partial_topics_.find(topic);
  return found == partial_topics_.end() ? PartialUse::none : found->second;
}

PartialUse Router::partial_of(const Peer& peer, std::string_view topic) {
  if (!peer.speaks_partial || peer.version != ProtocolVersion::v1_3) return PartialUse::none;
  const auto found = peer.partial.find(topic);
  return found == peer.partial.end() ? PartialUse::none : found->second;
}

PartialUse Router::partial_use(const PeerId& id, std::string_view topic) const {
  const Peer* const peer = peers_.find(id);
  return peer == nullptr ? PartialUse::none : partial_of(*peer, topic);
}

// It wants parts instead of whole messages, and we send them.
bool Router::takes_parts(const Peer& peer, std::string_view topic) const {
  return peer.speaks_partial && partial_of(peer, topic) == PartialUse::requests &&
         own_partial(topic) != PartialUse::none;
}

// It sends parts, and we want them instead of whole messages.
bool Router::sends_parts(const Peer& peer, std::string_view topic) const {
  return peer.speaks_partial && partial_of(peer, topic) != PartialUse::none &&
         own_partial(topic) == PartialUse::requests;
}

// Once the version of the stream that we write to is known: nothing has left on it yet.
void Router::announce_extensions(Peer& peer) {
  if (!params().partial.enabled || peer.version != ProtocolVersion::v1_3) return;
  peer.outbox.announce_extensions();
  say_ready(peer);
}

// After the subscriptions of the RPC: of what it says of a topic the last word counts.
void Router::hear_partial_uses(Peer& peer, const Rpc& rpc) {
  for (const SubOpts& said : rpc.subscriptions) {
    if (!said.topic || !said.subscribe.value_or(false) || !peer.topics.contains(*said.topic)) continue;
    const PartialUse use = said.requests_partial.value_or(false)           ? PartialUse::requests
                           : said.supports_sending_partial.value_or(false) ? PartialUse::supports
                                                                           : PartialUse::none;
    const auto known = peer.partial.find(*said.topic);
    if (known != peer.partial.end()) {
      known->second = use;  // none too: groups that it is in go with the subscription
    } else if (use != PartialUse::none) {
      peer.partial.emplace(*said.topic, use);
    }
  }
}

Result<void> Router::set_partial(std::string_view name, PartialUse use, Now) {
  const Entry entry(entered_, kNotFromCallbacks);
  if (!params().partial.enabled) return Error(Errc::unsupported, "partial messages are off (PartialParams::enabled)");
  if (!allowed(name)) return Error(Errc::denied, "the topic filter refuses " + std::string(name));
  if (own_partial(name) == use) return {};
  if (use == PartialUse::none) {
    partial_topics_.erase(partial_topics_.find(name));
    partial_groups_.remove_topic(name);
  } else {
    partial_topics_.insert_or_assign(std::string(name), use);
  }
  if (joined_topic(name) == nullptr) return {};
  for (auto& [key, peer] : peers_.rows()) {
    peer.outbox.announce(name, true, use);
    say_ready(peer);
  }
  return {};
}

// ---- in ----

void Router::handle_partial(PeerKey key, Peer& peer, const Rpc& rpc, Now) {
  const Partial& said = *rpc.partial;
  const std::string_view topic = said.topic.value_or(std::string_view());
  const ByteView group = said.group.value_or(ByteView());
  const ByteView metadata = said.metadata.value_or(ByteView());
  const std::size_t message = said.message.value_or(ByteView()).size();
  if (!peer.speaks_partial || own_partial(topic) == PartialUse::none) {
    return refuse_partial(peer, topic, DropCause::partial_not_enabled);
  }
  const PartialParams& limits = params().partial;
  if (++peer.partial_rpcs > limits.max_rpcs || group.size() > limits.max_group_id ||
      metadata.size() > limits.max_metadata) {
    return refuse_partial(peer, topic, DropCause::partial_bounds);
  }
  ++counters_.partials_received;
  const PartialGroups::Group* const known = partial_groups_.find(topic, group);
  const auto member = known == nullptr ? PartialGroups::Members::const_iterator() : known->members.find(key);
  const bool is_news = known == nullptr || member == known->members.end() || !equal(member->second.metadata, metadata);
  if (message == 0 && (metadata.empty() || !is_news)) return;
  // Nobody is blamed when the room of all is full.
  const bool is_own_doing = known == nullptr && partial_groups_.has_its_share(topic, key);
  if (!partial_groups_.receive(topic, group, key, metadata, ticks_)) {
    return refuse_partial(peer, topic, DropCause::partial_bounds, is_own_doing);
  }
  trace(TraceKind::partial_received, peer.id, topic).count = message;
  actions_.push_back(PartialReceived{peer.id, std::string(topic), to_bytes(group), slice_of(rpc, said.message),
                                     slice_of(rpc, said.metadata)});
}

void Router::refuse_partial(Peer& peer, std::string_view topic, DropCause cause, bool is_own_doing) {
  const bool is_flood = cause == DropCause::partial_bounds;
  ++(is_flood ? counters_.dropped_partial_bounds : counters_.dropped_partial_not_enabled);
  trace_drops(cause, peer, topic.substr(0, params().max_topic_length));
  if (!is_flood || !is_own_doing || peer.partial_flood_told) return;
  peer.partial_flood_told = true;
  fault(peer.id, FaultKind::partial_flood);
}

void Router::judge_partial(const PeerId& id, std::string_view topic, PartialVerdict verdict, Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  const Peer* const peer = peers_.find(id);
  const bool is_useful = verdict == PartialVerdict::useful;
  if (!is_useful) ++counters_.partials_invalid;
  if (peer == nullptr) return;
  scores_.on_partial(id, topic, is_useful, now);
  if (!is_useful) fault(id, FaultKind::invalid_partial);
}

// ---- out ----

// One publication to a group. Peers that are sent the same share a frame.
struct Router::PartialBatch {
  std::string topic;
  Bytes group;
  const PartialPartsFn& parts;
  PartialParts last = {};
  SharedBytes last_frame = nullptr;
};

Result<std::size_t> Router::publish_partial(std::string_view name, ByteView group, const PartialPartsFn& parts,
                                            Now now) {
  const Entry entry(entered_, kNotFromCallbacks);
  if (!params().partial.enabled) return Error(Errc::unsupported, "partial messages are off (PartialParams::enabled)");
  if (own_partial(name) == PartialUse::none) {
    return Error(Errc::invalid_argument, "the topic has no partial messages (set_partial): " + std::string(name));
  }
  if (group.size() > params().partial.max_group_id) {
    return Error(Errc::too_large, "the id of the group is longer than PartialParams::max_group_id");
  }
  PartialGroups::Group* const state = partial_groups_.publish(name, group, ticks_);
  if (state == nullptr) {
    return Error(Errc::exhausted,
                 "the topic has as many groups of our own as PartialParams::max_own_groups; those "
                 "that are not published to end by themselves");
  }
  for (const PeerKey key : recipients(name, true, now)) {
    const Peer& peer = *peers_.at(key);
    if (takes_parts(peer, name) || sends_parts(peer, name)) partial_groups_.join(*state, key);
  }
  PartialBatch batch{std::string(name), to_bytes(group), parts};
  std::size_t sent = 0;
  std::optional<Error> failed;
  for (auto& [key, member] : state->members) {
    const Peer& peer = *peers_.at(key);
    if (!peer.speaks_partial || peer.version != ProtocolVersion::v1_3) continue;
    if (score_of(peer) < params().thresholds.gossip) continue;
    const Result<bool> done = send_parts(batch, key, member);
    if (!done) failed = done.error();
    if (done && *done) ++sent;
  }
  if (failed) return *failed;
  return sent;
}

Result<bool> Router::send_parts(PartialBatch& batch, PeerKey key, PartialGroups::Member& member) {
  Peer& peer = *peers_.at(key);
  const bool wants_parts = partial_of(peer, batch.topic) == PartialUse::requests;
  PartialParts made = batch.parts(PartialPeer{peer.id, wants_parts, member.metadata, member.told});
  if (!wants_parts) made.message.clear();
  if (made.message.empty() && (made.metadata.empty() || equal(made.metadata, member.told))) return false;
  const std::size_t most = params().partial.max_metadata;
  if (made.metadata.size() > most || (made.peer_metadata && made.peer_metadata->size() > most)) {
    return Error(Errc::too_large, "metadata of a partial message is longer than PartialParams::max_metadata");
  }
  const bool is_same = batch.last_frame && batch.last.message == made.message && batch.last.metadata == made.metadata;
  if (!is_same) {
    Rpc rpc;
    Partial& partial = rpc.partial.emplace();
    partial.topic = batch.topic;
    partial.group = ByteView(batch.group);
    if (!made.message.empty()) partial.message = ByteView(made.message);
    if (!made.metadata.empty()) partial.metadata = ByteView(made.metadata);
    SharedBytes frame = encode_frame(rpc);
    if (frame->size() > params().rpc.max_rpc) {
      return Error(Errc::too_large, "a partial message is larger than RpcLimits::max_rpc");
    }
    batch.last_frame = std::move(frame);
  }
  // Without room it is not remembered, and told again with the next publication.
  if (!made.metadata.empty()) partial_groups_.set(member.told, made.metadata);
  if (!made.message.empty() && made.peer_metadata) partial_groups_.set(member.metadata, *made.peer_metadata);
  queue_partial(key, peer, {batch.topic, batch.group, batch.last_frame, !made.message.empty()});
  batch.last = std::move(made);
  return true;
}

// Who missed a partial message is as one that has heard nothing yet.
void Router::queue_partial(PeerKey key, Peer& peer, PartialOutbox::Item item) {
  ++counters_.partials_sent;
  trace(TraceKind::partial_sent, peer.id, item.topic).count = item.frame->size();
  const PartialParams& limits = params().partial;
  for (const auto& gone :
       peer.outbox.partials().push(std::move(item), limits.max_outbox_items, limits.max_outbox_bytes)) {
    ++counters_.dropped_outbox_partial;
    trace_drop(DropCause::outbox_partial, peer.id, gone.topic, {});
    partial_groups_.forget_member(gone.topic, gone.group, key);
  }
  say_ready(peer);
}

// Of the peers that gossip is for, those that take parts hear of our groups and not of messages; only the application
// knows what to say of a group. They are taken out of `chosen`.
void Router::emit_partial_gossip(const std::string& name, std::vector<PeerKey>& chosen) {
  const auto takes = [&](PeerKey key) { return takes_parts(*peers_.at(key), name); };
  const auto in_parts = std::stable_partition(chosen.begin(), chosen.end(), [&](PeerKey key) { return !takes(key); });
  for (const Bytes& id : in_parts == chosen.end() ? std::vector<Bytes>() : partial_groups_.published(name)) {
    PartialGroups::Group& group = *partial_groups_.find_mutable(name, id);
    std::vector<PeerId> news;
    for (auto at = in_parts; at != chosen.end(); ++at) {
      if (partial_groups_.join(group, *at)) news.push_back(peers_.at(*at)->id);
    }
    if (!news.empty()) actions_.push_back(PartialGossip{name, id, std::move(news)});
  }
  chosen.erase(in_parts, chosen.end());
}

void Router::check_partial(PeerKey, const Peer& peer) const {
  OPP2P_CHECK(params().partial.enabled || (!peer.speaks_partial && peer.partial.empty()),
              "partial messages are spoken where they are enabled", peer.id);
  OPP2P_CHECK(peer.partial.size() <= peer.topics.size(), "who has partial messages in a topic is in it", peer.id);
  OPP2P_CHECK(peer.outbox.partials().items() <= params().partial.max_outbox_items &&
                  peer.outbox.partials().bytes() <= params().partial.max_outbox_bytes,
              "partial messages that wait for a peer are bounded", peer.id);
}

}  // namespace libp2p::gossipsub
