// The methods that tell what happened with a peer, and what became of a block.
#include <charconv>

#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/peer_facts.hpp"
#include "opp2p/rpc/reputation_json.hpp"
#include "opp2p/rpc/rpc_arguments.hpp"

namespace opp2p {
namespace {

constexpr std::uint64_t kMostEvents = 1000;

RpcHandler peer_events_method(const NodeApi& api) {
  return [api](const json::array& params, RpcDone done) {
    const auto peer = peer_argument(params, 0);
    if (!peer) return done(peer.error());
    std::uint64_t count = kMostEvents;
    if (const auto& given = argument(params, 1); !given.is_null()) {
      const auto number = number_of(given);
      if (!number || *number > kMostEvents)
        return done(invalid_argument(1, "want how many events, 0 to " + std::to_string(kMostEvents)));
      count = *number;
    }
    ask_value(
        api.snapshots, "opp2p_peerEvents " + peer->to_base58() + " " + std::to_string(count),
        [api, peer = *peer, count] { return know_peer(api, peer, static_cast<std::size_t>(count)); },
        [](const PeerKnowledge& known) {
          const auto& facts = known.facts;
          json::object out;
          out["peer"] = facts.peer.to_base58();
          out["why"] = why_peer(facts, known.now);
          out["connected"] = facts.connected;
          out["timeline"] = facts.timeline ? json::value(timeline_json(*facts.timeline)) : json::value(nullptr);
          return json::value(std::move(out));
        },
        std::move(done));
  };
}

// What is asked for: a hash, or a number as JSON has it or as 0x text.
struct BlockQuery {
  std::optional<opstack::payload::Hash> hash;
  std::optional<std::uint64_t> number;
};

Argument<BlockQuery> block_argument(const json::array& params) {
  constexpr std::size_t kLongestNumber = 20;
  const auto& given = argument(params, 0);
  if (const auto number = number_of(given)) return BlockQuery{std::nullopt, number};
  if (const auto* text = given.if_string(); text != nullptr && text->size() <= kLongestNumber) {
    const bool hex = text->starts_with("0x");
    const std::string digits(text->begin() + (hex ? 2 : 0), text->end());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
      return invalid_argument(0, "want a block's hash or number");
    return BlockQuery{std::nullopt, number};
  }
  const auto hash = hash_argument(params, 0);
  if (!hash) return invalid_argument(0, "want a block's hash or number");
  return BlockQuery{*hash, std::nullopt};
}

// What the histories know. The height of a block that is not there is that of the store, if it has the block.
BlockFacts know_block(const NodeApi& api, const BlockQuery& query) {
  BlockFacts out;
  out.hash = query.hash;
  out.number = query.number;
  out.head = api.node.head().number;
  out.block_time = api.node.config().rollup.block_time;
  if (api.ports.blocks == nullptr) return out;
  const auto& history = *api.ports.blocks;
  out.records = query.hash ? history.of_hash(*query.hash) : history.of_number(*query.number);
  if (!out.records.empty()) out.number = out.records.front().number;
  if (query.hash && out.number)
    for (auto& record : history.of_number(*out.number))
      if (record.hash != *query.hash) out.height.push_back(std::move(record));
  if (out.number) out.crowded = history.crowded(*out.number);
  return out;
}

// On the RPC's thread: what the store says.
void add_stored(const BlockStore& store, BlockFacts& facts) {
  std::optional<FoundBlock> found;
  if (facts.hash) {
    if (auto read = store.by_hash(*facts.hash)) found = std::move(*read);
  } else if (facts.number) {
    (void)store.for_each_head(*facts.number, *facts.number, [&facts](const StoredBlock&) {
      facts.stored = facts.canonical = true;
      return false;
    });
  }
  if (!found) return;
  facts.stored = true;
  facts.canonical = !found->orphan;
  if (found->orphan) facts.orphan_reason = std::string(orphan_id(*found->orphan));
  facts.number = found->block.number;
}

RpcReply block_json(const BlockStore& store, BlockFacts facts) {
  add_stored(store, facts);
  const auto list = [](const std::vector<BlockRecord>& records) {
    json::array out;
    for (const auto& record : records) out.push_back(block_record_json(record));
    return out;
  };
  json::object out;
  out["why"] = why_block(facts);
  out["number"] = facts.number ? json::value(*facts.number) : json::value(nullptr);
  out["records"] = list(facts.records);
  out["stored"] = facts.stored;
  out["canonical"] = facts.canonical;
  out["othersAtHeight"] = list(facts.height);
  out["furtherRefused"] = facts.crowded;
  out["head"] = facts.head;
  return json::value(std::move(out));
}

RpcHandler block_events_method(const NodeApi& api) {
  return [api](const json::array& params, RpcDone done) {
    const auto query = block_argument(params);
    if (!query) return done(query.error());
    const auto name = query->hash ? libp2p::to_hex0x(*query->hash) : std::to_string(*query->number);
    ask_value(
        api.snapshots, "opp2p_blockEvents " + name, [api, query = *query] { return know_block(api, query); },
        [&store = api.store](const BlockFacts& facts) { return block_json(store, facts); }, std::move(done));
  };
}

}  // namespace

std::vector<RpcMethod> history_methods(const NodeApi& api) {
  return {
      {.name = "opp2p_peerEvents",
       .parameters = {{"peer", "a peer id"}, {"count", "how many of the last events, at most 1000", false}},
       .handler = peer_events_method(api),
       .help = "What happened with a peer since the node started, and a sentence about how it stands."},
      {.name = "opp2p_blockEvents",
       .parameters = {{"block", "a block's hash or number"}},
       .handler = block_events_method(api),
       .help = "Who brought a block, when and how late, its verdict with the reason, and what became of it; of a block "
               "that is not known, what is known of its height."},
  };
}

}  // namespace opp2p
