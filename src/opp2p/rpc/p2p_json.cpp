#include "opp2p/rpc/p2p_json.hpp"

#include <cmath>

#include "libp2p/base/peer_text.hpp"
#include "libp2p/crypto/hash.hpp"
#include "libp2p/crypto/secp256k1.hpp"
#include "opp2p/base/json_text.hpp"
#include "opp2p/rpc/gate_arguments.hpp"

namespace opp2p {
namespace json = boost::json;
namespace {

using libp2p::peer_text;

constexpr std::size_t kMaxAddressText = 1024;

// The shape is op-node's, but a score that is not known is null and not its zero.
json::object scores_of(const PeerSnapshot& peer) {
  using opstack::reputation::GossipScores;
  using opstack::reputation::ReqRespScores;
  const auto& score = peer.score;
  const auto known = [&score](double GossipScores::* part) -> json::value {
    if (!score) return nullptr;
    return (*score).*part;
  };
  json::object blocks;
  blocks["timeInMesh"] = known(&GossipScores::time_in_mesh);
  blocks["firstMessageDeliveries"] = known(&GossipScores::first_message_deliveries);
  blocks["meshMessageDeliveries"] = known(&GossipScores::mesh_message_deliveries);
  blocks["invalidMessageDeliveries"] = known(&GossipScores::invalid_message_deliveries);
  json::object gossip;
  gossip["total"] = known(&GossipScores::total);
  gossip["blocks"] = std::move(blocks);
  gossip["IPColocationFactor"] = known(&GossipScores::ip_colocation_factor);
  gossip["behavioralPenalty"] = known(&GossipScores::behavioural_penalty);
  json::object req_resp;
  const auto count = [&peer](double ReqRespScores::* part) -> json::value {
    if (!peer.req_resp) return nullptr;
    return (*peer.req_resp).*part;
  };
  req_resp["validResponses"] = count(&ReqRespScores::valid_responses);
  req_resp["errorResponses"] = count(&ReqRespScores::error_responses);
  req_resp["rejectedPayloads"] = count(&ReqRespScores::rejected_payloads);
  json::object out;
  out["gossip"] = std::move(gossip);
  out["reqResp"] = std::move(req_resp);
  return out;
}

json::value protocols_of(const PeerSnapshot& peer) {
  if (!peer.protocols) return nullptr;
  json::array out;
  for (const auto& protocol : *peer.protocols) out.emplace_back(peer_text(protocol, kMaxPeerText));
  return out;
}

// go-libp2p's numbers.
int direction_number(std::optional<libp2p::Direction> direction) {
  if (!direction) return 0;
  return *direction == libp2p::Direction::inbound ? 1 : 2;
}

// By the ids of the reasons, in the order of the checks.
json::object counts(const ReasonCounts& counts) {
  json::object out;
  counts.each([&out](opstack::rules::Reason reason, std::uint64_t count) { out[reason_id(reason)] = count; });
  return out;
}

// To two digits behind the point.
json::value milliseconds(std::optional<libp2p::Nanos> value) {
  if (!value) return nullptr;
  return std::round(static_cast<double>(value->count()) / 1e4) / 100;
}

json::value whole_seconds(std::optional<libp2p::Nanos> value) {
  if (!value) return nullptr;
  return std::chrono::floor<libp2p::Seconds>(*value).count();
}

}  // namespace

std::string node_id(const std::optional<libp2p::crypto::PublicKey>& key) {
  if (key && key->type() == libp2p::crypto::KeyType::secp256k1) {
    if (const auto point = libp2p::crypto::secp256k1::decompress(key->raw()))
      return libp2p::to_hex(libp2p::crypto::keccak256(libp2p::ByteView(*point).subspan(1)));
  }
  return std::string(64, '0');
}

json::object peer_json(const PeerSnapshot& peer) {
  json::object out;
  out["peerID"] = peer.id.to_base58();
  out["nodeID"] = node_id(peer.key);
  out["userAgent"] = peer_text(peer.user_agent, kMaxPeerText);
  out["protocolVersion"] = peer_text(peer.protocol_version, kMaxPeerText);
  out["ENR"] = peer_text(peer.enr, kMaxPeerEnr);
  json::array addresses;
  for (const auto& address : peer.addresses)
    addresses.emplace_back(peer_text(address.with_peer_id(peer.id).text(), kMaxAddressText));
  out["addresses"] = addresses.empty() ? json::value(nullptr) : json::value(std::move(addresses));
  out["protocols"] = protocols_of(peer);
  out["connectedness"] = static_cast<int>(peer.connectedness);
  out["direction"] = direction_number(peer.direction);
  out["protected"] = peer.is_protected;
  out["chainID"] = peer.chain_id;
  out["latency"] = peer.latency ? json::value(peer.latency->count()) : json::value(nullptr);
  out["gossipBlocks"] = peer.gossip_blocks;
  out["scores"] = scores_of(peer);
  return out;
}

std::string peer_dump_begin(std::size_t connected) {
  return R"({"totalConnected":)" + std::to_string(connected) + R"(,"peers":{)";
}

std::string peer_dump_item(const PeerSnapshot& peer) {
  return "\"" + peer.id.to_base58() + "\":" + json_text(peer_json(peer));
}

json::value blocked_peers_json(const BlockedSnapshot& blocked) {
  json::array out;
  for (const auto& id : blocked.peers) out.emplace_back(id.to_base58());
  return out;
}

json::value blocked_addresses_json(const BlockedSnapshot& blocked) {
  return json::array(blocked.addresses.begin(), blocked.addresses.end());
}

json::value blocked_subnets_json(const BlockedSnapshot& blocked) {
  json::array out;
  for (const auto& cidr : blocked.subnets) out.push_back(subnet_json(cidr));
  return out;
}

std::string peer_dump_end(const std::optional<BlockedSnapshot>& blocked) {
  const auto part = [&blocked](json::value (*of)(const BlockedSnapshot&)) {
    return json_text(blocked ? of(*blocked) : json::value(nullptr));
  };
  return R"(},"bannedPeers":)" + part(&blocked_peers_json) + R"(,"bannedIPS":)" + part(&blocked_addresses_json) +
         R"(,"bannedSubnets":)" + part(&blocked_subnets_json) + "}";
}

json::object peer_stats_json(const PeerStatsSnapshot& stats) {
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

namespace {

json::object block_json(const opstack::payload::BlockRef& block) {
  json::object out;
  out["number"] = block.number;
  out["hash"] = libp2p::to_hex0x(block.hash);
  return out;
}

json::value reorganisation_json(const std::optional<Reorganisation>& last) {
  if (!last) return nullptr;
  json::object out;
  out["from"] = block_json(last->from);
  out["to"] = block_json(last->to);
  out["fork"] = last->fork ? json::value(*last->fork) : json::value(nullptr);
  out["depth"] = last->depth;
  out["reason"] = json::string(last->reason);
  out["time"] = libp2p::unix_seconds(last->at);
  return out;
}

}  // namespace

json::object status_json(const StatusSnapshot& status) {
  json::object head;
  head["number"] = status.head_number;
  head["hash"] = libp2p::to_hex0x(status.head_hash);
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
  json::array holes;
  for (const auto& hole : status.holes) {
    json::object one;
    one["first"] = hole.first;
    one["last"] = hole.last;
    one["missing"] = hole.last >= hole.first ? hole.last - hole.first + 1 : 0;
    one["parentHash"] = libp2p::to_hex0x(hole.parent_hash);
    holes.push_back(std::move(one));
  }
  json::object chain_events;
  for (const auto& [kind, count] : status.stats.chain_events) chain_events[trace_id(kind)] = count;
  json::object out;
  out["peerID"] = status.peer_id.to_base58();
  out["version"] = status.version;
  out["uptimeSeconds"] = whole_seconds(status.uptime);
  out["head"] = std::move(head);
  out["headAgeSeconds"] = whole_seconds(status.head_age);
  out["highestSeen"] = status.highest_seen;
  out["peers"] = status.peers;
  out["mesh"] = status.mesh;
  out["blocks"] = std::move(blocks);
  out["blocksPublished"] = status.stats.published;
  out["blocksSynced"] = status.stats.synced;
  out["gap"] = std::move(gap);
  out["reorganisations"] = status.stats.reorganisations;
  out["lastReorganisation"] = reorganisation_json(status.stats.last_reorganisation);
  out["connectedFrom"] = status.connected_from;
  out["holes"] = std::move(holes);
  out["holeCount"] = status.hole_count;
  out["settled"] = status.settled ? json::value(*status.settled) : json::value(nullptr);
  out["chainEvents"] = std::move(chain_events);
  out["latencyMs"] = std::move(latency);
  return out;
}

}  // namespace opp2p
