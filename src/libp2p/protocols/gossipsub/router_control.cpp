// Control messages in: IHAVE, IWANT, GRAFT, PRUNE, IDONTWANT, and the extensions that a peer speaks.
#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {
namespace {

// What go-libp2p-pubsub adds to the behaviour penalty for a repeated extensions control.
constexpr unsigned kRepeatedExtensionsPenalty = 10;

}  // namespace

void Router::handle_control(PeerKey key, Peer& peer, const Rpc& rpc, Now now) {
  handle_extensions(peer, rpc, now);
  if (!rpc.control) return;
  const Control& control = *rpc.control;
  handle_ihave(key, peer, control, now);
  handle_iwant(peer, control);
  const double score = control.graft.empty() ? 0 : score_of(peer);
  for (const auto& graft : control.graft) {
    if (graft.topic) handle_graft(key, peer, *graft.topic, score, now);
  }
  for (const auto& prune : control.prune) handle_prune(key, peer, prune, now);
  handle_idontwant(peer, control);
}

// They may come once only, in the first RPC (gossipsub v1.3). Partial messages are spoken where both sides say so.
void Router::handle_extensions(Peer& peer, const Rpc& rpc, Now now) {
  const bool said = rpc.control && rpc.control->extensions;
  const bool repeated = peer.had_first_rpc && said;
  if (!repeated && said && params().partial.enabled) {
    peer.speaks_partial = rpc.control->extensions->partial_messages.value_or(false);
  }
  peer.had_first_rpc = true;
  if (repeated) penalise(peer.id, FaultKind::repeated_extensions, kRepeatedExtensionsPenalty, now);
}

void Router::handle_ihave(PeerKey key, Peer& peer, const Control& control, Now now) {
  if (control.ihave.empty() || score_of(peer) < params().thresholds.gossip) return;
  const GossipParams& limits = params().gossip;
  if (++peer.ihave_rpcs > limits.max_ihave_messages) {
    if (peer.ihave_rpcs == limits.max_ihave_messages + 1) fault(peer.id, FaultKind::ihave_flood);
    return;
  }
  if (peer.ids_asked >= limits.max_ihave_length) return;
  std::set<MessageId> wanted;
  for (const auto& ihave : control.ihave) {
    if (!ihave.topic || joined_topic(*ihave.topic) == nullptr) continue;
    const std::size_t heeded = std::min(ihave.ids.size(), limits.max_ihave_length);
    if (ihave.ids.size() > heeded) fault(peer.id, FaultKind::ihave_flood);
    for (std::size_t i = 0; i < heeded; ++i) {
      const auto id = MessageId::from(ihave.ids[i]);
      if (id && !seen_.contains(*id, now.mono)) wanted.insert(*id);
    }
  }
  if (!wanted.empty()) ask_for(key, peer, {wanted.begin(), wanted.end()}, now);
}

void Router::ask_for(PeerKey key, Peer& peer, std::vector<MessageId> wanted, Now now) {
  rng_.shuffle(wanted);
  wanted.resize(std::min(wanted.size(), params().gossip.max_ihave_length - peer.ids_asked));
  OPP2P_ASSERT(!wanted.empty(), "somebody is asked for something", peer.ids_asked);
  peer.ids_asked += wanted.size();
  OPP2P_ASSERT(peer.ids_asked <= params().gossip.max_ihave_length, "a peer is asked for a bounded number of ids",
               peer.ids_asked);
  counters_.iwant_sent += wanted.size();
  trace(TraceKind::iwant_sent, peer.id).count = wanted.size();
  promises_.add(key, wanted.front(), now.mono + params().gossip.iwant_followup);
  peer.outbox.iwant(wanted);
}

void Router::handle_iwant(Peer& peer, const Control& control) {
  if (control.iwant.empty() || score_of(peer) < params().thresholds.gossip) return;
  std::size_t served = 0;
  for (const auto& iwant : control.iwant) {
    for (const auto& bytes : iwant.ids) {
      const auto id = MessageId::from(bytes);
      if (!id || peer.unwanted.contains(*id)) continue;
      const MessageCache::Entry* cached = cache_.find(*id);
      if (cached == nullptr || peer.outbox.waiting(*id)) continue;
      unsigned& answers = peer.served[*id];
      if (answers >= params().gossip.retransmissions) continue;
      ++answers;
      ++served;
      OPP2P_ASSERT(answers <= params().gossip.retransmissions, "a message is given to a peer a bounded number of times",
                   answers);
      queue_message(peer, *id, cached->message, Outbox::Kind::forwarded);
    }
  }
  if (served == 0) return;
  counters_.iwant_served += served;
  trace(TraceKind::iwant_served, peer.id).count = served;
}

void Router::handle_graft(PeerKey key, Peer& peer, std::string_view name, double score, Now now) {
  Topic* topic = joined_topic(name);
  if (topic == nullptr || peer.version == ProtocolVersion::floodsub || topic->mesh.contains(key)) return;
  const MeshParams& mesh = params().mesh;
  if (peer.direct) {
    fault(peer.id, FaultKind::direct_graft);
    return send_prune(key, peer, name, *topic, mesh.prune_backoff, Exchange::refused);
  }
  const auto refuse_graft = [&](Exchange exchange) {
    backoffs_.add(name, peer.id, mesh.prune_backoff, now.mono);
    send_prune(key, peer, name, *topic, mesh.prune_backoff, exchange);
  };
  if (const MonoTime* end = backoffs_.active(name, peer.id, now.mono)) {
    if (backoffs_.excuse(name, peer.id, peer.added, now.mono)) {
      fault(peer.id, FaultKind::graft_in_backoff);
      return send_prune(key, peer, name, *topic, *end - now.mono, Exchange::refused);
    }
    penalise(peer.id, FaultKind::graft_in_backoff, 1, now);
    if (now.mono < *end + mesh.graft_flood_threshold - mesh.prune_backoff) {
      penalise(peer.id, FaultKind::graft_flood, 1, now);
    }
    return refuse_graft(Exchange::refused);
  }
  if (score < 0) return refuse_graft(Exchange::refused);
  // A full mesh takes only those whom we chose to dial, a defence against being flooded with grafts, and those that
  // have delivered, when it is full of others that have not: those go at the next heartbeat.
  const auto unproven = [&](PeerKey member) { return !peers_.at(member)->admission.proof.holds(now.mono); };
  if (topic->mesh.size() >= topic->sizes.high && peer.direction == Direction::inbound &&
      (unproven(key) || std::none_of(topic->mesh.begin(), topic->mesh.end(), unproven))) {
    return refuse_graft(Exchange::allowed);
  }
  topic->enter_mesh(key);
  scores_.on_graft(peer.id, name, now);
  trace(TraceKind::graft, peer.id, name);
}

void Router::handle_prune(PeerKey key, Peer& peer, const Prune& prune, Now now) {
  if (!prune.topic) return;
  const std::string_view name = *prune.topic;
  Topic* topic = joined_topic(name);
  if (topic == nullptr) return;
  if (topic->leave_mesh(key)) {
    scores_.on_prune(peer.id, name, now);
    trace(TraceKind::prune, peer.id, name).prune = PruneCause::peer;
  }
  Nanos backoff = params().mesh.prune_backoff;
  if (prune.backoff.value_or(0) != 0) {
    const auto longest = std::chrono::duration_cast<Seconds>(params().mesh.max_peer_backoff);
    backoff = Seconds(static_cast<std::int64_t>(std::min(*prune.backoff, static_cast<std::uint64_t>(longest.count()))));
  }
  backoffs_.add(name, peer.id, backoff, now.mono);
  if (!prune.peers.empty()) take_named_peers(peer, prune);
}

void Router::handle_idontwant(Peer& peer, const Control& control) {
  if (control.idontwant.empty()) return;
  const GossipParams& limits = params().gossip;
  if (peer.idontwant_rpcs >= limits.max_idontwant_messages) {
    if (peer.idontwant_rpcs++ == limits.max_idontwant_messages) fault(peer.id, FaultKind::idontwant_flood);
    return;
  }
  ++peer.idontwant_rpcs;
  std::size_t heeded = 0;
  for (const auto& idontwant : control.idontwant) {
    for (const auto& bytes : idontwant.ids) {
      if (heeded++ >= limits.max_idontwant_length) return;
      const auto id = MessageId::from(bytes);
      if (!id) continue;
      ++counters_.idontwant_received;
      const std::uint64_t until = ticks_ + limits.idontwant_ttl;
      if (peer.unwanted.size() < limits.max_unwanted_ids) {
        *peer.unwanted.try_emplace(*id, until).first = until;
        OPP2P_ASSERT(peer.unwanted.size() <= limits.max_unwanted_ids, "ids that a peer does not want are bounded",
                     peer.unwanted);
      } else if (std::uint64_t* const known = peer.unwanted.find(*id)) {
        *known = until;
      } else {
        ++counters_.ignored_entries;
      }
      if (!peer.outbox.cancel(*id)) continue;
      ++counters_.suppressed_unwanted;
      trace_drop(DropCause::cancelled_unwanted, peer.id, {}, *id);
    }
  }
}

}  // namespace libp2p::gossipsub
