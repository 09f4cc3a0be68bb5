#include "opstack/reputation/scoring_profiles.hpp"

#include <algorithm>

namespace opstack::reputation {

using libp2p::Errc;
using libp2p::Error;
using libp2p::Nanos;
using libp2p::Result;
using libp2p::Seconds;
using libp2p::gossipsub::PeerScoreParams;
using libp2p::gossipsub::score_decay;
using libp2p::gossipsub::ScoreThresholds;
using libp2p::gossipsub::TopicScoreParams;

namespace {

constexpr double kDecayToZero = 0.01;
constexpr int kSlotsPerEpoch = 6;
constexpr Nanos kHour = Seconds(3600);

Nanos slot_of(const ScoredChain& chain) {
  if (chain.block_time <= Nanos(0)) return Seconds(2);
  return std::clamp<Nanos>(chain.block_time, Seconds(1), kHour);
}

ScoringProfile make_none(const ScoredChain&) {
  ScoringProfile out;
  // Every score is 0, so no threshold may be above or below it: go-libp2p-pubsub without scores has none.
  out.thresholds = {.gossip = 0, .publish = 0, .graylist = 0, .accept_px = 0, .opportunistic_graft = 0};
  return out;
}

ScoringProfile make_light(const ScoredChain& chain) {
  const Nanos slot = slot_of(chain);
  const Nanos epoch = kSlotsPerEpoch * slot;
  PeerScoreParams p;
  p.app_specific_weight = 1;
  p.ip_colocation_factor_weight = -35;
  p.ip_colocation_factor_threshold = 10;
  p.behaviour_penalty_weight = -16;
  p.behaviour_penalty_threshold = 6;
  p.behaviour_penalty_decay = score_decay(10 * epoch, slot, kDecayToZero);
  p.decay_interval = slot;
  p.decay_to_zero = kDecayToZero;
  p.retain_score = 100 * epoch;
  ScoringProfile out;
  out.params = std::move(p);
  out.thresholds = {.gossip = -10, .publish = -40, .graylist = -40, .accept_px = 20, .opportunistic_graft = 0.05};
  return out;
}

// P1, P2 and P4 of a block topic. P3 and P3b are off: a chain publishes in one of its topics, and in the others every
// peer would owe deliveries. That is how op-node's meshes broke before it gave up its topic scores.
TopicScoreParams make_block_topic(Nanos slot) {
  const auto slots_per_hour = static_cast<double>(kHour / slot);
  TopicScoreParams t;
  t.topic_weight = 0.8;
  t.time_in_mesh_weight = 10 / slots_per_hour;
  t.time_in_mesh_quantum = slot;
  t.time_in_mesh_cap = slots_per_hour;
  t.first_message_deliveries_weight = 1;
  t.first_message_deliveries_decay = score_decay(20 * kSlotsPerEpoch * slot, slot, kDecayToZero);
  t.first_message_deliveries_cap = 23;
  t.invalid_message_deliveries_weight = -140.4475;
  t.invalid_message_deliveries_decay = score_decay(50 * kSlotsPerEpoch * slot, slot, kDecayToZero);
  return t;
}

ScoringProfile make_scored(const ScoredChain& chain) {
  ScoringProfile out = make_light(chain);
  for (const auto& topic : chain.topics) out.params->topics[topic] = make_block_topic(slot_of(chain));
  out.params->topic_score_cap = 34;
  // As long as the router remembers a message. With the library's 120 s, an old block that comes again after that would
  // be judged, and still nobody be blamed for it.
  out.params->seen_msg_ttl = libp2p::gossipsub::Params().seen_ttl;
  return out;
}

struct Row {
  std::string_view name;
  ProfileUse use;
  ScoringProfile (*make)(const ScoredChain&);
};
constexpr Row kProfiles[] = {
    {"none", ProfileUse::node, make_none},
    {"light", ProfileUse::node, make_light},
    {"scored", ProfileUse::simulation, make_scored},
};

bool is_open_to(const Row& row, ProfileUse use) { return use == ProfileUse::simulation || row.use == use; }

}  // namespace

std::vector<std::string_view> scoring_profile_names(ProfileUse use) {
  std::vector<std::string_view> out;
  for (const auto& row : kProfiles)
    if (is_open_to(row, use)) out.push_back(row.name);
  return out;
}

Result<ScoringProfile> make_scoring_profile(std::string_view name, const ScoredChain& chain, ProfileUse use) {
  for (const auto& row : kProfiles) {
    if (row.name != name || !is_open_to(row, use)) continue;
    ScoringProfile out = row.make(chain);
    out.name = row.name;
    return out;
  }
  std::string names;
  for (const auto known : scoring_profile_names(use)) names += (names.empty() ? "" : ", ") + std::string(known);
  return Error(Errc::invalid_argument,
               "no scoring profile is named \"" + std::string(name) + "\"; the profiles are " + names);
}

}  // namespace opstack::reputation
