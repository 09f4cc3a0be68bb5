// What a GossipSub router must know and owe by the specification (v1.0 to v1.3), written down naively: sets and maps,
// no bounds, no speed. Scores are what the fuzz target sets. The fuzz target beside it plays the same events on the
// router and on this, and compares. Where the specification leaves a choice (which peers are grafted, pruned, told of
// messages), the model takes over the router's after it has checked it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "libp2p/protocols/gossipsub/router.hpp"
#include "testing/fuzz_script.hpp"

namespace libp2p::gossipsub::model {

using fuzzing::require;
using Ids = std::multiset<MessageId>;
using Peers = std::set<PeerId>;

// What one peer is sent in one step.
struct Sent {
  std::map<std::string, std::pair<bool, PartialUse>> subscriptions;
  bool extensions = false;
  std::multiset<std::tuple<std::string, Bytes, Bytes, Bytes>> partials;  // topic, group, message, metadata
  std::multiset<std::string> grafts;
  // Topic, seconds, and how many peers it names.
  std::multiset<std::tuple<std::string, std::optional<std::uint64_t>, std::size_t>> prunes;
  std::map<std::string, Ids> ihave;
  Ids iwant, idontwant, messages;
  friend bool operator==(const Sent&, const Sent&) = default;
  bool empty() const { return *this == Sent{}; }
};
using Output = std::map<PeerId, Sent>;  // peers that are sent nothing have no entry

struct KnownPeer {
  ProtocolVersion version = ProtocolVersion::pending;
  Direction direction = Direction::inbound;
  std::set<std::string> topics;
  std::map<MessageId, std::uint64_t> unwanted;  // and at which heartbeat it was said
  std::map<MessageId, unsigned> served;         // by IWANT
  std::size_t ihaves = 0;                       // since the last heartbeat
  std::size_t named = 0;                        // peers that it has named since then
  MonoTime added{};
  bool spoke = false;  // its first RPC is over
  bool speaks_partial = false;
  std::map<std::string, PartialUse> partial;
  bool speaks_mesh() const { return version >= ProtocolVersion::v1_0; }
};

struct KnownTopic {
  bool joined = false;  // subscribed or relayed
  bool subscribed = false;
  std::size_t relays = 0;
  Peers mesh, fanout;
  Peers newcomers;                    // to the mesh since the last gossip; some may have left it
  std::optional<MonoTime> published;  // while it is not joined
  struct Backoff {
    MonoTime end{}, told{};
    unsigned excused = 0;
  };
  std::map<PeerId, Backoff> backoff;
  MeshSizes sizes = {};
  std::size_t max_data = 1000;  // of its messages; above any that there are
};

enum class Seen : std::uint8_t { validating, accepted, refused };

struct Pending {
  std::string topic;
  MessageId id;
  PeerId from;  // empty: our own
  Peers holders;
};

struct Cached {
  std::string topic;
  std::uint64_t tick = 0;  // heartbeats when it was put
};

// Partial messages of one group.
struct KnownGroup {
  std::uint64_t ends = 0;                             // heartbeat
  bool is_own = false;                                // we have published to it
  std::map<PeerId, std::pair<Bytes, Bytes>> members;  // their metadata, and what they were told of ours
};

struct Model {
  Params params;
  Peers direct;
  std::map<PeerId, double> scores;
  std::map<PeerId, MonoTime> blacklist;  // until when
  std::map<PeerId, KnownPeer> peers;
  std::map<std::string, KnownTopic> topics;
  std::map<MessageId, std::pair<Seen, MonoTime>> seen;  // until when
  std::map<RequestId, Pending> pending;
  std::map<MessageId, Cached> cache;
  std::map<std::pair<MessageId, PeerId>, MonoTime> promises;
  std::uint64_t ticks = 0;
  std::map<std::string, PartialUse> partial;  // ours
  std::map<std::pair<std::string, Bytes>, KnownGroup> groups;

  PartialUse own_partial(const std::string& topic) const {
    const auto found = partial.find(topic);
    return found == partial.end() ? PartialUse::none : found->second;
  }
  PartialUse partial_of(const PeerId& id, const std::string& topic) const {
    const KnownPeer& peer = peers.at(id);
    const auto found = peer.partial.find(topic);
    const bool agreed = peer.speaks_partial && peer.version == ProtocolVersion::v1_3;
    return !agreed || found == peer.partial.end() ? PartialUse::none : found->second;
  }
  bool takes_parts(const PeerId& id, const std::string& topic) const {
    return partial_of(id, topic) == PartialUse::requests && own_partial(topic) != PartialUse::none;
  }
  bool sends_parts(const PeerId& id, const std::string& topic) const {
    return partial_of(id, topic) != PartialUse::none && own_partial(topic) == PartialUse::requests;
  }
  void leave_groups(const PeerId& id, const std::string* topic) {
    for (auto at = groups.begin(); at != groups.end();) {
      if (topic == nullptr || at->first.first == *topic) at->second.members.erase(id);
      at = at->second.members.empty() && !at->second.is_own ? groups.erase(at) : std::next(at);
    }
  }

  Peers subscribers(const std::string& topic, bool mesh_speakers) const {
    Peers out;
    for (const auto& [id, peer] : peers) {
      if (peer.topics.contains(topic) && peer.speaks_mesh() == mesh_speakers) out.insert(id);
    }
    return out;
  }
  double score(const PeerId& peer) const {
    if (blacklist.contains(peer)) return -1e9;
    const auto found = scores.find(peer);
    return found == scores.end() || direct.contains(peer) ? 0 : found->second;
  }
  bool gets_all(const PeerId& peer) const { return direct.contains(peer) && !blacklist.contains(peer); }
  // Whom the router may choose: those that speak the mesh, but for direct ones, with at least this score.
  Peers choosable(const std::string& topic, double least) const {
    Peers out = subscribers(topic, true);
    std::erase_if(out, [&](const PeerId& id) { return direct.contains(id) || score(id) < least; });
    return out;
  }
  bool has_subscribers(const std::string& topic) const {
    return std::any_of(peers.begin(), peers.end(),
                       [&](const auto& entry) { return entry.second.topics.contains(topic); });
  }
  bool in_backoff(const std::string& topic, const PeerId& peer, MonoTime now, Nanos slack) {
    const auto& backoff = topics[topic].backoff;
    const auto found = backoff.find(peer);
    return found != backoff.end() && now < found->second.end + slack;
  }
  void back_off(const std::string& topic, const PeerId& peer, Nanos length, MonoTime now) {
    KnownTopic::Backoff& known = topics[topic].backoff[peer];
    if (known.end <= now) known = {};
    known.end = std::max(known.end, now + length);
    known.told = now;
  }
  // Whom we may graft of our own accord.
  Peers graftable(const std::string& topic, MonoTime now) {
    Peers out;
    for (const PeerId& id : choosable(topic, 0)) {
      if (!topics[topic].mesh.contains(id) && !in_backoff(topic, id, now, params.mesh.backoff_slack)) out.insert(id);
    }
    return out;
  }
  std::size_t outbound(const Peers& of) const {
    return static_cast<std::size_t>(std::count_if(
        of.begin(), of.end(), [&](const PeerId& id) { return peers.at(id).direction == Direction::outbound; }));
  }
  std::optional<std::uint64_t> told_backoff(const PeerId& peer, Nanos length) const {
    if (peers.at(peer).version < ProtocolVersion::v1_1) return std::nullopt;
    return static_cast<std::uint64_t>(std::chrono::ceil<Seconds>(length).count());
  }
  // Whom a PRUNE to the peer may name.
  Peers nameable(const std::string& topic, const PeerId& to) const {
    if (score(to) < 0 || peers.at(to).version < ProtocolVersion::v1_1) return {};
    Peers out = choosable(topic, 0);
    out.erase(to);
    return out;
  }
  void leave(const PeerId& id, const std::string& name) {
    KnownTopic& topic = topics[name];
    topic.mesh.erase(id);
    topic.fanout.erase(id);
    if (peers.at(id).topics.contains(name) && peers.at(id).partial.erase(name) != 0) leave_groups(id, &name);
    // With its last subscriber the router forgets a topic that it has not joined, and that it was published to.
    if (peers.at(id).topics.erase(name) != 0 && !has_subscribers(name)) topic.published.reset();
  }
  void forget(const PeerId& id) {
    if (!peers.contains(id)) return;
    for (const auto& [name, topic] : topics) leave(id, name);
    leave_groups(id, nullptr);
    std::erase_if(promises, [&](const auto& entry) { return entry.first.second == id; });
    for (auto& [request, waiting] : pending) waiting.holders.erase(id);
    peers.erase(id);
  }
  Seen* find_seen(const MessageId& id, MonoTime now) {
    const auto found = seen.find(id);
    if (found == seen.end() || found->second.second <= now) return nullptr;
    return &found->second.first;
  }
  void see(const MessageId& id, Seen state, MonoTime now) {
    if (Seen* known = find_seen(id, now)) {
      *known = state;
    } else {
      seen[id] = {state, now + params.seen_ttl};
    }
  }
  // The message came, from whomever: nobody owes it any more.
  void fulfil(const MessageId& id) {
    std::erase_if(promises, [&](const auto& entry) { return entry.first.first == id; });
  }
  bool cached(const MessageId& id, std::size_t windows) const {
    const auto found = cache.find(id);
    return found != cache.end() && ticks - found->second.tick < windows;
  }

  // A message goes out: to whom. The fanout has been chosen by now.
  void spread(const Pending& message, Output& out) {
    if (!cached(message.id, params.gossip.history_windows)) {
      cache[message.id] = {message.topic, ticks};
      for (auto& [id, peer] : peers) peer.served.erase(message.id);
    }
    for (const PeerId& id : reach(message.topic)) {
      if (id == message.from || message.holders.contains(id) || peers.at(id).unwanted.contains(message.id)) continue;
      if (!takes_parts(id, message.topic)) out[id].messages.insert(message.id);
    }
  }
  Peers reach(const std::string& name) {
    const KnownTopic& topic = topics[name];
    Peers to = topic.joined ? topic.mesh : topic.fanout;
    for (const auto& [id, peer] : peers) {
      const bool flooded = peer.version == ProtocolVersion::floodsub && score(id) >= params.thresholds.publish;
      if ((flooded || gets_all(id)) && peer.topics.contains(name)) to.insert(id);
    }
    return to;
  }
};

}  // namespace libp2p::gossipsub::model
