#include "opp2p/node/block_stats.hpp"

#include <algorithm>

namespace opp2p {

std::size_t ReasonCounts::reasons() const {
  return static_cast<std::size_t>(std::count_if(counts_.begin(), counts_.end(), [](auto count) { return count > 0; }));
}

void BlockStats::count(const opstack::gossip::BlockVerdict& verdict, libp2p::UnixTime now) {
  using opstack::rules::Verdict;
  if (verdict.local) return;
  const auto& outcome = verdict.outcome;
  switch (outcome.verdict) {
    case Verdict::reject: rejected.add(outcome.reason); return;
    case Verdict::ignore: ignored.add(outcome.reason); return;
    case Verdict::accept: ++accepted; break;
  }
  if (!outcome.envelope) return;
  const auto sent = libp2p::from_unix_seconds(static_cast<std::int64_t>(outcome.envelope->payload.timestamp));
  if (now >= sent) latency.add(now - sent);
}

}  // namespace opp2p
