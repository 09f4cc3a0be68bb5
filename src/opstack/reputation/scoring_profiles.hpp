// The named settings of GossipSub's peer scores for one chain: `none` scores nobody, `light` is op-node's, and `scored`
// adds to `light` what op-node once counted on its block topics. A profile is one row of the table in
// scoring_profiles.cpp. Functions of values, for any thread; nothing is kept. Source: op-node surface, 5.6.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/protocols/gossipsub/score_params.hpp"

namespace opstack::reputation {

// What the numbers of a profile follow from.
struct ScoredChain {
  // Between two blocks. 0 counts as 2 s, as in op-node. Less than 1 s counts as 1 s, the shortest interval of decay.
  libp2p::Nanos block_time = libp2p::Seconds(2);
  std::vector<std::string> topics;  // those of the chain's blocks; rules::blocks_topics()
};

struct ScoringProfile {
  std::string name;
  // Of a gossipsub::PeerScorer, and they pass validate(). Nothing: nobody is scored (gossipsub::NeutralScores).
  std::optional<libp2p::gossipsub::PeerScoreParams> params;
  libp2p::gossipsub::ScoreThresholds thresholds;  // for gossipsub::Params
};

// Who may choose a profile.
enum class ProfileUse : std::uint8_t { node, simulation };

// In the order of the table. A simulation may use every profile.
std::vector<std::string_view> scoring_profile_names(ProfileUse use);

// Errc::invalid_argument for a name that is not among scoring_profile_names(use); the text lists them.
libp2p::Result<ScoringProfile> make_scoring_profile(std::string_view name, const ScoredChain& chain, ProfileUse use);

}  // namespace opstack::reputation
