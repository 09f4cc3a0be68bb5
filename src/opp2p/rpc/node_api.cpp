#include "opp2p/rpc/node_api.hpp"

#include <algorithm>

#include "opp2p/observe/health.hpp"
#include "opstack/payload/payload_json.hpp"

namespace opp2p {
namespace {

using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::runtime::Runtime;

constexpr std::uint64_t kMostHashes = 1000;

RpcError invalid_argument(std::size_t index, const std::string& why) {
  return {kInvalidParams, "invalid argument " + std::to_string(index) + ": " + why};
}

RpcError server_error(std::string text) { return {kServerError, std::move(text)}; }

std::optional<std::uint64_t> number_of(const json::value& value) {
  boost::system::error_code error;
  if (value.is_number()) {
    const auto out = value.to_number<std::uint64_t>(error);
    if (!error) return out;
  }
  return std::nullopt;
}

// --- peers ---

RpcHandler snapshot_method(RpcSnapshots& snapshots, SnapshotKind kind) {
  return [&snapshots, kind](const json::array&, RpcDone done) { snapshots.ask(kind, std::move(done)); };
}

RpcHandler peers_method(RpcSnapshots& snapshots) {
  return [&snapshots](const json::array& params, RpcDone done) {
    if (!params[0].is_bool()) return done(invalid_argument(0, "want true for connected peers, false for all"));
    snapshots.ask(params[0].get_bool() ? SnapshotKind::connected_peers : SnapshotKind::all_peers, std::move(done));
  };
}

void connect_peer(Runtime& runtime, RpcDials& dials, const json::array& params, const RpcDone& done,
                  const RpcWatchClient& watch) {
  if (!params[0].is_string()) return done(invalid_argument(0, "want a multiaddr"));
  auto address = Multiaddr::from_text(std::string_view(params[0].get_string()));
  if (!address) return done(server_error("bad peer address: " + address.error().message()));
  if (!address->peer_id()) return done(server_error("bad peer address: it does not end with /p2p/ID"));
  runtime.post([&runtime, &dials, target = *address, done, watch] {
    const auto id = dials.dial(target, [done](const Result<void>& connected) {
      if (connected)
        done(json::value(nullptr));
      else
        done(server_error("failed to dial: " + connected.error().message()));
    });
    if (id) watch([&runtime, &dials, id] { runtime.post([&dials, id] { dials.abandon(*id); }); });
  });
}

RpcWatchingHandler connect_method(Runtime& runtime, RpcDials& dials) {
  return [&runtime, &dials](const json::array& params, const RpcDone& done, const RpcWatchClient& watch) {
    connect_peer(runtime, dials, params, done, watch);
  };
}

RpcReply disconnect_peer(Node& node, const PeerId& peer) {
  const auto done = node.disconnect(peer);
  if (!done) return server_error(done.error().message());
  return json::value(nullptr);
}

RpcHandler disconnect_method(Runtime& runtime, Node& node) {
  return [&runtime, &node](const json::array& params, const RpcDone& done) {
    const auto text = params[0].is_string() ? std::string_view(params[0].get_string()) : std::string_view();
    const auto peer = PeerId::from_text(text);
    if (!peer) return done(invalid_argument(0, "failed to parse peer ID: " + peer.error().message()));
    runtime.post([&node, target = *peer, done] { done(disconnect_peer(node, target)); });
  };
}

std::vector<RpcMethod> peer_methods(Runtime& runtime, Node& node, RpcSnapshots& snapshots, RpcDials& dials) {
  return {
      {.name = "opp2p_self",
       .handler = snapshot_method(snapshots, SnapshotKind::self),
       .help = "The node itself, in the form in which opp2p_peers describes a peer."},
      {.name = "opp2p_peers",
       .parameters = {{"connected", "true for connected peers, false for all that are known"}},
       .handler = peers_method(snapshots),
       .help = "The peers, by their id."},
      {.name = "opp2p_peerStats",
       .handler = snapshot_method(snapshots, SnapshotKind::peer_stats),
       .help = "How many peers are connected, known, and in each of the topics of blocks."},
      {.name = "opp2p_connectPeer",
       .parameters = {{"address", "a multiaddr that ends with /p2p/ID"}},
       .access = RpcAccess::changes_with_token,
       .handler = connect_method(runtime, dials),
       .help = "Connects to a peer. Answers null when the connection is there, within 30 s."},
      {.name = "opp2p_disconnectPeer",
       .parameters = {{"peer", "a peer id"}},
       .access = RpcAccess::changes_with_token,
       .handler = disconnect_method(runtime, node),
       .help = "Closes the connections to a peer. Answers null."},
  };
}

// --- blocks ---

RpcReply chain_hashes(const BlockStore& store, const json::array& params) {
  const auto from = number_of(params[0]);
  const auto count = number_of(params[1]);
  if (!from) return invalid_argument(0, "want the number of the first block");
  if (!count || *count == 0 || *count > kMostHashes)
    return invalid_argument(1, "want how many blocks, 1 to " + std::to_string(kMostHashes));
  json::array out;
  const auto last = *from > UINT64_MAX - *count ? UINT64_MAX : *from + *count - 1;
  const auto read = store.for_each_head(*from, last, [&](const StoredBlock& block) {
    if (block.number != *from + out.size()) return false;
    out.emplace_back(libp2p::to_hex0x(block.hash));
    return true;
  });
  if (!read) return server_error(read.error().message());
  return json::value(std::move(out));
}

json::object stored_block_json(const FoundBlock& found) {
  const auto& block = found.block;
  json::object out;
  out["number"] = block.number;
  out["hash"] = libp2p::to_hex0x(block.hash);
  out["parentHash"] = libp2p::to_hex0x(block.parent_hash);
  out["timestamp"] = block.timestamp;
  out["canonical"] = !found.orphan;
  out["orphanReason"] = found.orphan ? json::value(json::string(orphan_id(*found.orphan))) : json::value(nullptr);
  out["orphanSince"] = found.orphaned ? json::value(libp2p::unix_seconds(*found.orphaned)) : json::value(nullptr);
  for (const char* key : {"signer", "era", "signature", "arrived"}) out[key] = nullptr;
  if (const auto& attested = found.attestation) {
    out["signer"] = libp2p::to_hex0x(attested->signer);
    out["era"] = attested->era;
    out["signature"] = libp2p::to_hex0x(attested->signature);
    out["arrived"] = libp2p::unix_seconds(attested->arrived);
  }
  out["size"] = block.body.size();
  return out;
}

RpcReply block_by_hash(const BlockStore& store, const json::array& params) {
  constexpr std::size_t kLongestHash = 66;
  const auto text = params[0].is_string() ? std::string_view(params[0].get_string()) : std::string_view();
  if (text.size() > kLongestHash) return invalid_argument(0, "want a block's hash: 0x and 64 hexadecimal digits");
  const auto bytes = libp2p::from_hex(text);
  opstack::payload::Hash hash{};
  if (!bytes || bytes->size() != hash.size())
    return invalid_argument(0, "want a block's hash: 0x and 64 hexadecimal digits");
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  const auto found = store.by_hash(hash);
  if (!found) return server_error(found.error().message());
  return *found ? json::value(stored_block_json(**found)) : json::value(nullptr);
}

using Importer = void (Node::*)(opstack::payload::SharedEnvelope, Node::Done);

// A method that takes an envelope and answers null when the node has it.
RpcHandler envelope_method(Runtime& runtime, Node& node, Importer import) {
  return [&runtime, &node, import](const json::array& params, const RpcDone& done) {
    auto envelope = opstack::payload::envelope_from_json(params[0]);
    if (!envelope) return done(invalid_argument(0, envelope.error().message()));
    auto shared = std::make_shared<const opstack::payload::Envelope>(std::move(*envelope));
    runtime.post([&node, import, shared, done] {
      (node.*import)(shared, [done](Result<void> result) {
        if (result)
          done(json::value(nullptr));
        else
          done(server_error(result.error().text()));
      });
    });
  };
}

std::vector<RpcMethod> block_methods(Runtime& runtime, Node& node, const BlockStore& store) {
  return {
      {.name = "opp2p_chain",
       .parameters = {{"from", "the number of the first block"}, {"count", "how many blocks, 1 to 1000"}},
       .handler = [&store](const json::array& params) { return chain_hashes(store, params); },
       .help = "The hashes of the stored chain from a number on, in order. Ends before the first that is not stored; "
               "genesis never is."},
      {.name = "opp2p_blockByHash",
       .parameters = {{"hash", "a block's hash"}},
       .handler = [&store](const json::array& params) { return block_by_hash(store, params); },
       .help = "What is known of a stored block, canonical or not. Answers null when it is not stored."},
      {.name = "admin_postUnsafePayload",
       .parameters = {{"envelope", "an execution payload envelope, as op-node's API has it"}},
       .access = RpcAccess::admin,
       .handler = envelope_method(runtime, node, &Node::post_unsafe_payload),
       .help =
           "Takes over a block without a signature that extends the head or fills a hole by its hash. Its hash, its "
           "time and the field rules of its fork are checked. Answers null."},
      // Our own: what a sequencer's driver calls with a block that it has built.
      {.name = "admin_publishUnsafePayload",
       .parameters = {{"envelope", "an execution payload envelope, as op-node's API has it"}},
       .access = RpcAccess::admin,
       .handler = envelope_method(runtime, node, &Node::publish),
       .help =
           "Signs a block with the sequencer's key, stores it and publishes it. Answers null when it is stored, also "
           "when it is too old to be gossiped. A block that breaks a rule of its fork, or is more than 5 s ahead, is "
           "refused."},
  };
}

RpcPlainHandler constant(json::value value) {
  return [value = std::move(value)](const json::array&) -> RpcReply { return value; };
}

std::vector<RpcMethod> node_methods(const Node& node, RpcSnapshots& snapshots, const std::string& version) {
  return {
      {.name = "opp2p_status",
       .handler = snapshot_method(snapshots, SnapshotKind::status),
       .help = "The head, the peers, the blocks that were accepted and rejected, and the delay of arriving blocks."},
      {.name = "optimism_rollupConfig",
       .handler = constant(node.config().rollup.to_json()),
       .help = "The chain's rollup configuration."},
      {.name = "optimism_version", .handler = constant(json::string(version)), .help = "The version of the program."},
      {.name = "health_status", .handler = constant(json::string(version)), .help = "The version of the program."},
  };
}

// The namespaces there are, sorted, each with the version that geth gives all of them.
RpcMethod modules_method(const JsonRpc& rpc) {
  auto names = rpc.namespaces();
  names.insert("rpc");
  json::object modules;
  for (const auto& name : names) modules[name] = "1.0";
  return {.name = "rpc_modules", .handler = constant(std::move(modules)), .help = "The namespaces of the methods."};
}

}  // namespace

StatusSnapshot NodeSource::status() const {
  const auto now = runtime_.now();
  auto out = node_.snapshots().status();
  out.version = version_;
  out.uptime = now.mono - started_;
  if (const auto head = node_.head_clock().get()) out.head_age = head_age(*head, now.wall);
  return out;
}

void add_methods(JsonRpc& rpc, Runtime& runtime, Node& node, BlockStore& store, RpcSnapshots& snapshots,
                 RpcDials& dials, const std::string& version) {
  const auto add = [&rpc, admin = node.config().rpc_enable_admin](std::vector<RpcMethod> methods) {
    for (auto& method : methods)
      if (method.access != RpcAccess::admin || admin) rpc.add(std::move(method));
  };
  add(peer_methods(runtime, node, snapshots, dials));
  add(block_methods(runtime, node, store));
  add(node_methods(node, snapshots, version));
  add({modules_method(rpc)});
}

}  // namespace opp2p
