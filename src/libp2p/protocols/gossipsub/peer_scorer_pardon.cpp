// What was held against a peer and is no more: single counts of P4, or everything.
#include <algorithm>
#include <cmath>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

namespace libp2p::gossipsub {

std::optional<PeerScorer::Counted> PeerScorer::find_count(const InvalidCount& count) {
  const auto at = rows_.find(count.peer);
  const auto topic = std::find_if(topics_.begin(), topics_.end(),
                                  [&count](const ScoredTopic& scored) { return scored.id == count.topic; });
  if (at == rows_.end() || topic == topics_.end() || at->second.topics.empty()) return std::nullopt;
  Row& row = at->second;
  OPP2P_ASSERT(count.decays <= row.decays, "a count was made before it is taken back", count.decays, row.decays);
  const auto decays = static_cast<double>(row.decays - count.decays);
  double& invalid = counters(row, static_cast<std::size_t>(topic - topics_.begin())).invalid_deliveries;
  return Counted{row, invalid, std::pow(topic->params.invalid_message_deliveries_decay, decays)};
}

void PeerScorer::take_back(const InvalidCount& count) {
  const auto found = find_count(count);
  if (!found) return;
  found->invalid = std::max(found->invalid - found->left, 0.0);
  if (found->invalid < params_.decay_to_zero) found->invalid = 0;
}

void PeerScorer::put_back(const InvalidCount& count) {
  const auto found = find_count(count);
  if (!found) return;
  found->invalid += found->left;
  if (found->invalid < params_.decay_to_zero) found->invalid = 0;
}

void PeerScorer::clear(const PeerId& peer) {
  Row* const row = find(peer);
  if (row == nullptr) return;
  if (row->retained) return forget(row->number);
  for (TopicCounters& counted : row->topics) {
    counted.deliveries_active = false;
    counted.first_deliveries = counted.mesh_deliveries = 0;
    counted.mesh_failures = counted.invalid_deliveries = 0;
  }
  row->application = row->behaviour = 0;
  row->is_stale = true;
}

}  // namespace libp2p::gossipsub
