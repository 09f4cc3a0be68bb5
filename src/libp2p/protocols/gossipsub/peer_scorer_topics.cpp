// Parameters of topics that change while peers are scored, as Topic.SetScoreParams of go-libp2p-pubsub does it.
#include <algorithm>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

namespace libp2p::gossipsub {

Result<void> PeerScorer::set_topic_params(std::string_view topic, const TopicScoreParams& params, ScoreRules rules) {
  if (const auto valid = validate(params, rules); !valid) {
    return valid.error().within("the score parameters of the topic " + std::string(topic));
  }
  const auto known = find_topic(topic);
  const std::size_t index = known ? *known : add_topic(topic, params);
  topics_[index].params = params;
  params_.topics.insert_or_assign(std::string(topic), params);
  for (auto& [number, row] : rows_) {
    row.is_stale = true;
    if (row.topics.empty()) continue;
    TopicCounters& counted = row.topics[index];
    counted.first_deliveries = std::min(counted.first_deliveries, params.first_message_deliveries_cap);
    counted.mesh_deliveries = std::min(counted.mesh_deliveries, params.mesh_message_deliveries_cap);
  }
  return {};
}

// At its place in the order of names, here and in the counters of every peer.
std::size_t PeerScorer::add_topic(std::string_view topic, const TopicScoreParams& params) {
  const auto at =
      std::find_if(topics_.begin(), topics_.end(), [topic](const ScoredTopic& scored) { return scored.name > topic; });
  const auto index = at - topics_.begin();
  topics_.insert(at, {std::string(topic), params, static_cast<std::uint32_t>(topics_.size())});
  for (auto& [number, row] : rows_) {
    if (!row.topics.empty()) row.topics.insert(row.topics.begin() + index, TopicCounters());
  }
  return static_cast<std::size_t>(index);
}

}  // namespace libp2p::gossipsub
