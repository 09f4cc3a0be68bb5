#include "node/p2p_api.hpp"


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
  out["userAgent"] = peer.user_agent;
  out["protocolVersion"] = peer.protocol_version;
  out["ENR"] = "";
  json::array addresses;
  for (const auto& address : peer.addresses) addresses.emplace_back(address.with_peer_id(peer.id).text());
  out["addresses"] = addresses.empty() ? json::value(nullptr) : json::value(std::move(addresses));
  out["protocols"] = peer.protocols ? json::value(texts(*peer.protocols)) : json::value(nullptr);
  out["connectedness"] = static_cast<int>(peer.connectedness);
  out["direction"] = static_cast<int>(peer.direction);
  out["protected"] = peer.is_protected;
  out["chainID"] = 0;  // known from a peer's ENR only
  out["latency"] = peer.latency.count();
  out["gossipBlocks"] = peer.gossip_blocks;
  out["scores"] = unknown_scores();
  return out;
}

json::object peer_dump(const std::vector<PeerSnapshot>& peers, const BlockedSnapshot& blocked) {
  json::object map;
  std::size_t connected = 0;
  for (const auto& peer : peers) {
    map[peer.id.to_base58()] = peer_info(peer);
    if (peer.connectedness == Connectedness::connected) ++connected;
  }
  json::array banned_peers;
  for (const auto& id : blocked.peers) banned_peers.emplace_back(id.to_base58());
  json::object out;
  out["totalConnected"] = connected;
  out["peers"] = std::move(map);
  out["bannedPeers"] = std::move(banned_peers);
  out["bannedIPS"] = texts(blocked.addresses);
  out["bannedSubnets"] = texts(blocked.subnets);
  return out;
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

}  // namespace opp2p::node
