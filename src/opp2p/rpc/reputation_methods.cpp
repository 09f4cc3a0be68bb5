// The methods about bans and scores.
#include "libp2p/base/peer_text.hpp"
#include "opp2p/base/json_text.hpp"
#include "opp2p/rpc/gate_arguments.hpp"
#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/peer_facts.hpp"
#include "opp2p/rpc/reputation_json.hpp"
#include "opp2p/rpc/rpc_changes.hpp"

namespace opp2p {
namespace {

constexpr const char* kNoReputation = "no reputation system";
constexpr std::size_t kLongestWhy = 200;
constexpr std::uint64_t kLongestBanSeconds =
    static_cast<std::uint64_t>(opstack::reputation::kLongestBan / libp2p::Seconds(1));

// One item each turn: a ban has its evidence with it.
struct Bans {
  struct Item {
    std::string peer, ip;  // one of them
    opstack::reputation::Ban ban;
  };
  using List = std::vector<Item>;
  const ReputationPort* port;

  List list() const {
    List out;
    auto bans = port->bans();
    for (auto& one : bans.peers) out.push_back({one.peer.to_base58(), {}, std::move(one.ban)});
    for (auto& one : bans.ips) out.push_back({{}, std::move(one.ip), std::move(one.ban)});
    return out;
  }
  std::size_t size(const List& list) const { return list.size(); }
  Item item(const List& list, std::size_t i) const { return list[i]; }
  std::string begin(const List&) const { return "["; }
  std::string text(const Item& item) const {
    json::object out;
    out["peer"] = item.peer.empty() ? json::value(nullptr) : json::value(item.peer);
    out["ip"] = item.ip.empty() ? json::value(nullptr) : json::value(item.ip);
    for (auto& [key, value] : ban_json(item.ban)) out[key] = value;
    return json_text(out);
  }
  std::string end(const List&) const { return "]"; }
};

RpcHandler bans_method(const NodeApi& api) {
  return [&snapshots = api.snapshots, port = api.ports.reputation](const json::array&, RpcDone done) {
    if (port == nullptr) return done(server_error(kNoReputation));
    ask_list(snapshots, "opp2p_bans", Bans{port}, "", std::move(done));
  };
}

RpcHandler unban_method(const NodeApi& api) {
  return [api](const json::array& params, const RpcDone& done) {
    const auto target = peer_or_ip_argument(params, 0);
    if (!target) return done(target.error());
    change(
        api, api.ports.reputation, kNoReputation, done,
        [target = *target](ReputationPort& port, PortDone changed) { port.unban(target, std::move(changed)); },
        &changed_or_error);
  };
}

Argument<std::string> why_argument(const json::array& params, std::size_t index) {
  const auto& given = argument(params, index);
  if (given.is_null()) return std::string("asked for by the operator");
  if (!given.is_string()) return invalid_argument(index, "want a text");
  if (given.get_string().size() > kLongestWhy)
    return invalid_argument(index, "want at most " + std::to_string(kLongestWhy) + " bytes");
  return libp2p::peer_text(std::string_view(given.get_string()));  // it is printed on terminals
}

RpcHandler ban_method(const NodeApi& api) {
  return [api](const json::array& params, const RpcDone& done) {
    const auto target = peer_or_ip_argument(params, 0);
    if (!target) return done(target.error());
    const auto seconds = number_of(argument(params, 1));
    if (!seconds || *seconds == 0 || *seconds > kLongestBanSeconds)
      return done(invalid_argument(1, "want the seconds of the ban, 1 to " + std::to_string(kLongestBanSeconds)));
    const auto why = why_argument(params, 2);
    if (!why) return done(why.error());
    change(api, api.ports.reputation, kNoReputation, done,
           [target = *target, duration = libp2p::Seconds(static_cast<std::int64_t>(*seconds)), why = *why](
               ReputationPort& port, PortDone changed) { port.ban(target, duration, why, std::move(changed)); });
  };
}

json::value score_json(const PeerKnowledge& known) {
  json::array spared;
  if (known.facts.is_static) spared.emplace_back("static");
  if (known.facts.is_protected) spared.emplace_back("protected");
  json::array faults;
  for (const auto& fault : known.facts.faults) faults.push_back(fault_json(fault));
  json::object out;
  out["peer"] = known.facts.peer.to_base58();
  out["connected"] = known.facts.connected;
  for (auto& [key, value] : standing_json(known.standing)) out[key] = value;
  out["spared"] = std::move(spared);
  out["faults"] = std::move(faults);
  out["ban"] = known.facts.ban ? json::value(ban_json(*known.facts.ban)) : json::value(nullptr);
  out["blocked"] = known.facts.blocked;
  out["keptOut"] = known.facts.kept_out ? json::value(*known.facts.kept_out) : json::value(nullptr);
  out["why"] = why_peer(known.facts, known.now);
  return out;
}

RpcHandler score_method(const NodeApi& api) {
  return [api](const json::array& params, RpcDone done) {
    const auto peer = peer_argument(params, 0);
    if (!peer) return done(peer.error());
    ask_value(
        api.snapshots, "opp2p_peerScore " + peer->to_base58(), [api, peer = *peer] { return know_peer(api, peer, 0); },
        [](const PeerKnowledge& known) { return score_json(known); }, std::move(done));
  };
}

}  // namespace

std::vector<RpcMethod> reputation_methods(const NodeApi& api) {
  return {
      {.name = "opp2p_bans",
       .handler = bans_method(api),
       .help = "The bans of peers and IP addresses: by which rule, why, with what evidence, and until when."},
      {.name = "opp2p_ban",
       .parameters = {{"target", "a peer id or an IP address"},
                      {"seconds", "how long, at most 604800"},
                      {"why", "a text for the record", false}},
       .access = RpcAccess::changes_with_token,
       .handler = ban_method(api),
       .help = "Bans a peer or an IP address for a time, and closes its connections. Answers null when it is durable."},
      {.name = "opp2p_unban",
       .parameters = {{"target", "a peer id or an IP address"}},
       .access = RpcAccess::changes_with_token,
       .handler = unban_method(api),
       .help = "Ends a ban and clears the scores that led to it. Answers true, or false when there was none; the "
               "scores of a "
               "peer are cleared then, too."},
      {.name = "opp2p_peerScore",
       .parameters = {{"peer", "a peer id"}},
       .handler = score_method(api),
       .help = "The score of a peer in all its parts, the thresholds, its faults, its ban, and what spares it."},
  };
}

}  // namespace opp2p
