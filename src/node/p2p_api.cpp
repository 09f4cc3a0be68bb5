#include "node/p2p_api.hpp"

#include <map>

#include "crypto/hash.hpp"
#include "crypto/secp256k1.hpp"

namespace opp2p::node {
namespace json = boost::json;
namespace {

// No peer is scored yet: op-node reports zeros for a peer that it has no record of.
json::object unknown_scores() {
  json::object blocks;
  for (const auto* key : {"timeInMesh", "firstMessageDeliveries", "meshMessageDeliveries", "invalidMessageDeliveries"})
    blocks[key] = 0;
  json::object gossip;
  gossip["total"] = 0;
  gossip["blocks"] = std::move(blocks);
  gossip["IPColocationFactor"] = 0;
  gossip["behavioralPenalty"] = 0;
  json::object req_resp;
  for (const auto* key : {"validResponses", "errorResponses", "rejectedPayloads"}) req_resp[key] = 0;
  json::object out;
  out["gossip"] = std::move(gossip);
  out["reqResp"] = std::move(req_resp);
  return out;
}

json::array texts(const std::vector<std::string>& items) { return json::array(items.begin(), items.end()); }

json::value protocols_of(const PeerSnapshot& peer) {
  if (!peer.protocols) return nullptr;
  json::array out;
  for (const auto& protocol : *peer.protocols) out.emplace_back(valid_utf8(protocol));
  return out;
}

json::object counts(const std::map<std::string, std::uint64_t>& by_reason) {
  json::object out;
  for (const auto& [reason, count] : by_reason) out[reason] = count;
  return out;
}

json::value milliseconds(std::optional<libp2p::Nanos> value) {
  if (!value) return nullptr;
  return static_cast<double>(value->count()) / 1e6;
}

// The bytes of the character at the front, 0 when it is none (RFC 3629).
std::size_t utf8_size(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  const bool bad = (first == 0xe0 && at(1) < 0xa0) || (first == 0xed && at(1) > 0x9f) ||
                   (first == 0xf0 && at(1) < 0x90) || (first == 0xf4 && at(1) > 0x8f);
  return bad ? 0 : size;
}

}  // namespace

std::string node_id(const std::optional<libp2p::crypto::PublicKey>& key) {
  if (key && key->type() == libp2p::crypto::KeyType::secp256k1) {
    if (const auto point = libp2p::crypto::secp256k1::decompress(key->raw()))
      return libp2p::to_hex(libp2p::crypto::keccak256(libp2p::ByteView(*point).subspan(1)));
  }
  return std::string(64, '0');
}

json::object peer_info(const PeerSnapshot& peer) {
  json::object out;
  out["peerID"] = peer.id.to_base58();
  out["nodeID"] = node_id(peer.key);
  out["userAgent"] = valid_utf8(peer.user_agent);
  out["protocolVersion"] = valid_utf8(peer.protocol_version);
  out["ENR"] = "";
  json::array addresses;
  for (const auto& address : peer.addresses) addresses.emplace_back(address.with_peer_id(peer.id).text());
  out["addresses"] = addresses.empty() ? json::value(nullptr) : json::value(std::move(addresses));
  out["protocols"] = protocols_of(peer);
  out["connectedness"] = static_cast<int>(peer.connectedness);
  out["direction"] = static_cast<int>(peer.direction);
  out["protected"] = peer.is_protected;
  out["chainID"] = 0;  // known from a peer's ENR only
  out["latency"] = peer.latency.value_or(libp2p::Nanos(0)).count();
  out["gossipBlocks"] = peer.gossip_blocks;
  out["scores"] = unknown_scores();
  return out;
}

std::string peer_dump_begin(std::size_t connected) {
  return R"({"totalConnected":)" + std::to_string(connected) + R"(,"peers":{)";
}

std::string peer_dump_item(const PeerSnapshot& peer) {
  return "\"" + peer.id.to_base58() + "\":" + json::serialize(peer_info(peer));
}

std::string peer_dump_end(const BlockedSnapshot& blocked) {
  json::array peers;
  for (const auto& id : blocked.peers) peers.emplace_back(id.to_base58());
  return R"(},"bannedPeers":)" + json::serialize(peers) + R"(,"bannedIPS":)" + json::serialize(texts(blocked.addresses)) +
         R"(,"bannedSubnets":)" + json::serialize(texts(blocked.subnets)) + "}";
}

json::object peer_stats(const PeerStatsSnapshot& stats) {
  json::object out;
  out["connected"] = stats.connected;
  out["table"] = stats.table;
  out["blocksTopic"] = stats.blocks_topic[0];
  out["blocksTopicV2"] = stats.blocks_topic[1];
  out["blocksTopicV3"] = stats.blocks_topic[2];
  out["blocksTopicV4"] = stats.blocks_topic[3];
  out["banned"] = stats.banned;
  out["known"] = stats.known;
  return out;
}

json::object status_json(const StatusSnapshot& status) {
  json::object head;
  head["number"] = status.head_number;
  head["hash"] = status.head_hash;
  json::object blocks;
  blocks["accepted"] = status.stats.accepted;
  blocks["rejected"] = counts(status.stats.rejected);
  blocks["ignored"] = counts(status.stats.ignored);
  json::object latency;
  latency["p50"] = milliseconds(status.stats.latency.quantile(0.5));
  latency["p99"] = milliseconds(status.stats.latency.quantile(0.99));
  latency["samples"] = status.stats.latency.total();
  json::value gap = nullptr;
  if (status.gap)
    gap = json::object{
        {"start", status.gap->start}, {"end", status.gap->end}, {"missing", status.gap->end - status.gap->start - 1}};
  json::object out;
  out["peerID"] = status.peer_id.to_base58();
  out["head"] = std::move(head);
  out["highestSeen"] = status.highest_seen;
  out["peers"] = status.peers;
  out["mesh"] = status.mesh;
  out["blocks"] = std::move(blocks);
  out["blocksPublished"] = status.stats.published;
  out["blocksSynced"] = status.stats.synced;
  out["gap"] = std::move(gap);
  out["latencyMs"] = std::move(latency);
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto size = utf8_size(text);
    if (size == 0) out += "\xef\xbf\xbd";
    else out += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

}  // namespace opp2p::node
