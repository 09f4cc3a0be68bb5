// The record of GossipSub's backoffs ("/opp2p/gossip/backoffs"), with which a node that comes back within seconds keeps
// those that it has told and was told (libp2p/protocols/gossipsub/backoffs.hpp). It is a text: "1 <Unix seconds>", when
// it was written, and a line "<seconds that were left> <peer id> <topic>" for each. A clock that was set back makes a
// backoff last no longer than was left of it. Pure functions over a text from a disk that may be damaged; any thread.
// Bounds: kMostBackoffs; those that end first are kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/protocols/gossipsub/backoffs.hpp"

namespace opp2p {

inline constexpr std::string_view kBackoffKey = "/opp2p/gossip/backoffs";
inline constexpr std::size_t kMostBackoffs = 2048;

// A text of at most 1 MiB. Empty when there are none.
std::string backoff_record(std::vector<libp2p::gossipsub::BackoffLeft> left, libp2p::UnixTime now);
// Those of the record that are not over. Lines that are none, and records of another form, are left out.
std::vector<libp2p::gossipsub::BackoffLeft> read_backoff_record(std::string_view text, libp2p::UnixTime now);

}  // namespace opp2p
