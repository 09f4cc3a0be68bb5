#include "opstack/reputation/fault_accounts.hpp"

namespace opstack::reputation {

FaultAccounts::FaultAccounts(libp2p::gossipsub::PeerScorer* scorer, const ScoringProfile& profile)
    : scorer_(scorer), ledger_(ledger_limits(profile)), common_(profile.block_time) {}

void FaultAccounts::take_back(const std::vector<InvalidCount>& costs) {
  for (const InvalidCount& cost : costs) scorer_->take_back(cost);
}

void FaultAccounts::put_back(const std::vector<InvalidCount>& costs) {
  for (const InvalidCount& cost : costs) scorer_->put_back(cost);
}

void FaultAccounts::on_first(const PeerId& peer, MonoTime now) {
  const auto first = common_.on_first(peer, now);
  if (first.is_very_first) ledger_.drop_held();
  for (const auto& [kind, since] : first.excused) take_back(ledger_.forget(kind, since));
}

void FaultAccounts::on_signer_changed() {
  take_back(ledger_.forget(FaultKind::invalid_signature));
  common_.on_learned(FaultKind::invalid_signature);
}

FaultAccounts::Blamed FaultAccounts::blame(const PeerId& peer, const Fault& fault,
                                           const std::optional<InvalidCount>& cost, std::size_t connected,
                                           MonoTime now) {
  Blamed out;
  if (may_be_ours(fault.kind)) {
    out.found = common_.on_fault(peer, fault.kind, connected, now);
    if (out.found) take_back(ledger_.forget(fault.kind));
    if (common_.is_ours(fault.kind)) {
      if (cost) scorer_->take_back(*cost);
      return out;
    }
  }
  const auto noted = ledger_.on_fault(peer, fault, cost, now);
  if (noted.is_free) scorer_->take_back(*cost);
  if (ledger_.is_settled_by(noted.blamed_messages)) put_back(ledger_.settle(peer));
  out.is_new = noted.is_new;
  out.blamed_messages = noted.blamed_messages;
  return out;
}

void FaultAccounts::on_timeout(MonoTime now) {
  if (common_.has_accepted()) put_back(ledger_.settle(now));
}

void FaultAccounts::check() const {
  ledger_.check();
  common_.check();
}

}  // namespace opstack::reputation
