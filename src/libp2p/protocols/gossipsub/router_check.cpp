// The invariants of the router, for simulations, fuzzers and tests, between two inputs: what each table says of another
// is held against it, and all counts and bounds.
#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {

void Router::check() const {
  peers_.check();
  cache_.check();
  recent_.check();
  backoffs_.check();
  admission_.check();
  blacklist_.check();
  proofs_.check();
  promises_.check([this](PeerKey key) { return peers_.at(key) != nullptr; });
  partial_groups_.check([this](PeerKey key) { return peers_.at(key) != nullptr; });
  seen_.check([this](RequestId request, const MessageId& id) {
    const auto open = validating_.find(request);
    return open != validating_.end() && open->second.id == id;
  });
  for (const auto& [key, peer] : peers_.rows()) check_peer(key, peer);
  for (const PeerKey key : outside_meshes_)
    OPP2P_CHECK(peers_.at(key) != nullptr, "peers outside of meshes are there", key);
  for (const auto& [name, topic] : topics_) check_topic(name, topic);
  check_validations();
  OPP2P_CHECK(told_.empty(), "the driver is told when there is something to send", told_);
  OPP2P_CHECK(admission_.present() == peers_.size() + 1, "each peer stands in the tables of the admission",
              admission_.present(), peers_.size());
}

void Router::check_peer(PeerKey key, const Peer& peer) const {
  peer.outbox.check();
  peer.admission.naming.check();
  peer.admission.sure.check();
  OPP2P_CHECK(admission_.has_peer(key), "each peer stands in the tables of the admission", peer.id);
  OPP2P_CHECK(peer.ready_said || peer.outbox.empty(), "the driver is told when there is something to send", peer.id);
  OPP2P_CHECK(peer.blacklisted == blacklist_.contains(peer.id), "peer and blacklist know of each other", peer.id);
  OPP2P_CHECK(peer.topics.size() <= params().max_topics_per_peer, "the topics of a peer are bounded", peer.id);
  for (const auto& name : peer.topics) {
    const auto topic = topics_.find(name);
    OPP2P_CHECK(topic != topics_.end() && topic->second.subscribers.contains(key), "peer and topic know of each other",
                peer.id, name);
  }
  check_partial(key, peer);
  OPP2P_CHECK(outside_meshes_.contains(key) == peer.is_outside_meshes(), "peers outside of meshes are known", peer.id);
  const GossipParams& limits = params().gossip;
  OPP2P_CHECK(peer.counted_in <= ticks_, "no heartbeat is counted before it comes", peer.id, peer.counted_in, ticks_);
  OPP2P_CHECK(peer.ids_asked <= limits.max_ihave_length, "a peer is asked for a bounded number of ids", peer.id,
              peer.ids_asked);
  OPP2P_CHECK(peer.named_taken <= params().mesh.max_named_taken, "of what a peer names a bounded number is taken",
              peer.id, peer.named_taken);
  OPP2P_CHECK(peer.unwanted.size() <= limits.max_unwanted_ids, "ids that a peer does not want are bounded", peer.id,
              peer.unwanted);
  peer.unwanted.check();
  peer.unwanted.for_each([&](const MessageId&, std::uint64_t until) {
    OPP2P_CHECK(until <= ticks_ + limits.idontwant_ttl && (until > peer.counted_in || limits.idontwant_ttl == 0),
                "an IDONTWANT holds for some heartbeats", peer.id, until, ticks_);
  });
  for (const auto& [id, answers] : peer.served) {
    OPP2P_CHECK(cache_.find(id) != nullptr, "answers are counted while the message is cached", peer.id, answers);
    OPP2P_CHECK(answers <= limits.retransmissions, "a message is given to a peer a bounded number of times", peer.id,
                answers);
  }
}

void Router::check_topic(const std::string& name, const Topic& topic) const {
  OPP2P_CHECK(name.size() <= params().max_topic_length, "names of topics are bounded", name.size());
  OPP2P_CHECK(topic.joined == (topic.subscribed || topic.relays != 0), "a topic is joined that somebody here wants",
              name);
  OPP2P_CHECK(topic.joined || !topic.subscribers.empty(), "a topic that nobody is in is forgotten", name);
  OPP2P_CHECK(topic.joined || topic.mesh.empty(), "a topic that we have not joined has no mesh", name, topic.mesh);
  OPP2P_CHECK(!topic.joined || (topic.fanout.empty() && !topic.last_publication), "a joined topic has no fanout", name,
              topic.fanout);
  OPP2P_CHECK(topic.fanout.empty() || topic.last_publication.has_value(), "a fanout has been published to", name);
  OPP2P_CHECK(topic.max_message == max_message_of(name), "a topic has what its parameters say", name);
  OPP2P_CHECK(topic.fanout.size() <= topic.sizes.degree, "a fanout has the degree of a mesh", name, topic.fanout);
  for (const PeerKey key : topic.subscribers) {
    const Peer* peer = peers_.at(key);
    OPP2P_CHECK(peer != nullptr && peer->topics.contains(name), "peer and topic know of each other", name, key);
  }
  for (const PeerKey key : topic.mesh) {
    const Peer* peer = peers_.at(key);
    OPP2P_CHECK(peer != nullptr, "a peer that goes leaves all meshes", name, key);
    OPP2P_CHECK(peer->version != ProtocolVersion::floodsub, "a peer of the mesh reads control", name, peer->id);
    OPP2P_CHECK(!peer->direct, "direct peers stand outside of the mesh", name, peer->id);
    OPP2P_CHECK(!peer->blacklisted, "who is blacklisted is in no mesh", name, peer->id);
  }
  for (const PeerKey key : topic.newcomers)
    OPP2P_CHECK(topic.mesh.contains(key), "who is new in the mesh is in it", name, key);
  for (const PeerKey key : topic.fanout) {
    OPP2P_CHECK(topic.subscribers.contains(key), "a peer of the fanout is in the topic", name, key);
    OPP2P_CHECK(!peers_.at(key)->direct, "direct peers stand outside of the fanout", name, key);
  }
}

void Router::check_validations() const {
  std::size_t bytes = 0;
  MonoTime begun{};
  for (const auto& [request, validation] : validating_) {
    OPP2P_CHECK(request < next_request_, "requests grow and are never used again", request, next_request_);
    OPP2P_CHECK(validation.begun >= begun, "the first request is the oldest", request);
    OPP2P_CHECK(validation.from.empty() == (validation.from_key == 0), "only our own messages have no sender", request);
    for (const PeerKey key : validation.holders)
      OPP2P_CHECK(peers_.at(key) != nullptr, "who holds a message is there", request, key);
    begun = validation.begun;
    bytes += validation.bytes();
  }
  OPP2P_CHECK(admission_.items() == validating_.size(), "each message at the validator is counted once",
              admission_.items(), validating_);
  OPP2P_CHECK(admission_.bytes() == bytes, "the bytes at the validator are counted", admission_.bytes(), bytes);
}

}  // namespace libp2p::gossipsub
