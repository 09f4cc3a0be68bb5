#include "opp2p/observe/ban_log.hpp"

#include "libp2p/host/gater_decorators.hpp"

namespace opp2p {
namespace reputation = opstack::reputation;

namespace {

using libp2p::GaterHook;
using reputation::Ban;
using reputation::BanEnd;
using reputation::GateRule;

// The last fault that the ban is founded on, in its own words.
std::string_view last_fault(const Ban& ban) {
  return ban.evidence.empty() ? std::string_view() : std::string_view(ban.evidence.back().text);
}

std::optional<std::string_view> id_of(std::string_view rule, const Ban& ban) {
  return ban.rule == reputation::BanRule::unknown ? std::nullopt : std::optional(rule);
}

std::string_view message_of(const reputation::GateRefused& refused) {
  switch (refused.rule) {
    case GateRule::peer_ban:
      return refused.hook == GaterHook::peer_dial ? "peer is temporarily banned" : "peer id is temporarily banned";
    case GateRule::ip_ban: return "peer address is temporarily banned";
    case GateRule::score: return "the score of the peer is below the minimum";
    case GateRule::no_ip:
    case GateRule::unreadable: break;
  }
  return "the gater cannot judge the peer and denies it";
}

std::string_view peer_message_of(BanEnd end) {
  switch (end) {
    case BanEnd::expired: return "peer-ban expired, unbanning peer";
    case BanEnd::undone: return "the operator ended the ban of a peer";
    case BanEnd::forgiven: return "the ban of a peer is forgiven: its faults are this node's";
    case BanEnd::overflow: break;
  }
  return "the ban of a peer ended early, because there are too many bans";
}

std::string_view ip_message_of(BanEnd end) {
  switch (end) {
    case BanEnd::expired: return "IP-ban expired, unbanning IP";
    case BanEnd::undone: return "the operator ended the ban of an IP address";
    case BanEnd::forgiven:
    case BanEnd::overflow: break;
  }
  return "the ban of an IP address ended early, because there are too many bans";
}

}  // namespace

void BanLog::on(const reputation::PeerBanned& event) {
  const auto& [peer, ban] = event;
  const libp2p::Nanos duration = ban.until - ban.since;
  events_.tell(Told::banned, LogLevel::warn, Component::host, "banned a peer",
               {{"peer", peer},
                {"why", ban.text},
                {"rule", id_of(ban_rule_id(ban.rule), ban)},
                {"score", ban.score},
                {"faults", ban.evidence.size()},
                {"last_fault", last_fault(ban)},
                {"duration", duration}});
}

void BanLog::on(const reputation::PeerUnbanned& event) {
  events_.tell(Told::unbanned, LogLevel::info, Component::host, peer_message_of(event.end),
               {{"peer", event.peer}, {"was_banned_for", event.ban.text}});
}

void BanLog::on(const reputation::IpBanned& event) {
  const libp2p::Nanos duration = event.ban.until - event.ban.since;
  events_.tell(Told::banned, LogLevel::warn, Component::host, "banned an IP address",
               {{"ip", event.ip}, {"why", event.ban.text}, {"duration", duration}});
}

void BanLog::on(const reputation::IpUnbanned& event) {
  events_.tell(Told::unbanned, LogLevel::info, Component::host, ip_message_of(event.end),
               {{"ip", event.ip}, {"was_banned_for", event.ban.text}});
}

// The message or the answer has a line of its own: that of the rejected block, or of the fault in reverse sync.
void BanLog::on(const reputation::PeerBlamed& event) {
  const auto& fault = event.fault;
  events_.log().debug(Component::gossip, "a peer is blamed",
                      {{"peer", event.peer},
                       {"fault", fault.reason_id},
                       {"block", fault.block_number},
                       {"text", fault.text},
                       {"blamed_messages", event.blamed_messages}});
}

void BanLog::on(const reputation::CommonFaultFound& event) {
  events_.tell(
      Told::common_fault, LogLevel::error, Component::gossip,
      "most peers commit the same fault, so it is this node's, and nobody is blamed for it",
      {{"fault", reputation::fault_id(event.kind)}, {"peers", event.peers}, {"of", event.of}, {"look_at", event.text}});
}

void BanLog::on(const reputation::CommonFaultEnded& event) {
  events_.tell(Told::common_fault, LogLevel::info, Component::gossip, "peers are blamed for this fault again",
               {{"fault", reputation::fault_id(event.kind)}});
}

void BanLog::on(const reputation::GateRefused& event) {
  events_.tell(Told::gate_refused, LogLevel::warn, Component::host, message_of(event),
               {{"method", libp2p::gater_hook_name(event.hook)},
                {"peer_id", event.peer},
                {"multi_addr", event.address},
                {"rule", reputation::gate_rule_id(event.rule)},
                {"reason", event.why}});
}

void BanLog::on(const reputation::ReputationStoreFailed& event) {
  events_.tell(Told::peerstore, LogLevel::error, Component::store,
               "a record of scores or bans cannot be read or written",
               {{"error", event.why}, {"option", "--p2p.peerstore.path"}});
}

void BanLog::on(const BlockedListsRead& event) {
  const auto& lists = event.lists;
  if (lists.peers + lists.ips + lists.subnets > 0)
    events_.log().info(Component::host, "the operator's blocks are in effect",
                       {{"peers", lists.peers}, {"addresses", lists.ips}, {"subnets", lists.subnets}});
  if (lists.skipped > 0)
    events_.log().warn(
        Component::host, "some records of the operator's blocks are damaged; what can be read of them stays in force",
        {{"skipped", lists.skipped}, {"first", lists.problems.empty() ? std::string() : lists.problems.front()}});
}

void BanLog::on(const libp2p::GaterRuleChanged& event) {
  events_.tell(Told::blocked, LogLevel::info, Component::host,
               event.blocked ? "the operator blocked a peer, an address or a subnet"
                             : "the operator ended a block of a peer, an address or a subnet",
               {{event.list, event.rule}});
}

void BanLog::on(const KnownPeersRead& event) {
  const auto& known = event.peers;
  if (known.peers > 0)
    events_.log().info(Component::host, "peers are known from earlier runs",
                       {{"peers", known.peers}, {"addresses", known.addresses}});
  if (known.skipped > 0)
    events_.log().warn(Component::host, "some records of the peerstore are skipped, because they cannot be read",
                       {{"skipped", known.skipped}, {"first", known.first_skipped}});
}

void BanLog::on(const PeerstoreFailing& event) {
  events_.tell(Told::peerstore, LogLevel::error, Component::store,
               "the peerstore cannot be written; it is tried again, and what cannot be kept is lost when the node ends",
               {{"error", event.why}, {"option", "--p2p.peerstore.path"}});
}

void BanLog::on(const PeerstoreRecovered& event) {
  events_.tell(Told::peerstore, LogLevel::info, Component::store, "the peerstore is written again",
               {{"refused", event.refused}});
}

}  // namespace opp2p
