#include "opp2p/node/node_snapshots.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/peerstore.hpp"
#include "opstack/reputation/gossip_scores.hpp"
#include "opstack/rules/topics.hpp"

namespace opp2p {
namespace sync = opstack::sync;
using libp2p::PeerId;

namespace {

// What a peer says of itself, as much of it as a snapshot keeps. The cut may split a character; JSON replaces it then.
std::string bounded(std::string text) {
  if (text.size() > kMaxPeerText) text.resize(kMaxPeerText);
  return text;
}

std::vector<StatusSnapshot::Hole> holes_of(const sync::UnsafeChain& chain, std::uint64_t genesis) {
  std::vector<StatusSnapshot::Hole> out;
  const auto& lower = chain.lower_segments();
  const auto add = [&](const sync::SegmentView& above, std::uint64_t highest_below) {
    if (above.is_base || out.size() == StatusSnapshot::kMostHoles) return;
    out.push_back({highest_below + 1, above.lowest.number - 1, above.lowest.parent_hash});
  };
  if (chain.head()) add(chain.segment(), lower.empty() ? genesis : lower.back().highest);
  for (std::size_t i = lower.size(); i-- > 0;) add(lower[i], i == 0 ? genesis : lower[i - 1].highest);
  return out;
}

}  // namespace

sync::BlockRef NodeSnapshots::head() const {
  OPP2P_ASSERT(parts_.follower, "only a node that has started has a head");
  const auto& genesis = view_.config().rollup.genesis.l2;
  return parts_.follower->stored_head().value_or(sync::BlockRef{genesis.number, genesis.hash, {}});
}

PeerSnapshot NodeSnapshots::self() const {
  PeerSnapshot out;
  out.id = parts_.host->id();
  out.key = parts_.host->identity().public_key();
  out.addresses = parts_.announced;
  for (auto& address : parts_.host->listen_addresses())
    if (std::find(out.addresses.begin(), out.addresses.end(), address) == out.addresses.end())
      out.addresses.push_back(std::move(address));
  out.gossip_blocks = true;
  return out;
}

PeerList NodeSnapshots::list_peers(bool connected_only) const {
  PeerList out;
  const auto connected = parts_.host->connected_peers();
  out.ids = connected_only ? connected : parts_.host->peerstore().peers();
  // op-node has its own key in its peerstore, so it lists itself among the peers that it knows.
  std::erase(out.ids, parts_.host->id());
  if (!connected_only) out.ids.push_back(parts_.host->id());
  out.connected = connected.size();
  for (const auto& topic : opstack::rules::blocks_topics(view_.config().rollup.l2_chain_id)) {
    const auto subscribers = parts_.gossip->router().subscribers(topic);
    out.gossiping.insert(out.gossiping.end(), subscribers.begin(), subscribers.end());
  }
  std::sort(out.gossiping.begin(), out.gossiping.end());
  return out;
}

PeerSnapshot NodeSnapshots::snapshot_of(const PeerId& peer, const PeerList& list) const {
  const auto& known = parts_.host->peerstore();
  PeerSnapshot out;
  if (peer == parts_.host->id()) {
    out = self();
    out.gossip_blocks = false;  // as in op-node: it is no subscriber of its own
    return out;
  }
  out.id = peer;
  out.key = known.key(peer);
  if (!out.key) out.key = peer.public_key();
  out.user_agent = bounded(known.agent(peer));
  out.protocol_version = bounded(known.protocol_version(peer));
  out.addresses = known.addresses(peer, parts_.host->runtime().now().mono);
  if (out.addresses.size() > kMaxPeerAddresses)
    out.addresses.erase(out.addresses.begin() + kMaxPeerAddresses, out.addresses.end());
  out.protocols = known.protocols(peer);
  if (out.protocols->size() > kMaxPeerProtocols) out.protocols->resize(kMaxPeerProtocols);
  for (auto& protocol : *out.protocols) protocol = bounded(std::move(protocol));
  const auto connections = parts_.host->connections(peer);
  if (!connections.empty()) {
    out.connectedness = Connectedness::connected;
    out.direction = connections.front().direction;
  }
  out.is_protected = parts_.host->is_spared(peer);  // by any tag, as in op-node
  out.latency = known.latency(peer);
  out.gossip_blocks = std::binary_search(list.gossiping.begin(), list.gossiping.end(), peer);
  if (const auto score = score_of(peer)) {
    out.score = opstack::reputation::gossip_scores(*score);
  } else if (parts_.reputation && parts_.reputation->scorer() != nullptr) {  // as in op-node, which reads its store
    if (const auto stored = parts_.reputation->scores_of(peer)) out.score = stored->gossip;
  }
  return out;
}

std::optional<libp2p::gossipsub::PeerScoreParts> NodeSnapshots::score_of(const PeerId& peer) const {
  if (!parts_.scoring) return std::nullopt;
  return parts_.scoring->score_of(peer);
}

PeerStatsSnapshot NodeSnapshots::peer_stats() const {
  PeerStatsSnapshot out;
  out.connected = parts_.host->connected_peers().size();
  const auto topics = opstack::rules::blocks_topics(view_.config().rollup.l2_chain_id);
  for (std::size_t i = 0; i < topics.size(); ++i)
    out.blocks_topic[i] = parts_.gossip->router().subscribers(topics[i]).size();
  out.known = parts_.host->peerstore().size() + 1;  // with the node itself, as in op-node
  return out;
}

StatusSnapshot NodeSnapshots::status() const {
  const auto& rollup = view_.config().rollup;
  const auto now = libp2p::unix_seconds(parts_.host->runtime().now().wall);
  const auto topic =
      opstack::rules::blocks_topic(rollup.l2_chain_id, rollup.payload_version(static_cast<std::uint64_t>(now)));
  const auto stored = head();
  StatusSnapshot out;
  out.peer_id = parts_.host->id();
  out.head_number = stored.number;
  out.head_hash = stored.hash;
  out.highest_seen = parts_.follower->chain().highest_seen();
  out.peers = parts_.host->connected_peers().size();
  out.mesh = parts_.gossip->router().mesh(topic).size();
  out.stats = counter_.stats();
  const auto& chain = parts_.follower->chain();
  const auto mono = parts_.host->runtime().now().mono;
  if (const auto target = chain.sync_target(mono); target && target->number > stored.number + 1)
    out.gap = StatusSnapshot::Gap{stored.number, target->number};
  out.connected_from = chain.head() ? chain.segment().lowest.number : stored.number;
  out.hole_count = chain.holes();
  out.holes = holes_of(chain, rollup.genesis.l2.number);
  out.settled = chain.settled(mono);
  return out;
}

NodeSizes NodeSnapshots::sizes() const {
  NodeSizes out;
  for (const auto& connection : parts_.host->connections()) {
    ++out.connections;
    out.streams += connection.streams;
    out.most_streams = std::max(out.most_streams, connection.streams);
  }
  out.gossip = parts_.gossip->router().sizes();
  out.gossip_sending = parts_.gossip->queued_bytes();
  out.gossip_receiving = parts_.gossip->unfinished_bytes();
  if (parts_.blocks) out.validating = parts_.blocks->validating();
  if (parts_.follower) {
    out.waiting_blocks = parts_.follower->chain().waiting_blocks();
    out.waiting_bytes = parts_.follower->chain().waiting_bytes();
    if (const auto* client = parts_.follower->client()) {
      out.requests = client->scheduler().in_flight();
      out.sync_bytes = client->scheduler().memory_bytes();
    }
  }
  if (parts_.server) {
    out.serving = parts_.server->serving();
    out.serving_bytes = parts_.server->sending_bytes();
  }
  return out;
}

NodeReadings NodeSnapshots::readings() const {
  NodeReadings out;
  if (parts_.host && parts_.identify && parts_.gossip) read_network(out);
  if (parts_.reputation) {
    out.peer_bans = parts_.reputation->peer_ban_counts();
    out.ip_bans = parts_.reputation->ip_ban_counts();
  }
  if (parts_.blocking) {
    out.blocked_peers = parts_.blocking->peer_rules();
    out.blocked_ips = parts_.blocking->ip_rules();
    out.blocked_subnets = parts_.blocking->subnet_rules();
  }
  if (!parts_.host || !parts_.follower) return out;
  const auto& chain = parts_.follower->chain();
  out.head_number = head().number;
  out.highest_seen = chain.highest_seen();
  out.holes = chain.holes();
  out.lowest_waiting = chain.sync_target(parts_.host->runtime().now().mono);
  return out;
}

void NodeSnapshots::read_network(NodeReadings& out) const {
  auto& host = *parts_.host;
  out.host = host.counters();
  out.peerstore = host.peerstore().counters();
  out.identify = parts_.identify->counters();
  out.gossip = parts_.gossip->counters();
  const auto& router = parts_.gossip->router();
  out.router = router.counters();
  out.sizes = sizes();
  std::set<PeerId> seen;
  for (const auto& connection : host.connections()) {
    const std::size_t direction = connection.direction == libp2p::Direction::inbound ? 0 : 1;
    ++out.connections[direction];
    if (seen.insert(connection.peer).second) ++out.peers[direction];
    out.bytes_in += connection.bytes_in;
    out.bytes_out += connection.bytes_out;
  }
  out.static_peers = view_.static_peers();
  for (const auto& peer : seen) out.static_connected += view_.is_static(peer);
  out.known_peers = host.peerstore().size();
  out.stranger_memory = host.memory().used();
  out.stranger_memory_limit = host.memory().limit();
  const auto topics = opstack::rules::blocks_topics(view_.config().rollup.l2_chain_id);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    out.mesh[i] = router.mesh(topics[i]).size();
    out.topic_peers[i] = router.subscribers(topics[i]).size();
  }
  if (parts_.blocks) out.publishing = parts_.blocks->publisher().making();
}

void NodeSnapshots::each_score(const TakeScore& take) const {
  if (!parts_.host) return;
  for (const auto& peer : parts_.host->connected_peers()) {
    const auto score = score_of(peer);
    if (!score) continue;
    const auto record = parts_.reputation ? parts_.reputation->scores_of(peer) : std::nullopt;
    take(
        {opstack::reputation::gossip_scores(*score), record ? record->req_resp : opstack::reputation::ReqRespScores{}});
  }
}

}  // namespace opp2p
