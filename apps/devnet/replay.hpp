// `opp2p devnet --replay FOLDER`: sends recorded blocks from a publisher through real connections to the rules and the
// followers. The clock is set to the time of each block. Because the clock is virtual, the nodes run in one simulation
// and not as processes.
//
// A recording is a JSON file. It is an envelope in the Engine API's form, or an object with "cases". Each case has an
// envelope under "decoded", and its "kind" says that it is real or derived from a real block.
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
