// What the router shows of itself.
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {
namespace {

std::vector<PeerId> ids_of(const boost::container::flat_set<PeerKey>& keys, const PeerTable& peers) {
  std::vector<PeerId> ids;
  for (const PeerKey key : keys) ids.push_back(peers.at(key)->id);
  return ids;
}

}  // namespace

std::vector<std::string> Router::topics() const {
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_) {
    if (topic.joined) names.push_back(name);
  }
  return names;
}

std::vector<PeerId> Router::mesh(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? std::vector<PeerId>() : ids_of(found->second.mesh, peers_);
}

std::vector<PeerId> Router::fanout(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? std::vector<PeerId>() : ids_of(found->second.fanout, peers_);
}

std::vector<PeerId> Router::subscribers(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? std::vector<PeerId>() : ids_of(found->second.subscribers, peers_);
}

bool Router::in_backoff(std::string_view topic, const PeerId& peer, MonoTime now) const {
  return backoffs_.active(topic, peer, now) != nullptr;
}

std::vector<BackoffLeft> Router::backoffs(MonoTime now) const { return backoffs_.left(now); }

void Router::restore_backoffs(std::span<const BackoffLeft> before, MonoTime now) {
  for (const BackoffLeft& backoff : before) {
    if (!allowed(backoff.topic)) continue;
    BackoffLeft bounded = backoff;
    bounded.left = std::min<Nanos>(bounded.left, params().mesh.max_peer_backoff + params().mesh.backoff_slack);
    backoffs_.restore(bounded, now);
  }
}

bool Router::is_proven(const PeerId& id, MonoTime now) const {
  const Peer* peer = peers_.find(id);
  return peer != nullptr && peer->admission.proof.holds(now);
}

Router::Sizes Router::sizes() const {
  Sizes sizes;
  sizes.peers = peers_.size();
  sizes.topics = topics_.size();
  for (const auto& [name, topic] : topics_) {
    sizes.subscriptions += topic.subscribers.size();
    sizes.mesh_links += topic.mesh.size();
    sizes.fanout_links += topic.fanout.size();
  }
  for (const auto& [key, peer] : peers_.rows()) {
    sizes.outbox_items += peer.outbox.items();
    sizes.outbox_bytes += peer.outbox.bytes();
    sizes.outbox_partials += peer.outbox.partials().items();
  }
  sizes.backoffs = backoffs_.size();
  sizes.promises = promises_.size();
  sizes.seen = seen_.size();
  sizes.cached = cache_.size();
  sizes.cached_bytes = cache_.bytes();
  sizes.validating = validating_.size();
  sizes.validating_bytes = admission_.bytes();
  sizes.refusers = admission_.refusals().size();
  sizes.blacklisted = blacklist_.size();
  sizes.partial_groups = partial_groups_.size();
  sizes.partial_bytes = partial_groups_.bytes();
  return sizes;
}

}  // namespace libp2p::gossipsub
