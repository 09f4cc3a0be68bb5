#include "peerstore_show.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libp2p/base/peer_text.hpp"
#include "opp2p/observe/why.hpp"
#include "opp2p/rpc/reputation_json.hpp"

namespace opp2p {
namespace {

namespace json = boost::json;
using libp2p::peer_text;
using libp2p::PeerId;
using libp2p::UnixTime;

std::string moment_text(UnixTime time) { return time == UnixTime::max() ? "for ever" : time_text(time); }
std::string until_text(UnixTime time) { return time == UnixTime::max() ? "for ever" : "until " + time_text(time); }

json::array texts_json(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.emplace_back(peer_text(text));
  return out;
}

json::object ban_json(const opstack::reputation::BanEntry& ban, UnixTime now) {
  return {{"expiry", libp2p::unix_seconds(ban.expiry)},
          {"lastUpdate", libp2p::unix_seconds(ban.last_update)},
          {"active", ban.expiry > now}};
}

constexpr std::string_view kUnreadableBan = "for 7 days from the start of a node: the record of the ban cannot be read";

std::string ban_text(const PeerView& peer) {
  return peer.has_unreadable_ban ? std::string(kUnreadableBan) : until_text(peer.ban->expiry);
}

json::array addresses_json(const PeerView& peer) {
  json::array out;
  if (!peer.addresses) return out;
  for (const auto& known : peer.addresses->addresses)
    out.push_back(json::object{{"address", known.address.text()}, {"expiry", libp2p::unix_seconds(known.expiry)}});
  return out;
}

// A reason is JSON of our own store; one that cannot be read is shown as text.
json::value reason_json(const std::string& text) {
  json::error_code error;
  auto value = json::parse(text, error);
  return error ? json::value(peer_text(text)) : value;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + peer_text(text);
  return out;
}

std::string peer_line(const PeerId& id, const PeerView& peer, UnixTime now) {
  std::string out = "  " + id.to_base58();
  if (peer.is_banned(now)) out += "  banned " + ban_text(peer);
  if (peer.is_blocked) out += "  blocked";
  if (peer.is_static) out += "  static";
  if (peer.scores) out += fmt::format("  score {:.2f}", peer.scores->scores.gossip.total);
  if (peer.addresses) out += "  " + count_text(peer.addresses->addresses.size(), "address", "addresses");
  if (peer.agent) out += "  " + peer_text(*peer.agent, 64);
  return out;
}

void add_score_lines(std::vector<std::string>& out, const PeerView& peer) {
  if (!peer.scores) return;
  const auto& gossip = peer.scores->scores.gossip;
  const auto& req_resp = peer.scores->scores.req_resp;
  out.push_back(fmt::format("Score: {:.4f} at {}", gossip.total, moment_text(peer.scores->last_update)));
  out.push_back(
      fmt::format("  blocks: {:.0f} s in the mesh, first deliveries {:.4f}, mesh deliveries {:.4f}, invalid {:.4f}",
                  gossip.time_in_mesh, gossip.first_message_deliveries, gossip.mesh_message_deliveries,
                  gossip.invalid_message_deliveries));
  out.push_back(fmt::format("  IP colocation {:.4f}, behaviour penalty {:.4f}", gossip.ip_colocation_factor,
                            gossip.behavioural_penalty));
  out.push_back(fmt::format("  sync: valid responses {:.4f}, errors {:.4f}, rejected payloads {:.4f}",
                            req_resp.valid_responses, req_resp.error_responses, req_resp.rejected_payloads));
}

std::string first_sentence(const PeerId& id, const PeerView& peer, UnixTime now) {
  const auto name = id.to_base58();
  if (peer.is_banned(now)) return name + " is banned " + ban_text(peer) + (peer.is_blocked ? ", and blocked." : ".");
  if (peer.is_blocked) return name + " is blocked.";
  if (peer.has_unreadable_scores) return name + " is kept out, because its scores cannot be read.";
  return name + " is neither banned nor blocked.";
}

}  // namespace

json::object peer_json(const PeerId& id, const PeerView& peer, UnixTime now) {
  json::object out{{"peerID", id.to_base58()}, {"addresses", addresses_json(peer)}};
  if (peer.agent) out["agent"] = peer_text(*peer.agent);
  if (peer.protocol_version) out["protocolVersion"] = peer_text(*peer.protocol_version);
  out["protocols"] = texts_json(peer.protocols);
  if (peer.scores) {
    out["scores"] = score_record_json(peer.scores->scores);
    out["scoresLastUpdate"] = libp2p::unix_seconds(peer.scores->last_update);
  }
  if (peer.ban) out["ban"] = ban_json(*peer.ban, now);
  if (peer.has_unreadable_ban) out["ban"] = json::object{{"active", true}, {"unreadable", true}};
  if (peer.ban_reason) out["banReason"] = reason_json(*peer.ban_reason);
  if (peer.metadata) {
    out["ENR"] = peer_text(peer.metadata->metadata.enr);
    out["chainID"] = peer.metadata->metadata.op_stack_id;
  }
  out["blocked"] = peer.is_blocked;
  out["static"] = peer.is_static;
  return out;
}

json::object peerstore_json(const PeerstoreView& view, UnixTime now) {
  json::array peers;
  for (const auto& [id, peer] : view.peers) peers.push_back(peer_json(id, peer, now));
  json::array ips;
  for (const auto& [ip, ban] : view.ip_bans) {
    auto one = ban_json(ban, now);
    one["ip"] = ip;
    ips.push_back(std::move(one));
  }
  for (const auto& ip : view.unreadable_ip_bans)
    ips.push_back(json::object{{"ip", ip}, {"active", true}, {"unreadable", true}});
  return {{"peers", std::move(peers)},
          {"ipBans", std::move(ips)},
          {"blockedAddresses", texts_json(view.blocked_ips)},
          {"blockedSubnets", texts_json(view.blocked_subnets)},
          {"unreadRecords", view.unread}};
}

std::vector<std::string> peerstore_lines(const PeerstoreView& view, const std::string& folder, UnixTime now) {
  const auto count = [&](const auto& condition) {
    return static_cast<std::size_t>(std::count_if(view.peers.begin(), view.peers.end(), condition));
  };
  const auto banned = count([&](const auto& one) { return one.second.is_banned(now); });
  const auto blocked = count([](const auto& one) { return one.second.is_blocked; });
  std::vector<std::string> out;
  out.push_back("The peerstore in " + folder + " knows " + count_text(view.peers.size(), "peer", "peers") + " (" +
                std::to_string(banned) + " banned, " + std::to_string(blocked) + " blocked).");
  for (const auto& [id, peer] : view.peers) out.push_back(peer_line(id, peer, now));
  for (const auto& [ip, ban] : view.ip_bans)
    if (ban.expiry > now) out.push_back("  " + ip + "  banned " + until_text(ban.expiry));
  for (const auto& ip : view.unreadable_ip_bans) out.push_back("  " + ip + "  banned " + std::string(kUnreadableBan));
  if (!view.blocked_ips.empty()) out.push_back("Blocked addresses: " + joined(view.blocked_ips));
  if (!view.blocked_subnets.empty()) out.push_back("Blocked subnets: " + joined(view.blocked_subnets));
  if (view.unread > 0) out.push_back(count_text(view.unread, "record", "records") + " could not be read.");
  return out;
}

std::vector<std::string> peer_lines(const PeerId& id, const PeerView& peer, UnixTime now) {
  std::vector<std::string> out{first_sentence(id, peer, now)};
  if (peer.ban && !peer.is_banned(now)) out.push_back("A ban ended at " + moment_text(peer.ban->expiry) + ".");
  if (peer.ban_reason) out.push_back("Why it was banned: " + peer_text(*peer.ban_reason, 4096));
  add_score_lines(out, peer);
  if (peer.addresses)
    for (const auto& known : peer.addresses->addresses)
      out.push_back("Address: " + peer_text(known.address.text()) + " (" + until_text(known.expiry) + ")");
  if (peer.agent) out.push_back("Agent: " + peer_text(*peer.agent));
  if (!peer.protocols.empty()) out.push_back("Protocols: " + joined(peer.protocols));
  if (peer.metadata) {
    out.push_back("ENR: " + peer_text(peer.metadata->metadata.enr));
    out.push_back("Chain: " + std::to_string(peer.metadata->metadata.op_stack_id));
  }
  if (peer.is_static) out.push_back("It is a static peer that was added while the node ran.");
  return out;
}

}  // namespace opp2p
