#include "opp2p/node/part_listener.hpp"

namespace opp2p {

template <class Part>
void PartListener::listen_to(Part& part) {
  subscriptions_.push_back(
      part.subscribe([this](const auto& event) { std::visit([this](const auto& kind) { this->on(kind); }, event); }));
}

void PartListener::listen_to_host() { listen_to(*parts_.host); }
void PartListener::listen_to_blocks() { listen_to(*parts_.blocks); }
void PartListener::listen_to_static_peers() { listen_to(parts_.static_peers->peers()); }

void PartListener::listen_to_reputation() { listen_to(*parts_.reputation); }
void PartListener::listen_to_writer() { listen_to(*parts_.writer); }

void PartListener::listen_to_gater() {
  subscriptions_.push_back(
      parts_.blocking->subscribe([this](const libp2p::GaterRuleChanged& change) { events_.tell(change); }));
}

void PartListener::listen_to_chain() {
  listen_to(*parts_.follower);
  if (!parts_.server) return;
  subscriptions_.push_back(
      parts_.server->subscribe([this](const opstack::sync::ServedRequest& request) { events_.tell(request); }));
}

void PartListener::listen_to_ping() {
  parts_.ping->on_result([this](const libp2p::PeerId& peer, const libp2p::Result<libp2p::Nanos>& round_trip) {
    events_.tell(PingEnded{peer, round_trip});
  });
}

void PartListener::listen_to_scores() {
  parts_.scoring->watch([this](const ScoreCrossing& crossing, double threshold) {
    events_.tell(PeerScoreCrossed{*crossing.score, crossing.before, crossing.now, threshold});
  });
}

void PartListener::on(const opstack::gossip::BlockVerdict& verdict) {
  if (!verdict.local && verdict.outcome.verdict == opstack::rules::Verdict::accept)
    parts_.host->mark_proven(verdict.from);
  events_.tell(BlockJudged{verdict, parts_.blocks->signers().current, view_.is_static(verdict.from)});
}

void PartListener::on(const libp2p::ConnectionRefused& refused) {
  const auto& [remote, why] = refused;
  auto kind = RefusalKind::handshake;
  if (why == libp2p::Errc::exhausted) kind = RefusalKind::limit;
  if (why == libp2p::Errc::denied) kind = RefusalKind::gater;
  events_.tell(InboundRefused{remote, kind, why});
}

void PartListener::on(const opstack::sync::BlockStored& stored) {
  if (stored.from != parts_.host->id()) parts_.host->mark_proven(stored.from);
  events_.tell(stored);
}

}  // namespace opp2p
