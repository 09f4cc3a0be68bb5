// What the counters of a peer add up to, and what is shown of them.
#include <algorithm>
#include <cmath>

#include "libp2p/base/assert.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

namespace libp2p::gossipsub {
namespace {

// The sum makes 0 of -0, which nobody wants to read.
double weigh(double value, double weight) { return value * weight + 0.0; }

double square(double value) { return value * value; }

}  // namespace

double PeerScorer::score(const PeerId& peer) const {
  const Row* const row = find(peer);
  return row == nullptr ? 0 : current_score(*row);
}

double PeerScorer::current_score(const Row& row) const {
  if (!row.is_stale && row.colocation_version == colocation_.version()) return row.score;
  row.score = compute(row, nullptr);
  row.colocation_version = colocation_.version();
  row.is_stale = false;
  OPP2P_ASSERT(!std::isnan(row.score), "a score can be compared", row.id);
  return row.score;
}

TopicScoreParts PeerScorer::score_of_topic(const TopicCounters& counted, const TopicScoreParams& p) const {
  TopicScoreParts out;
  out.in_mesh = counted.in_mesh;
  if (counted.in_mesh) {
    out.time_in_mesh = counted.time_in_mesh;
    if (p.time_in_mesh_quantum > Nanos(0)) {
      const auto quanta = static_cast<double>(counted.time_in_mesh / p.time_in_mesh_quantum);
      out.time_in_mesh_weighted = weigh(std::min(quanta, p.time_in_mesh_cap), p.time_in_mesh_weight);
    }
  }
  const double deficit = p.mesh_message_deliveries_threshold - counted.mesh_deliveries;
  const double shortfall = counted.deliveries_active && deficit > 0 ? square(deficit) : 0;
  out.first_deliveries = {counted.first_deliveries, weigh(counted.first_deliveries, p.first_message_deliveries_weight)};
  out.mesh_deliveries = {counted.mesh_deliveries, weigh(shortfall, p.mesh_message_deliveries_weight)};
  out.mesh_failures = {counted.mesh_failures, weigh(counted.mesh_failures, p.mesh_failure_penalty_weight)};
  out.invalid_deliveries = {counted.invalid_deliveries,
                            weigh(square(counted.invalid_deliveries), p.invalid_message_deliveries_weight)};
  out.total = weigh(out.time_in_mesh_weighted + out.first_deliveries.weighted + out.mesh_deliveries.weighted +
                        out.mesh_failures.weighted + out.invalid_deliveries.weighted,
                    p.topic_weight);
  return out;
}

// The score; its parts too where `parts` is given.
double PeerScorer::compute(const Row& row, PeerScoreParts* parts) const {
  double topics = 0;
  for (std::size_t topic = 0; topic < row.topics.size(); ++topic) {
    const TopicScoreParts of_topic = score_of_topic(row.topics[topic], topics_[topic].params);
    topics += of_topic.total;
    if (parts != nullptr) parts->topics.push_back(of_topic);
  }
  if (params_.topic_score_cap > 0) topics = std::min(topics, params_.topic_score_cap);
  const double factor = colocation_.factor(row.places, row.number);
  const double excess = std::max(row.behaviour - params_.behaviour_penalty_threshold, 0.0);
  const ScorePart application{row.application, weigh(row.application, params_.app_specific_weight)};
  const ScorePart colocation{factor, weigh(factor, params_.ip_colocation_factor_weight)};
  const ScorePart behaviour{row.behaviour, weigh(square(excess), params_.behaviour_penalty_weight)};
  if (parts != nullptr) {
    parts->topics_total = topics;
    parts->application = application;
    parts->ip_colocation = colocation;
    parts->behaviour = behaviour;
  }
  return topics + application.weighted + colocation.weighted + behaviour.weighted;
}

// ---- what is shown ----

void PeerScorer::describe(const Row& row, PeerScoreParts& out) const {
  out.peer = row.id;
  out.connected = !row.retained;
  out.topics.clear();
  out.score = compute(row, &out);
}

void PeerScorer::snapshot(ScoreSnapshot& out, Shown which) const {
  out.topics.resize(topics_.size());
  for (std::size_t topic = 0; topic < topics_.size(); ++topic) out.topics[topic] = topics_[topic].name;
  const bool all = which == Shown::and_those_away;
  out.peers.resize(rows_.size() - (all ? 0 : retained_.size()));
  auto next = out.peers.begin();
  for (const auto& [number, row] : rows_) {
    if (all || !row.retained) describe(row, *next++);
  }
}

std::optional<PeerScoreParts> PeerScorer::snapshot_of(const PeerId& peer) const {
  const Row* const row = find(peer);
  if (row == nullptr) return std::nullopt;
  PeerScoreParts out;
  describe(*row, out);
  return out;
}

PeerScorer::Sizes PeerScorer::sizes() const {
  return {rows_.size() - retained_.size(), retained_.size(), records_.size(), colocation_.counts().size()};
}

// ---- what must hold ----

void PeerScorer::check() const {
  std::map<IpColocation::IpAddress, std::size_t> peers_at;
  std::size_t retained = 0;
  OPP2P_CHECK(by_id_.size() == rows_.size(), "every peer is found by its id", by_id_.size(), rows_);
  for (const auto& [number, row] : rows_) {
    OPP2P_CHECK(row.number == number && number < next_number_, "a row knows its number", number, row.number);
    OPP2P_CHECK(find(row.id) == &row, "every peer is found by its id", row.id);
    OPP2P_CHECK(!row.id.empty(), "our own messages make no peer of us");
    OPP2P_CHECK(!row.retained || retained_.contains(*row.retained), "a peer that is away is in line to be forgotten",
                row.id);
    retained += row.retained ? 1 : 0;
    for (const auto at : row.places) ++peers_at[at->first];
    check_row(row);
  }
  OPP2P_CHECK(retained == retained_.size(), "only peers that are away are in line", retained, retained_);
  OPP2P_CHECK(retained <= params_.max_retained, "peers that are away are bounded", retained, params_.max_retained);
  OPP2P_CHECK(peers_at == colocation_.counts(), "each address counts the peers that are there", peers_at,
              colocation_.counts());
  records_.check();
}

void PeerScorer::check_row(const Row& row) const {
  OPP2P_CHECK(row.topics.empty() || row.topics.size() == topics_.size(), "counters are of the scored topics",
              row.topics, topics_);
  OPP2P_CHECK(row.places.size() <= params_.max_addresses_of_a_peer, "addresses of a peer are bounded", row.places);
  OPP2P_CHECK(row.behaviour >= 0, "penalties only grow and decay", row.behaviour);
  for (std::size_t topic = 0; topic < row.topics.size(); ++topic) {
    const TopicCounters& counted = row.topics[topic];
    const TopicScoreParams& p = topics_[topic].params;
    OPP2P_CHECK(counted.first_deliveries >= 0 && counted.first_deliveries <= p.first_message_deliveries_cap,
                "first deliveries keep their cap", counted.first_deliveries);
    OPP2P_CHECK(counted.mesh_deliveries >= 0 && counted.mesh_deliveries <= p.mesh_message_deliveries_cap,
                "mesh deliveries keep their cap", counted.mesh_deliveries);
    OPP2P_CHECK(counted.mesh_failures >= 0 && counted.invalid_deliveries >= 0, "counters are not negative",
                counted.mesh_failures, counted.invalid_deliveries);
    OPP2P_CHECK(!row.retained || !counted.in_mesh, "a peer that is away is in no mesh", row.id);
  }
  if (!row.is_stale && row.colocation_version == colocation_.version())
    OPP2P_CHECK(row.score == compute(row, nullptr), "a cached score is the score", row.id, row.score);
}

}  // namespace libp2p::gossipsub
