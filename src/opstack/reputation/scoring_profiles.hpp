// The named settings of GossipSub's peer scores for one chain, and of the bans that follow from them: `none` scores
// nobody, `light` is op-node's, `opp2p` is ours (docs/scoring.md has the reason of each number), and `scored` adds to
// `light` what op-node once counted on its block topics. A profile is one row of the table in scoring_profiles.cpp.
// Functions of values, for any thread; nothing is kept. Source: op-node surface, 5.6.
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
  // Between two blocks. 0 counts as 2 s, as in op-node. Less than 1 s counts as 1 s, the shortest interval of decay,
  // and more than an hour as an hour.
  libp2p::Nanos block_time = libp2p::Seconds(2);
  std::vector<std::string> topics;  // those of the chain's blocks; rules::blocks_topics()
};

struct ScoringProfile {
  std::string name;
  // Of a gossipsub::PeerScorer, and they pass validate(). Nothing: nobody is scored (gossipsub::NeutralScores).
  std::optional<libp2p::gossipsub::PeerScoreParams> params;
  libp2p::gossipsub::ScoreThresholds thresholds;  // for gossipsub::Params

  // Rejected messages for which nobody is blamed cost nothing in P4. Without it every rejected message counts.
  bool counts_blamed_only = false;
  // How long P4 does not count a message whose fault may be the node's own (fault_ledger.hpp). 0: it counts at once.
  libp2p::Nanos blame_delay{};
  std::uint32_t messages_to_cost = 1;  // such messages of one kind cost nothing before there are so many of a peer

  libp2p::Nanos block_time = libp2p::Seconds(2);  // of the chain; more than 0

  // For the peer monitor.
  bool bans_on_live_score = false;           // else on the score that was last written to the score book, as op-node
  bool ban_ignores_ip_colocation = false;    // P6 is left out of the score that is compared with the ban threshold
  std::uint32_t blamed_messages_to_ban = 0;  // so many within `blame_window` are a ban at once; 0: no such rule
  libp2p::Nanos blame_window{};
};

// Who may choose a profile.
enum class ProfileUse : std::uint8_t { node, simulation };

// In the order of the table. A simulation may use every profile.
std::vector<std::string_view> scoring_profile_names(ProfileUse use);

// Errc::invalid_argument for a name that is not among scoring_profile_names(use); the text lists them.
libp2p::Result<ScoringProfile> make_scoring_profile(std::string_view name, const ScoredChain& chain, ProfileUse use);

}  // namespace opstack::reputation
