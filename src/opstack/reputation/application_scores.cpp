#include "opstack/reputation/application_scores.hpp"

#include <algorithm>
#include <cmath>

#include "libp2p/base/assert.hpp"

namespace opstack::reputation {
namespace {

void add(double& counter, const ApplicationScorePart& part) { counter = std::min(counter + part.increment, part.cap); }

void decay(double& counter) {
  counter *= application_score_decay();
  if (counter < kApplicationDecayToZero) counter = 0;
}

}  // namespace

double application_score_decay() {
  static const double decay = std::pow(kApplicationDecayToZero, 1.0 / 60);
  return decay;
}

double application_score(const ReqRespScores& scores) {
  return scores.valid_responses * kValidResponses.weight + scores.error_responses * kErrorResponses.weight +
         scores.rejected_payloads * kRejectedPayloads.weight;
}

void add_merit(ReqRespScores& scores, sync::PeerMerit merit) {
  switch (merit) {
    case sync::PeerMerit::valid_response: return add(scores.valid_responses, kValidResponses);
    case sync::PeerMerit::error_response: return add(scores.error_responses, kErrorResponses);
    case sync::PeerMerit::rejected_payload: return add(scores.rejected_payloads, kRejectedPayloads);
  }
}

void decay_application_score(ReqRespScores& scores) {
  decay(scores.valid_responses);
  decay(scores.error_responses);
  decay(scores.rejected_payloads);
}

bool ApplicationScores::on_report(const PeerId& peer, sync::PeerMerit merit) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  add_merit(found->second, merit);
  return true;
}

std::vector<PeerId> ApplicationScores::decay() {
  std::vector<PeerId> changed;
  for (auto& [peer, scores] : peers_) {
    if (scores == ReqRespScores()) continue;
    decay_application_score(scores);
    changed.push_back(peer);
  }
  return changed;
}

void ApplicationScores::clear(const PeerId& peer) {
  const auto found = peers_.find(peer);
  if (found != peers_.end()) found->second = {};
}

std::vector<PeerId> ApplicationScores::peers() const {
  std::vector<PeerId> out;
  out.reserve(peers_.size());
  for (const auto& [peer, scores] : peers_) out.push_back(peer);
  return out;
}

ReqRespScores ApplicationScores::scores_of(const PeerId& peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? ReqRespScores() : found->second;
}

void ApplicationScores::check() const {
  const auto within = [](double value, const ApplicationScorePart& part) { return value >= 0 && value <= part.cap; };
  for (const auto& [peer, scores] : peers_) {
    OPP2P_CHECK(within(scores.valid_responses, kValidResponses), "valid responses keep their cap", peer,
                scores.valid_responses);
    OPP2P_CHECK(within(scores.error_responses, kErrorResponses), "error responses keep their cap", peer,
                scores.error_responses);
    OPP2P_CHECK(within(scores.rejected_payloads, kRejectedPayloads), "rejected payloads keep their cap", peer,
                scores.rejected_payloads);
  }
}

}  // namespace opstack::reputation
