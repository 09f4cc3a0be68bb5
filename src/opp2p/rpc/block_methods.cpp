// The methods about blocks: the stored chain, and blocks that the operator brings.
#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/rpc_arguments.hpp"
#include "opstack/payload/payload_json.hpp"

namespace opp2p {
namespace {

using libp2p::runtime::Runtime;

constexpr std::uint64_t kMostHashes = 1000;

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
  const auto hash = hash_argument(params, 0);
  if (!hash) return hash.error();
  const auto found = store.by_hash(*hash);
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

}  // namespace

std::vector<RpcMethod> block_methods(const NodeApi& api) {
  return {
      {.name = "opp2p_chain",
       .parameters = {{"from", "the number of the first block"}, {"count", "how many blocks, 1 to 1000"}},
       .handler = [&store = api.store](const json::array& params) { return chain_hashes(store, params); },
       .help = "The hashes of the stored chain from a number on, in order. Ends before the first that is not stored; "
               "genesis never is."},
      {.name = "opp2p_blockByHash",
       .parameters = {{"hash", "a block's hash"}},
       .handler = [&store = api.store](const json::array& params) { return block_by_hash(store, params); },
       .help = "What is known of a stored block, canonical or not. Answers null when it is not stored."},
      {.name = "admin_postUnsafePayload",
       .parameters = {{"envelope", "an execution payload envelope, as op-node's API has it"}},
       .access = RpcAccess::admin,
       .handler = envelope_method(api.runtime, api.node, &Node::post_unsafe_payload),
       .help =
           "Takes over a block without a signature that extends the head or fills a hole by its hash. Its hash, its "
           "time and the field rules of its fork are checked. Answers null."},
      // Our own: what a sequencer's driver calls with a block that it has built.
      {.name = "admin_publishUnsafePayload",
       .parameters = {{"envelope", "an execution payload envelope, as op-node's API has it"}},
       .access = RpcAccess::admin,
       .handler = envelope_method(api.runtime, api.node, &Node::publish),
       .help =
           "Signs a block with the sequencer's key, stores it and publishes it. Answers null when it is stored, also "
           "when it is too old to be gossiped. A block that breaks a rule of its fork, or is more than 5 s ahead, is "
           "refused."},
  };
}

}  // namespace opp2p
