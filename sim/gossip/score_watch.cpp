#include "sim/gossip/score_watch.hpp"

#include <algorithm>

namespace opp2p::sim::gossip {

double ScoreWatch::look(Member observer, Member peer, const PeerId& id, const libp2p::gossipsub::PeerScorer& scorer,
                        const opstack::reputation::FaultLedger* ledger, MonoTime now) {
  const double score = scorer.score(id);
  if (!interval_has_any_ || score < least_of_interval_) least_of_interval_ = score;
  interval_has_any_ = true;
  const bool is_least = !least_ || score < least_->parts.score;
  if (score >= 0 && !is_least) return score;
  auto parts = scorer.snapshot_of(id);
  if (!parts) return score;
  SeenScore seen{observer, peer, now, std::move(*parts)};
  if (score < 0) keep_below(seen, id, ledger);
  if (is_least) least_ = std::move(seen);
  return score;
}

void ScoreWatch::keep_below(const SeenScore& seen, const PeerId& id, const opstack::reputation::FaultLedger* ledger) {
  const auto [at, is_new] = below_zero_.try_emplace({seen.observer, seen.peer});
  if (is_new && kept_below_ < kMostBelow) {
    ++kept_below_;
    at->second.emplace(BelowZero{seen.time, seen, {}});
  }
  auto& kept = at->second;
  if (!kept || (!is_new && seen.parts.score >= kept->least.parts.score)) return;
  kept->least = seen;
  if (ledger != nullptr) kept->faults = ledger->faults_of(id);
}

void ScoreWatch::end_look(std::vector<double> scores, MonoTime now) {
  if (now < next_point_ || scores.empty()) return;
  const auto middle = scores.begin() + static_cast<std::ptrdiff_t>(scores.size() / 2);
  std::nth_element(scores.begin(), middle, scores.end());
  points_.push_back({now, least_of_interval_, *middle, scores.size()});
  interval_has_any_ = false;
  next_point_ = now + interval_;
}

void ScoreWatch::on_invalid(Member observer, const PeerId& peer, double score) {
  Sender& sender = senders_[{observer, peer}];
  if (sender.banned_after) return;  // it was on its way
  const std::size_t place = sender.invalid++;
  if (place >= kCurve) return;
  Sum& sum = curve_[place];
  sum.least = sum.pairs == 0 ? score : std::min(sum.least, score);
  sum.most = sum.pairs == 0 ? score : std::max(sum.most, score);
  sum.sum += score;
  ++sum.pairs;
}

void ScoreWatch::on_ban(Member observer, const PeerId& peer, bool is_honest) {
  if (is_honest) ++honest_banned_;
  if (is_honest) return;
  Sender& sender = senders_[{observer, peer}];
  if (!sender.banned_after) sender.banned_after = sender.invalid;
}

ScoreReport ScoreWatch::report() const {
  ScoreReport out;
  out.least = least_;
  out.pairs_below_zero = below_zero_.size();
  for (const auto& [pair, kept] : below_zero_) {
    if (kept) out.below.push_back(*kept);
  }
  out.points = points_;
  out.honest_banned = honest_banned_;
  out.own_faults = own_faults_;
  for (const Sum& sum : curve_) {
    if (sum.pairs == 0) break;
    out.after_invalid.push_back({sum.pairs, sum.least, sum.sum / static_cast<double>(sum.pairs), sum.most});
  }
  for (const auto& [pair, sender] : senders_) {
    if (sender.banned_after) {
      ++out.hostile_banned;
      out.most_until_ban = std::max(out.most_until_ban, *sender.banned_after);
    } else {
      out.most_without_ban = std::max(out.most_without_ban, sender.invalid);
    }
  }
  return out;
}

}  // namespace opp2p::sim::gossip
