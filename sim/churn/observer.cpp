#include "sim/churn/observer.hpp"

#include <algorithm>

namespace opp2p::sim::churn {
namespace reputation = opstack::reputation;
using libp2p::PeerId;

namespace {

// The types of a visitor's key tell what it is (sim/visitor.hpp); members have the same type as forgers.
bool is_honest(const PeerId& peer) {
  const auto key = peer.public_key();
  return key && key->type() == libp2p::crypto::KeyType::ed25519;
}

}  // namespace

Observer::Observer(libp2p::runtime::Runtime& runtime, Node& node, const std::set<PeerId>& kept, ChurnTally& tally)
    : kept_(kept),
      tally_(tally),
      parts_(std::make_unique<ApiParts>(runtime, node)),
      metrics_(runtime, node, "sim"),
      events_(node.subscribe([this](const NodeEvent& event) { on(event); })) {
  parts_->start();
}

void Observer::scrape(libp2p::Now now) {
  const std::string text = metrics_.text(now);
  series_ = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    if (text[at] != '#') ++series_;
}

void Observer::on(const NodeEvent& event) {
  if (const auto* banned = std::get_if<reputation::PeerBanned>(&event)) on_banned(banned->peer, banned->ban);
  if (const auto* unbanned = std::get_if<reputation::PeerUnbanned>(&event))
    tally_.expired += unbanned->end == reputation::BanEnd::expired;
  tally_.own_faults += std::holds_alternative<reputation::CommonFaultFound>(event);
  tally_.kept_out += std::holds_alternative<reputation::GateRefused>(event);
}

void Observer::on_banned(const PeerId& peer, const reputation::Ban& ban) {
  if (ban.rule == reputation::BanRule::operator_request) return;
  ++tally_.bans;
  tally_.honest_banned += is_honest(peer);
  if (!kept_.contains(peer)) return;
  const auto [at, is_first] = last_ban_.emplace(peer, ban.since);
  if (is_first) return;
  const double minutes = std::chrono::duration<double, std::ratio<60>>(ban.since - at->second).count();
  at->second = ban.since;
  tally_.shortest_ban = tally_.banned_again == 0 ? minutes : std::min(tally_.shortest_ban, minutes);
  ++tally_.banned_again;
}

}  // namespace opp2p::sim::churn
