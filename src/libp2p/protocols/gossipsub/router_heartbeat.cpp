// What the router does by time: mesh and fanout upkeep, gossip, the end of promises, backoffs and cache windows
// (gossipsub v1.0, "Router State" and "Heartbeat procedure"; v1.1 for scores, outbound quota and opportunistic
// grafting).
#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {
namespace {

constexpr std::uint64_t kBackoffSweepTicks = 15;

}  // namespace

void Router::heartbeat(Now now) {
  ++ticks_;
  ++counters_.heartbeats;
  if (ticks_ % kBackoffSweepTicks == 0) {
    backoffs_.forget_expired(now.mono);
    admission_.refusals().forget_recovered(now.mono);
  }
  seen_.forget_expired(now.mono);
  end_blacklisting(blacklist_.take_expired(now.mono));
  counters_.partial_groups_ended += partial_groups_.on_heartbeat(ticks_);
  for (const auto& [key, count] : promises_.take_broken(now.mono)) {
    const Peer* peer = peers_.at(key);
    if (peer != nullptr && now.mono >= peer->excused_until) penalise(peer->id, FaultKind::broken_promise, count, now);
  }
  connect_direct_peers();
  Scores scores(peers_.size());  // one look at each score per heartbeat
  for (auto& [name, topic] : topics_) {
    if (!topic.joined) continue;
    maintain_mesh(name, topic, scores, now);
    emit_gossip(name, topic, topic.mesh, scores);
  }
  maintain_fanouts(scores, now);
  forget_served(cache_.shift());
  say_ready_to_told();
}

// In the order of the peers.
void Router::say_ready_to_told() {
  std::sort(told_.begin(), told_.end());
  actions_.reserve(actions_.size() + told_.size());
  for (const PeerKey key : told_) say_ready(*peers_.at(key));  // once, though it may be there twice
  told_.clear();
}

// At the first heartbeat, and again after so many.
void Router::connect_direct_peers() {
  const std::uint64_t period = params().direct_connect_ticks;
  if (period == 0 || (ticks_ - 1) % period != 0) return;
  for (const PeerId& id : config_.direct) {
    if (peers_.find(id) == nullptr && !blacklist_.contains(id)) actions_.push_back(Connect{.peer = id});
  }
}

void Router::maintain_mesh(const std::string& name, Topic& topic, Scores& scores, Now now) {
  const MeshSizes& mesh = topic.sizes;
  const Keys before = topic.mesh;
  for (const PeerKey key : before) {
    if (const double score = cached_score(key, scores); score < 0) {
      prune(name, topic, key, PruneCause::score, score, now);
    }
  }
  const auto fits = [&](PeerKey key, const Peer& peer) {
    return may_graft(name, topic, key, peer, now) && cached_score(key, scores) >= 0;
  };
  if (topic.mesh.size() < mesh.low && mesh.degree > topic.mesh.size()) {
    for (const PeerKey key : pick_proven_first(topic, mesh.degree - topic.mesh.size(), fits, now)) {
      graft(name, topic, key, now);
    }
  }
  if (topic.mesh.size() >= mesh.high) prune_excess(name, topic, scores, now);
  if (topic.mesh.size() >= mesh.low) {
    const auto outbound =
        static_cast<std::size_t>(std::count_if(topic.mesh.begin(), topic.mesh.end(), [&](PeerKey key) {
          return peers_.at(key)->direction == Direction::outbound;
        }));
    const auto dialled = [&](PeerKey key, const Peer& peer) {
      return peer.direction == Direction::outbound && fits(key, peer);
    };
    if (outbound < mesh.outbound) {
      for (const PeerKey key : pick(topic, mesh.outbound - outbound, dialled)) graft(name, topic, key, now);
    }
  }
  const std::uint64_t period = params().mesh.opportunistic_graft_ticks;
  if (period != 0 && ticks_ % period == 0) graft_opportunistically(name, topic, scores, now);
}

// Keeps the best by score, then those that have delivered, the rest at random, and sees to it that enough of those kept
// were dialled by us.
void Router::prune_excess(const std::string& name, Topic& topic, Scores& scores, Now now) {
  const MeshSizes& mesh = topic.sizes;
  if (topic.mesh.size() <= mesh.degree) return;
  std::vector<PeerKey> order(topic.mesh.begin(), topic.mesh.end());
  rng_.shuffle(order);
  const auto is_proven = [&](PeerKey key) { return peers_.at(key)->admission.proof.holds(now.mono); };
  std::stable_partition(order.begin(), order.end(), is_proven);
  std::stable_sort(order.begin(), order.end(),
                   [&](PeerKey a, PeerKey b) { return cached_score(a, scores) > cached_score(b, scores); });
  const std::size_t sure = std::min(params().mesh.keep_by_score, order.size());
  std::vector<PeerKey> rest(order.begin() + static_cast<std::ptrdiff_t>(sure), order.end());
  rng_.shuffle(rest);
  std::stable_partition(rest.begin(), rest.end(), is_proven);
  std::copy(rest.begin(), rest.end(), order.begin() + static_cast<std::ptrdiff_t>(sure));

  const auto is_outbound = [&](PeerKey key) { return peers_.at(key)->direction == Direction::outbound; };
  const auto kept_end = order.begin() + static_cast<std::ptrdiff_t>(mesh.degree);
  const auto kept_outbound = static_cast<std::size_t>(std::count_if(order.begin(), kept_end, is_outbound));
  if (kept_outbound < mesh.outbound) {
    // Those kept: outbound ones to the front, out of harm's way; then outbound ones from outside push out the last
    // kept.
    std::stable_partition(order.begin(), kept_end, is_outbound);
    std::size_t missing = mesh.outbound - kept_outbound;
    for (std::size_t i = mesh.degree; i < order.size() && missing > 0; ++i) {
      if (!is_outbound(order[i])) continue;
      std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(i),
                  order.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      --missing;
    }
  }
  for (std::size_t i = mesh.degree; i < order.size(); ++i) prune(name, topic, order[i], PruneCause::excess, 0, now);
  OPP2P_ASSERT(topic.mesh.size() == mesh.degree, "a mesh that was too large has its degree", name, topic.mesh);
}

// Out of a mesh of poor peers: when the median is low, a few better ones are taken in. Where scores tell nobody apart,
// as op-node's do, those are better that have delivered, when hardly anybody in the mesh has.
void Router::graft_opportunistically(const std::string& name, Topic& topic, Scores& scores, Now now) {
  const auto is_proven = [&](const Peer& peer) { return peer.admission.proof.holds(now.mono); };
  const auto proven = static_cast<std::size_t>(
      std::count_if(topic.mesh.begin(), topic.mesh.end(), [&](PeerKey key) { return is_proven(*peers_.at(key)); }));
  if (proven < params().mesh.opportunistic_graft_peers) {
    const auto fits = [&](PeerKey key, const Peer& peer) {
      return is_proven(peer) && may_graft(name, topic, key, peer, now) && cached_score(key, scores) >= 0;
    };
    const auto chosen = pick(topic, params().mesh.opportunistic_graft_peers - proven, fits);
    for (const PeerKey key : chosen) graft(name, topic, key, now);
  }
  if (topic.mesh.size() <= 1) return;
  std::vector<double> values;
  for (const PeerKey key : topic.mesh) values.push_back(cached_score(key, scores));
  std::sort(values.begin(), values.end());
  OPP2P_ASSERT(values.size() == topic.mesh.size(), "each peer of the mesh has a score", values, topic.mesh);
  const double median = values[values.size() / 2];
  if (median >= params().thresholds.opportunistic_graft) return;
  const auto better = [&](PeerKey key, const Peer& peer) {
    return may_graft(name, topic, key, peer, now) && cached_score(key, scores) > median;
  };
  for (const PeerKey key : pick(topic, params().mesh.opportunistic_graft_peers, better)) graft(name, topic, key, now);
}

void Router::maintain_fanouts(Scores& scores, Now now) {
  const double threshold = params().thresholds.publish;
  for (auto& [name, topic] : topics_) {
    if (topic.joined || !topic.last_publication) continue;
    if (*topic.last_publication + params().mesh.fanout_ttl < now.mono) {
      topic.fanout.clear();
      topic.last_publication.reset();
      continue;
    }
    for (auto at = topic.fanout.begin(); at != topic.fanout.end();) {
      at = cached_score(*at, scores) < threshold ? topic.fanout.erase(at) : std::next(at);
    }
    const auto fits = [&](PeerKey key, const Peer&) {
      return !topic.fanout.contains(key) && cached_score(key, scores) >= threshold;
    };
    if (topic.fanout.size() < topic.sizes.degree) {
      const auto chosen = pick(topic, topic.sizes.degree - topic.fanout.size(), fits);
      for (const PeerKey key : chosen) topic.fanout.insert(key);
      OPP2P_ASSERT(topic.fanout.size() <= topic.sizes.degree, "a fanout has the degree of a mesh", name, topic.fanout);
    }
    emit_gossip(name, topic, topic.fanout, scores);
  }
}

// IHAVE to peers in the topic that do not get the messages themselves: a share of them, Dlazy at least. Once also to
// each peer that came into the mesh since the last gossip: a message that came right before is neither forwarded to it
// nor gossiped to a member of the mesh, so that a node which comes into all its meshes at one time would miss it.
void Router::emit_gossip(const std::string& name, Topic& topic, const Keys& exclude, Scores& scores) {
  const Keys newcomers = std::exchange(topic.newcomers, {});
  std::vector<MessageId> ids = cache_.gossip_ids(name);
  const std::size_t limit = params().gossip.max_ihave_length;
  const bool in_parts = partial_groups_.size() != 0 && own_partial(name) != PartialUse::none;
  if ((ids.empty() || limit == 0) && !in_parts) return;
  const auto fits = [&](PeerKey key, const Peer&) {
    return !exclude.contains(key) && cached_score(key, scores) >= params().thresholds.gossip;
  };
  std::vector<PeerKey> chosen = pick(topic, topic.subscribers.size(), fits);
  const auto share = static_cast<std::size_t>(params().mesh.gossip_factor * static_cast<double>(chosen.size()));
  chosen.resize(std::min(chosen.size(), std::max(params().mesh.lazy, share)));
  chosen.insert(chosen.end(), newcomers.begin(), newcomers.end());
  if (in_parts) emit_partial_gossip(name, chosen);
  if (ids.empty() || limit == 0) return;
  rng_.shuffle(ids);
  if (ids.size() <= limit) {
    const auto all = std::make_shared<const Outbox::Gossip>(Outbox::Gossip{name, std::move(ids)});
    for (const PeerKey key : chosen) peers_.at(key)->outbox.ihave(all);
    told_.insert(told_.end(), chosen.begin(), chosen.end());
    return;
  }
  for (const PeerKey key : chosen) {
    rng_.shuffle(ids);  // another part of them for every peer
    peers_.at(key)->outbox.ihave(name, {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(limit)});
    told_.push_back(key);
  }
}

double Router::cached_score(PeerKey key, Scores& scores) const {
  const std::size_t place = peers_.place_of(key);
  OPP2P_ASSERT(place < scores.size(), "a peer of a topic is there", key);
  std::optional<double>& score = scores[place];
  if (!score) score = score_of(*peers_.at(key));
  return *score;
}

// Up to `count` peers of the topic that speak gossipsub and fit, at random. Direct ones get everything anyway.
std::vector<PeerKey> Router::pick(const Topic& topic, std::size_t count, const Fits& fits) {
  std::vector<PeerKey> chosen;
  for (const PeerKey key : topic.subscribers) {
    const Peer& peer = *peers_.at(key);
    if (peer.speaks_mesh() && !peer.direct && fits(key, peer)) chosen.push_back(key);
  }
  rng_.shuffle(chosen);
  chosen.resize(std::min(chosen.size(), count));
  return chosen;
}

// The same, those first that have delivered.
std::vector<PeerKey> Router::pick_proven_first(const Topic& topic, std::size_t count, const Fits& fits, Now now) {
  std::vector<PeerKey> chosen = pick(topic, topic.subscribers.size(), fits);
  std::stable_partition(chosen.begin(), chosen.end(),
                        [&](PeerKey key) { return peers_.at(key)->admission.proof.holds(now.mono); });
  chosen.resize(std::min(chosen.size(), count));
  return chosen;
}

bool Router::may_graft(const std::string& name, const Topic& topic, PeerKey key, const Peer& peer, Now now) const {
  return !topic.mesh.contains(key) && !backoffs_.blocks(name, peer.id, now.mono);
}

void Router::graft(const std::string& name, Topic& topic, PeerKey key, Now now) {
  Peer& peer = *peers_.at(key);
  OPP2P_ASSERT(topic.joined && peer.speaks_mesh() && !backoffs_.blocks(name, peer.id, now.mono),
               "we graft who can read it, in a topic of ours, when its backoff is over", name, peer.id);
  const bool is_new = topic.enter_mesh(key);
  OPP2P_ASSERT(is_new, "who is grafted was not in the mesh", name, peer.id);
  peer.outbox.graft(name);
  told_.push_back(key);
  scores_.on_graft(peer.id, name, now);
  trace(TraceKind::graft, peer.id, name);
}

void Router::prune(const std::string& name, Topic& topic, PeerKey key, PruneCause cause, double score, Now now) {
  Peer& peer = *peers_.at(key);
  const bool gone = topic.leave_mesh(key);
  OPP2P_ASSERT(gone, "who is pruned was in the mesh", name, peer.id);
  backoffs_.add(name, peer.id, params().mesh.prune_backoff, now.mono);
  send_prune(key, peer, name, topic, params().mesh.prune_backoff,
             cause == PruneCause::excess ? Exchange::allowed : Exchange::refused);
  scores_.on_prune(peer.id, name, now);
  Trace& told = trace(TraceKind::prune, peer.id, name);
  told.prune = cause;
  told.score = score;
}

}  // namespace libp2p::gossipsub
