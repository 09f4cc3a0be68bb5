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

// ---- opp2p: docs/scoring.md derives these numbers ----

// The shortest interval of decay. Only P2 follows the block time, because blocks earn it; faults and their memory are a
// matter of time, so that a chain with slow blocks does not forget more slowly.
constexpr Nanos kTick = Seconds(1);
constexpr int kDeliveryMemory = 120;  // blocks, as op-node's 20 epochs

constexpr double kInvalidWeight = -0.6;  // 8 faults: -38.4, above the graylist at -40; 9: -48.6
constexpr Nanos kFaultMemory = kHour;    // 7 faults in 10 minutes, for ever, come to -40 all the same
constexpr std::uint32_t kBlamedToBan = 8;
constexpr Nanos kBlameWindow = Seconds(600);
// Within so many blocks a node finds out that its signer or its forks are stale, mostly with the second.
constexpr int kBlocksToFindOut = 15;
constexpr Nanos kShortestDelay = Seconds(30);
constexpr Nanos kLongestDelay = Seconds(300);

Nanos block_time_of(const ScoredChain& chain) {
  return chain.block_time <= Nanos(0) ? Seconds(2) : std::min(chain.block_time, kHour);
}

TopicScoreParams make_opp2p_topic(const ScoredChain& chain) {
  const Nanos block_time = block_time_of(chain);
  TopicScoreParams t;
  t.topic_weight = 1;
  t.time_in_mesh_quantum = kTick;
  t.time_in_mesh_cap = static_cast<double>(kHour / kTick);
  t.time_in_mesh_weight = 0.1 / t.time_in_mesh_cap;
  t.first_message_deliveries_weight = 0.1;
  t.first_message_deliveries_cap = 20;
  t.first_message_deliveries_decay = score_decay(std::max<Nanos>(kDeliveryMemory * block_time, kTick), kTick);
  t.invalid_message_deliveries_weight = kInvalidWeight;
  t.invalid_message_deliveries_decay = score_decay(kFaultMemory, kTick);
  return t;
}

ScoringProfile make_opp2p(const ScoredChain& chain) {
  PeerScoreParams p;
  for (const auto& topic : chain.topics) p.topics[topic] = make_opp2p_topic(chain);
  p.topic_score_cap = 2.4;  // P1 of four topics, and P2 of one: a chain publishes in one
  p.app_specific_weight = 1;
  // An operator's twenty nodes behind one address cost nothing. What is above that costs little at first, because a
  // stranger behind the same address can add to it.
  p.ip_colocation_factor_weight = -1;
  p.ip_colocation_factor_threshold = 20;
  p.behaviour_penalty_weight = -16;
  p.behaviour_penalty_threshold = 6;
  p.behaviour_penalty_decay = score_decay(Seconds(120), kTick);
  p.decay_interval = kTick;
  p.decay_to_zero = kDecayToZero;
  p.retain_score = kFaultMemory;
  p.seen_msg_ttl = libp2p::gossipsub::Params().seen_ttl;  // as in make_scored()
  ScoringProfile out;
  out.params = std::move(p);
  out.thresholds = {.gossip = -10, .publish = -40, .graylist = -40, .accept_px = 20, .opportunistic_graft = 0.5};
  out.counts_blamed_only = true;
  out.blame_delay = std::clamp<Nanos>(kBlocksToFindOut * block_time_of(chain), kShortestDelay, kLongestDelay);
  out.bans_on_live_score = true;
  out.ban_ignores_ip_colocation = true;
  out.blamed_messages_to_ban = kBlamedToBan;
  out.blame_window = kBlameWindow;
  return out;
}

struct ProfileRow {
  std::string_view name;
  ProfileUse use;
  ScoringProfile (*make)(const ScoredChain&);
};
constexpr ProfileRow kProfiles[] = {
    {"none", ProfileUse::node, make_none},
    {"light", ProfileUse::node, make_light},
    {"opp2p", ProfileUse::node, make_opp2p},
    {"scored", ProfileUse::simulation, make_scored},
};

bool is_open_to(const ProfileRow& row, ProfileUse use) { return use == ProfileUse::simulation || row.use == use; }

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
    out.block_time = block_time_of(chain);
    return out;
  }
  std::string names;
  for (const auto known : scoring_profile_names(use)) names += (names.empty() ? "" : ", ") + std::string(known);
  return Error(Errc::invalid_argument,
               "no scoring profile is named \"" + std::string(name) + "\"; the profiles are " + names);
}

}  // namespace opstack::reputation
