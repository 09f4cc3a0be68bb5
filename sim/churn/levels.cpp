#include "sim/churn/levels.hpp"

#include <malloc.h>

#include "libp2p/host/peerstore.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "sim/live_counts.hpp"

namespace opp2p::sim::churn {
namespace {

// Adds values under names, in the order in which they come first.
class Sums {
 public:
  void add(const std::string& name, std::uint64_t value) {
    const auto [at, is_new] = places_.emplace(name, out_.size());
    if (is_new) out_.emplace_back(name, 0);
    out_[at->second].second += value;
  }
  Levels take() { return std::move(out_); }

 private:
  std::map<std::string, std::size_t> places_;
  Levels out_;
};

void add_queues(Sums& sums, const NodeSizes& sizes) {
  sums.add("connections", sizes.connections);
  sums.add("streams", sizes.streams);
  sums.add("gossip peers", sizes.gossip.peers);
  sums.add("subscriptions", sizes.gossip.subscriptions);
  sums.add("mesh links", sizes.gossip.mesh_links);
  sums.add("fanout links", sizes.gossip.fanout_links);
  sums.add("back-offs", sizes.gossip.backoffs);
  sums.add("promises", sizes.gossip.promises);
  sums.add("seen messages", sizes.gossip.seen);
  sums.add("cached messages", sizes.gossip.cached);
  sums.add("refusers", sizes.gossip.refusers);
  sums.add("blacklisted", sizes.gossip.blacklisted);
  sums.add("gossip in validation", sizes.gossip.validating);
  sums.add("gossip to send", sizes.gossip.outbox_items);
  sums.add("blocks in validation", sizes.validating);
  sums.add("waiting blocks", sizes.waiting_blocks);
  sums.add("sync requests", sizes.requests);
  sums.add("served requests", sizes.serving);
}

void add_peers(Sums& sums, Node& node) {
  const auto& known = node.host().peerstore();
  sums.add("known peers", known.size());
  std::uint64_t proven = 0;
  for (const auto& peer : known.peers()) proven += known.is_proven(peer);
  sums.add("proven peers", proven);
  sums.add("bytes of the peerstore", node.host().peerstore().bytes());
  sums.add("bytes for strangers", node.host().memory().used());
  const auto bans = node.reputation()->bans();
  sums.add("bans", bans.peers.size());
  sums.add("bans of addresses", bans.ips.size());
  if (const auto* scorer = node.reputation()->scorer()) {
    const auto scored = scorer->sizes();
    sums.add("scored peers", scored.connected);
    sums.add("retained scores", scored.retained);
    sums.add("delivery records", scored.delivery_records);
    sums.add("scored addresses", scored.addresses);
  }
}

void add_records(Sums& sums, const libp2p::storage::Datastore& store) {
  constexpr std::pair<const char*, const char*> kKinds[] = {
      {"stored addresses", "/peers/addrs/"},     {"stored keys", "/peers/keys/"},
      {"stored metadata", "/peers/metadata/"},   {"stored scores", "/peers/scores/"},
      {"stored ends of bans", "/peers/ban_exp"}, {"stored reasons of bans", "/opp2p/bans/"},
      {"stored blocked", "/libp2p/net/"},        {"stored records", "/"}};
  for (const auto& [name, prefix] : kKinds) {
    std::uint64_t count = 0;
    (void)store.scan(prefix, [&count](std::string_view, libp2p::ByteView) {
      ++count;
      return true;
    });
    sums.add(name, count);
  }
}

}  // namespace

Levels levels_of(SimNetwork& network, const std::vector<const Observer*>& observers) {
  Sums sums;
  for (const auto& [name, count] : live_counts()) sums.add(std::string(name), static_cast<std::uint64_t>(count));
  const auto world = network.world().sizes();
  sums.add("links", world.connections);
  sums.add("timers and events", world.events);
  sums.add("unread bytes", world.unread_bytes);
  for (std::size_t i = 0; i < network.size(); ++i) {
    add_queues(sums, network.node(i).snapshots().sizes());
    add_peers(sums, network.node(i));
    add_records(sums, network.peerstore(i));
  }
  for (const Observer* observer : observers) {
    sums.add("peers with a history", observer->histories().peers->size());
    sums.add("blocks with a history", observer->histories().blocks->size());
    sums.add("series of metrics", observer->series());
  }
  return sums.take();
}

std::map<std::string, std::uint64_t> expected_levels(std::uint64_t nodes, std::uint64_t links) {
  std::map<std::string, std::uint64_t> out;
  for (const char* one_each : {"nodes", "gossip services", "identify services", "ping services", "block gossips",
                               "followers", "sync clients", "sync servers"})
    out[one_each] = nodes;
  // Both ends of each link.
  for (const char* two_each : {"live connections", "connection engines", "router peers", "gossip streams in",
                               "gossip streams out", "connections", "gossip peers", "scored peers"})
    out[two_each] = 2 * links;
  out["links"] = links;
  out["subscriptions"] = 4 * 2 * links;  // to the topics of four versions of a payload
  for (const char* none :
       {"visitors", "fanout links", "promises", "blacklisted", "gossip in validation", "gossip to send",
        "blocks in validation", "waiting blocks", "sync requests", "served requests", "stored blocked"})
    out[none] = 0;
  return out;
}

std::uint64_t heap_in_use() {
#if defined(__GLIBC__)
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

}  // namespace opp2p::sim::churn
