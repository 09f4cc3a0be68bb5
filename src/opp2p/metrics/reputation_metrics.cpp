#include "opp2p/metrics/reputation_metrics.hpp"

namespace opp2p {
namespace reputation = opstack::reputation;
using libp2p::GaterHook;

ReputationMetrics::ReputationMetrics(MetricRegistry& registry)
    : registry_(registry),
      dials_{registry.counter(Metric::p2p_dials, {"true"}), registry.counter(Metric::p2p_dials, {"false"})},
      accepts_{registry.counter(Metric::p2p_accepts, {"true"}), registry.counter(Metric::p2p_accepts, {"false"})},
      peer_bans_(registry.counter(Metric::p2p_peer_bans)),
      peer_unbans_(registry.counter(Metric::p2p_peer_unbans)),
      ip_unbans_(registry.counter(Metric::p2p_ip_unbans)),
      peerstore_failures_(registry.counter(Metric::peerstore_failures)) {
  // Zeros from the beginning, so that the first one is a change.
  for (std::size_t i = 0; i < reputation::kBanRules; ++i)
    registry.counter(Metric::bans, {"peer", reputation::ban_rule_id(static_cast<reputation::BanRule>(i))});
  for (std::size_t i = 0; i < reputation::kFaultKinds; ++i) {
    const auto id = reputation::fault_id(static_cast<reputation::FaultKind>(i));
    registry.counter(Metric::faults, {id});
    registry.counter(Metric::common_faults, {id});
  }
}

void ReputationMetrics::on(const GateAsked& asked, libp2p::Now) {
  const auto& answer = asked.answer;
  if (answer.hook == GaterHook::peer_dial || answer.hook == GaterHook::addr_dial) dials_.count(answer.allowed());
  if (answer.hook == GaterHook::accept || answer.hook == GaterHook::secured) accepts_.count(answer.allowed());
}

void ReputationMetrics::on(const reputation::GateRefused& refused, libp2p::Now) {
  auto*& count = refusals_[{refused.hook, refused.rule}];
  if (count == nullptr)
    count = &registry_.counter(Metric::gate_refusals,
                               {libp2p::gater_hook_name(refused.hook), reputation::gate_rule_id(refused.rule)});
  count->Increment();
}

void ReputationMetrics::on(const reputation::PeerBanned& event, libp2p::Now) {
  peer_bans_.Increment();
  registry_.counter(Metric::bans, {"peer", reputation::ban_rule_id(event.ban.rule)}).Increment();
}

void ReputationMetrics::on(const reputation::PeerUnbanned& event, libp2p::Now) {
  peer_unbans_.Increment();
  registry_.counter(Metric::bans_ended, {"peer", reputation::ban_end_id(event.end)}).Increment();
}

void ReputationMetrics::on(const reputation::IpBanned& event, libp2p::Now) {
  registry_.counter(Metric::bans, {"ip", reputation::ban_rule_id(event.ban.rule)}).Increment();
}

void ReputationMetrics::on(const reputation::IpUnbanned& event, libp2p::Now) {
  ip_unbans_.Increment();
  registry_.counter(Metric::bans_ended, {"ip", reputation::ban_end_id(event.end)}).Increment();
}

void ReputationMetrics::on(const reputation::PeerBlamed& event, libp2p::Now) {
  registry_.counter(Metric::faults, {reputation::fault_id(event.fault.kind)}).Increment();
}

void ReputationMetrics::on(const reputation::CommonFaultFound& event, libp2p::Now) {
  registry_.counter(Metric::common_faults, {reputation::fault_id(event.kind)}).Increment();
}

void ReputationMetrics::on(const reputation::ReputationStoreFailed&, libp2p::Now) { peerstore_failures_.Increment(); }

void ReputationMetrics::on(const PeerstoreFailing&, libp2p::Now) { peerstore_failures_.Increment(); }

}  // namespace opp2p
