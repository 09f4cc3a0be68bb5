// `opp2p devnet --replay FOLDER`: feeds recorded blocks through the whole way of a block, from a publisher over real
// connections' bytes to the rules and the followers, with the clock set to each block's time. Because the clock is
// virtual, the nodes run in one simulated world instead of processes.
//
// A recording is a JSON file: an envelope in the Engine API's shape, or an object whose "cases" hold such under
// "decoded" and say under "kind" that they are real or derived from real blocks.
#pragma once

#include <string>
#include <vector>

#include "apps/devnet/devnet.hpp"

namespace opp2p::devnet {

using libp2p::Bytes;
using opstack::payload::Envelope;

struct RecordedBlock {
  std::string name;
  opstack::payload::Version version = opstack::payload::Version::v1;
  Envelope envelope;
};

// All recordings below a folder, in the order of their paths. Errors name the file and the case.
libp2p::Result<std::vector<RecordedBlock>> read_recordings(const std::string& folder);

// The exit code: 0 only when every follower accepted every block.
libp2p::Result<int> run_replay(const std::string& folder, const DevnetOptions& options, Output& out);

}  // namespace opp2p::devnet
