#include "opstack/reputation/fault_tracker.hpp"

#include <utility>

#include "libp2p/base/assert.hpp"
#include "opstack/reputation/ban_json.hpp"

namespace opstack::reputation {

using libp2p::gossipsub::MessageId;
using libp2p::gossipsub::RejectCause;

namespace {

Fault make_fault(FaultKind kind, std::string_view text, Now now) {
  Fault out;
  out.at = libp2p::from_unix_seconds(libp2p::unix_seconds(now.wall));
  out.kind = kind;
  out.reason_id = fault_id(kind);
  out.text = ban_record_text(text);
  return out;
}

Fault fault_of_block(FaultKind kind, const gossip::BlockVerdict& verdict, Now now) {
  Fault out = make_fault(kind, verdict.outcome.text(), now);
  out.message_id = libp2p::to_hex(verdict.message_id.bytes());
  if (verdict.outcome.envelope) {
    out.block_number = verdict.outcome.envelope->payload.block_number;
    out.block_hash = verdict.outcome.envelope->payload.block_hash;
  }
  return out;
}

}  // namespace

FaultTracker::FaultTracker(libp2p::gossipsub::PeerScorer* scorer, libp2p::EventSource<ReputationEvent>& events,
                           Uses uses, const ScoringProfile& profile)
    : scorer_(scorer), events_(events), uses_(std::move(uses)), accounts_(scorer, profile) {
  if (scorer_ != nullptr) scorer_->set_observer(this);
}

FaultTracker::~FaultTracker() {
  if (scorer_ != nullptr) scorer_->set_observer(nullptr);
}

bool FaultTracker::is_scored(const std::string& topic) const {
  return scorer_ != nullptr && scorer_->params().topics.contains(topic);
}

void FaultTracker::on_verdict(const gossip::BlockVerdict& verdict, bool signer_known, Now now) {
  const bool scored = is_scored(verdict.topic);
  const bool accepted = verdict.outcome.verdict == rules::Verdict::accept;
  if (accepted && verdict.local) accounts_.on_published();
  if (accepted && !verdict.local) accounts_.on_first(verdict.from, now.mono);
  if (accepted && !verdict.local && !scored) on_valid(verdict.from, verdict.topic, verdict.message_id, now);
  const auto kind = fault_of(verdict.outcome.reason, signer_known);
  if (!kind) return;
  if (!verdict.local) accounts_.on_refused(*kind, now.mono);
  const Fault fault = fault_of_block(*kind, verdict, now);
  if (scored) return remember(verdict.message_id, fault);  // on_invalid() says whom it counts against
  if (!verdict.local) blame(verdict.from, fault, std::nullopt, now);
}

void FaultTracker::on_signer_changed() {
  accounts_.on_signer_changed();
  uses_.on_common(FaultKind::invalid_signature);
}

void FaultTracker::remember(const MessageId& id, const Fault& fault) {
  if (!verdicts_.insert_or_assign(id, fault).second) return;
  by_age_.push_back(id);
  if (by_age_.size() <= kMostVerdicts) return;
  verdicts_.erase(by_age_.front());
  by_age_.pop_front();
}

void FaultTracker::on_sync_fault(const sync::SyncFault& fault, Now now) {
  std::string text(sync::to_string(fault.kind));
  if (!fault.evidence.empty()) text += " (" + fault.evidence + ")";
  Fault out = make_fault(fault_of(fault.kind), text, now);
  out.block_number = fault.number;
  blame(fault.peer, out, std::nullopt, now);
}

void FaultTracker::on_valid(const PeerId& peer, std::string_view, const MessageId&, Now now) {
  for (const FaultKind kind : accounts_.on_accepted(peer, now.mono)) events_.emit(CommonFaultEnded{kind});
}

void FaultTracker::on_invalid(const PeerId& peer, std::string_view, const MessageId& id, RejectCause cause,
                              const InvalidCount& count, Now now) {
  if (libp2p::gossipsub::is_fault_of_author(cause)) {
    const std::string text = "message refused by GossipSub: " + std::string(libp2p::gossipsub::to_string(cause));
    return blame(peer, make_fault(FaultKind::message_policy, text, now), count, now);
  }
  const auto verdict = verdicts_.find(id);
  if (verdict == verdicts_.end()) return;
  Fault fault = verdict->second;
  fault.at = libp2p::from_unix_seconds(libp2p::unix_seconds(now.wall));
  blame(peer, fault, count, now);
}

void FaultTracker::blame(const PeerId& peer, const Fault& fault, const std::optional<InvalidCount>& cost, Now now) {
  const auto blamed = accounts_.blame(peer, fault, cost, uses_.connected(), now.mono);
  if (blamed.found) {
    const auto& found = *blamed.found;
    const std::string text = CommonFaults::text(fault.kind, found);
    events_.emit(CommonFaultFound{fault.kind, found.peers, found.of, text});
    uses_.on_common(fault.kind);
  }
  if (!blamed.is_new) return;
  events_.emit(PeerBlamed{peer, fault, blamed.blamed_messages});
  uses_.on_blamed(peer, blamed.blamed_messages);
}

void FaultTracker::check() const {
  accounts_.check();
  OPP2P_CHECK(verdicts_.size() == by_age_.size() && verdicts_.size() <= kMostVerdicts,
              "the reasons of refused messages are bounded", verdicts_, by_age_);
}

}  // namespace opstack::reputation
