#include "sim/gossip/node_reputation.hpp"

#include <algorithm>

namespace opp2p::sim::gossip {

namespace gs = libp2p::gossipsub;
namespace rep = opstack::reputation;

NodeReputation::NodeReputation(const ReputationParams& params, gs::PeerScorer& scorer)
    : params_(params),
      scorer_(scorer),
      accounts_(&scorer, params.scoring),
      monitor_(params.ban_threshold, params.scoring.blamed_messages_to_ban) {
  scorer_.set_observer(this);
}

void NodeReputation::on_rejected(const gs::MessageId& id, opstack::rules::Reason reason, Now now) {
  const auto kind = rep::fault_of(reason, /*signer_known=*/true);
  if (!kind) return;
  reasons_.put(id, *kind);
  accounts_.on_refused(*kind, now.mono);
}

void NodeReputation::on_valid(const PeerId& peer, std::string_view, const gs::MessageId&, Now now) {
  accounts_.on_accepted(peer, now.mono);
}

void NodeReputation::on_invalid(const PeerId& peer, std::string_view, const gs::MessageId& id, gs::RejectCause cause,
                                const gs::InvalidCount& count, Now now) {
  auto kind = rep::FaultKind::message_policy;
  if (!gs::is_fault_of_author(cause)) {
    const auto* const known = reasons_.get(id);
    if (known == nullptr) return scorer_.take_back(count);
    kind = *known;
  }
  rep::Fault fault;
  fault.at = now.wall;
  fault.kind = kind;
  fault.reason_id = rep::fault_id(kind);
  fault.message_id = libp2p::to_hex(id.bytes());
  const auto blamed = accounts_.blame(peer, fault, count, connected_, now.mono);
  if (blamed.found) ++findings_;
  if (blamed.is_new && monitor_.are_too_many(blamed.blamed_messages, /*is_static=*/false)) ban(peer);
}

std::optional<MonoTime> NodeReputation::next_deadline() const {
  if (!params_.ban_peers) return std::nullopt;
  return next_look_;
}

void NodeReputation::on_timeout(const std::vector<PeerId>& connected, Now now) {
  if (!params_.ban_peers || now.mono < next_look_) return;
  next_look_ = now.mono + rep::kMonitorInterval;
  accounts_.on_timeout(now.mono);
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
  accounts_.forget(peer);
}

void NodeReputation::check() const {
  accounts_.check();
  reasons_.check();
}

}  // namespace opp2p::sim::gossip
