// The steps of a node that are about what it remembers and thinks of its peers: the peerstore on disk, the gaters, the
// reputation system and its monitor.
#include <algorithm>

#include "libp2p/host/gater_decorators.hpp"
#include "libp2p/storage/lmdb/lmdb_datastore.hpp"
#include "libp2p/storage/memory_datastore.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opp2p/node/node_parts.hpp"
#include "opp2p/node/node_steps.hpp"
#include "opp2p/node/part_listener.hpp"

namespace opp2p {
namespace reputation = opstack::reputation;
namespace storage = libp2p::storage;
using libp2p::Nanos;
using libp2p::Result;
using libp2p::runtime::Task;

namespace {

reputation::ReputationConfig reputation_config(const NodeConfig& config) {
  reputation::ReputationConfig out;
  out.scoring = config.scoring;
  constexpr std::uint64_t kMost = 3600;  // any number may be in a file
  out.block_time = libp2p::Seconds(static_cast<std::int64_t>(std::min(kMost, config.rollup.block_time)));
  out.ban_peers = config.ban_peers;
  out.ban_threshold = config.ban_threshold;
  out.ban_duration = config.ban_duration;
  out.gater_min_score = config.gater_min_score;
  return out;
}

}  // namespace

// --- the peerstore ---

Result<void> begin_peerstore(NodeWiring& w) {
  const auto& path = w.config.peerstore_path;
  if (path == kPeerstoreInMemory) {
    w.parts.datastore = std::make_shared<storage::MemoryDatastore>();
  } else {
    OPP2P_TRY(auto opened, storage::LmdbDatastore::open(path));
    w.parts.datastore = std::move(opened);
  }
  return keep_in_datastore(w);
}

// What every peerstore has beside its datastore.
Result<void> keep_in_datastore(NodeWiring& w) {
  w.parts.writer = std::make_unique<storage::BatchWriter>(w.runtime, w.parts.datastore);
  w.listener.listen_to_writer();
  return {};
}

Task<void> close_peerstore(NodeWiring& w, Nanos limit) {
  auto closing = w.parts.writer->close(limit);
  const auto closed = co_await closing;
  if (!closed) w.events.tell(PeerstoreFailing{closed.error()});
}

void drop_peerstore(NodeWiring& w) {
  w.parts.writer.reset();
  w.parts.datastore.reset();
}

// Into the host's peerstore, before anybody is dialled.
Result<void> begin_known_peers(NodeWiring& w) {
  auto& parts = w.parts;
  parts.archive =
      std::make_unique<libp2p::PeerstoreArchive>(w.runtime, parts.host->peerstore(), parts.id, *parts.writer);
  OPP2P_TRY(const auto loaded, parts.archive->load());
  w.events.tell(KnownPeersRead{loaded});
  return {};
}

Task<void> close_known_peers(NodeWiring& w, Nanos) {
  w.parts.archive->close();
  co_return;
}

void drop_known_peers(NodeWiring& w) { w.parts.archive.reset(); }

// As op-node, whose peerstore has a copy of the node's key.
Result<void> begin_own_keys(NodeWiring& w) {
  using storage::peer_key;
  const auto& identity = w.parts.host_config->identity;
  std::vector<storage::Change> keys;
  keys.push_back(
      {peer_key(storage::kKeyBase, w.parts.id, storage::kPublicKeyName), identity.public_key().to_protobuf()});
  // The private key is in its file only. What an import or an earlier version has left here goes.
  const auto erase_private = [&keys](std::string_view key) {
    const auto named = storage::read_peer_key(storage::kKeyBase, key);
    if (named && named->name == storage::kPrivateKeyName) keys.push_back({std::string(key), std::nullopt});
    return true;
  };
  const auto visit = [&](std::string_view key, libp2p::ByteView) { return erase_private(key); };
  const auto on_damaged = [&](std::string_view key, const libp2p::Error&) { erase_private(key); };
  OPP2P_TRYV(w.parts.datastore->scan(storage::kKeyBase, visit, on_damaged));
  return w.parts.writer->put(std::move(keys));
}

// --- gaters, from the inside: blocking, ban expiry, scoring, metering ---

Result<void> begin_gater(NodeWiring& w) {
  w.parts.blocking = std::make_shared<libp2p::BlockingGater>();
  OPP2P_TRY(const auto loaded, w.parts.blocking->keep_in(*w.parts.writer));
  w.events.tell(BlockedListsRead{loaded});
  w.listener.listen_to_gater();
  return {};
}

void drop_gater(NodeWiring& w) { w.parts.blocking.reset(); }

Result<void> begin_reputation(NodeWiring& w) {
  auto& parts = w.parts;
  parts.reputation =
      std::make_unique<reputation::Reputation>(w.runtime, reputation_config(w.config), parts.datastore, parts.blocking);
  w.listener.listen_to_reputation();
  OPP2P_TRYV(parts.reputation->load());
  const auto told = [&events = w.events](const libp2p::GaterAnswer& answer) { events.tell(GateAsked{answer}); };
  parts.gater = std::make_shared<libp2p::MeteringGater>(parts.reputation->gater(), told);
  parts.host_config->gater = parts.gater;
  return {};
}

Task<void> close_reputation(NodeWiring& w, Nanos) { return w.parts.reputation->close(); }

void drop_reputation(NodeWiring& w) {
  w.parts.gater.reset();
  w.parts.reputation.reset();
}

// --- the monitor ---

Result<void> begin_peer_monitor(NodeWiring& w) {
  auto& parts = w.parts;
  parts.reputation->attach(*parts.host,
                           [&parts](const libp2p::PeerId& peer) { return parts.static_ids.contains(peer); });
  parts.reputation->listen_to(*parts.blocks);
  parts.reputation->listen_to(*parts.follower);
  parts.reputation->start();
  parts.scoring = std::make_unique<PeerScoring>(w.runtime, parts.reputation->scorer(), w.config.scoring.thresholds);
  w.listener.listen_to_scores();
  return {};
}

Task<void> close_peer_monitor(NodeWiring& w, Nanos) {
  w.parts.scoring->stop();
  w.parts.reputation->stop();
  co_return;
}

void drop_peer_monitor(NodeWiring& w) { w.parts.scoring.reset(); }

}  // namespace opp2p
