// `opp2p devnet`: a local OP Stack chain of real processes on loopback. This process builds the blocks and gives them
// to the sequencer, which is an `opp2p node` with the signing key. Followers and a late joiner are nodes without the
// key. An intruder publishes invalid blocks. What else happens is the story's (story.hpp). This process watches all of
// them over their JSON-RPC.
//
// Thread: the caller's, and one for each sequencer, which builds blocks and gives them to it. The calling thread waits
// for the signals that end the devnet (EndSignals) and blocks them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "opp2p/base/output.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p::devnet {

struct DevnetOptions {
  std::uint64_t block_time = 2;  // seconds
  opstack::chain::Fork fork = opstack::chain::Fork::isthmus;
  std::size_t block_size = 4096;  // bytes
  std::size_t followers = 4;
  std::optional<std::uint64_t> for_seconds;  // then the sequencer stops and a summary is printed
  bool json = false;
  std::string data_dir;           // empty: a temporary folder
  bool keep = false;              // leave the data when done
  std::vector<std::string> join;  // multiaddrs of foreign peers that every node dials
  std::string story;              // one of story_names(); empty: the default run
  std::string log_level = "info";
  // Of the nodes. Under `light` an invalid block costs its sender nothing, so the intruder is never banned.
  std::string scoring = "opp2p";
  bool bans = true;
  bool bans_intruder() const { return bans && scoring == "opp2p"; }
};

// Runs until a signal ends it (EndSignals), for_seconds have passed, or the story is told. The exit code: 0 only when
// every check of the judgement holds (judgement.hpp, Story::judge). An error is something that kept the devnet from
// running. When `out` fails, it ends at once, without the judgement.
struct StoryName {
  std::string_view name;
  std::string_view about;  // one sentence
};
std::vector<StoryName> story_names();

libp2p::Result<int> run_devnet(const DevnetOptions& options, Output& out);

}  // namespace opp2p::devnet
