#include "sim/gossip/node_reputation.hpp"

#include <algorithm>

namespace opp2p::sim::gossip {

namespace gs = libp2p::gossipsub;
namespace rep = opstack::reputation;

NodeReputation::NodeReputation(const ReputationParams& params, gs::PeerScorer& scorer)
    : params_(params),
      scorer_(scorer),
      ledger_(rep::ledger_limits(params.scoring)),
      common_(params.scoring.block_time),
      monitor_(params.ban_threshold, params.scoring.blamed_messages_to_ban) {
  scorer_.set_observer(this);
}

void NodeReputation::on_accepted(const PeerId& peer, Now now) {
  const auto first = common_.on_first(peer, now.mono);
  if (first.is_very_first) ledger_.drop_held();
  for (const auto& [kind, since] : first.excused)
    for (const auto& cost : ledger_.forget(kind, since)) scorer_.take_back(cost);
}

void NodeReputation::on_rejected(const gs::MessageId& id, opstack::rules::Reason reason, Now now) {
  const auto kind = rep::fault_of(reason, /*signer_known=*/true);
  if (!kind) return;
  reasons_.put(id, *kind);
  common_.on_refused(*kind, now.mono);
}

void NodeReputation::on_valid(const PeerId& peer, std::string_view, const gs::MessageId&, Now now) {
  common_.on_accepted(peer, now.mono);
}

void NodeReputation::on_invalid(const PeerId& peer, std::string_view, const gs::MessageId& id, gs::RejectCause cause,
                                const gs::InvalidCount& count, Now now) {
  auto kind = rep::FaultKind::message_policy;
  if (!gs::is_fault_of_author(cause)) {
    const auto* const known = reasons_.get(id);
    if (known == nullptr) return scorer_.take_back(count);
    kind = *known;
  }
  const auto found = common_.on_fault(peer, kind, connected_, now.mono);
  if (found) {
    ++findings_;
    for (const auto& cost : ledger_.forget(kind)) scorer_.take_back(cost);
  }
  if (common_.is_ours(kind)) return scorer_.take_back(count);
  rep::Fault fault;
  fault.at = now.wall;
  fault.kind = kind;
  fault.reason_id = rep::fault_id(kind);
  fault.message_id = libp2p::to_hex(id.bytes());
  const auto noted = ledger_.on_fault(peer, std::move(fault), count, now.mono);
  if (noted.is_held) scorer_.take_back(count);
  if (ledger_.is_settled_by(noted.blamed_messages))
    for (const auto& held : ledger_.settle(peer)) scorer_.put_back(held);
  if (noted.is_new && monitor_.are_too_many(noted.blamed_messages, /*is_static=*/false)) ban(peer);
}

std::optional<MonoTime> NodeReputation::next_deadline() const {
  if (!params_.ban_peers) return std::nullopt;
  return next_look_;
}

void NodeReputation::on_timeout(const std::vector<PeerId>& connected, Now now) {
  if (!params_.ban_peers || now.mono < next_look_) return;
  next_look_ = now.mono + rep::kMonitorInterval;
  if (common_.has_accepted())
    for (const auto& held : ledger_.settle(now.mono)) scorer_.put_back(held);
  const auto peer = monitor_.next([&] { return connected; });
  if (!peer || !monitor_.is_too_low(scorer_.score(*peer), /*is_static=*/false)) return;
  const auto parts = scorer_.snapshot_of(*peer);
  if (!parts) return;
  const double ignored = params_.scoring.ban_ignores_ip_colocation ? parts->ip_colocation.weighted : 0;
  if (monitor_.is_too_low(parts->score - ignored, /*is_static=*/false)) ban(*peer);
}

void NodeReputation::ban(const PeerId& peer) {
  if (!params_.ban_peers || std::find(bans_.begin(), bans_.end(), peer) != bans_.end()) return;
  bans_.push_back(peer);
}

void NodeReputation::forgive(const PeerId& peer) {
  scorer_.clear(peer);
  ledger_.forget(peer);
}

void NodeReputation::check() const {
  ledger_.check();
  common_.check();
  reasons_.check();
}

}  // namespace opp2p::sim::gossip
