// What a node counts for its status: verdicts by reason, blocks that came by request, propagation latency. A plain
// value of the network thread. Bounds: reasons are as many as the rules have.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "opp2p/observe/latency_window.hpp"
#include "opstack/gossip/block_gossip.hpp"

namespace opp2p {

struct BlockStats {
  std::uint64_t accepted = 0;
  std::map<std::string, std::uint64_t> rejected;  // by the reason's words
  std::map<std::string, std::uint64_t> ignored;
  std::uint64_t synced = 0;     // taken over from payload_by_number
  std::uint64_t published = 0;  // our own
  // From a block's timestamp to its acceptance. The timestamp has whole seconds, so this is honest where the sequencer
  // publishes on the second, and an upper bound elsewhere.
  LatencyWindow latency;

  void count(const opstack::gossip::BlockVerdict& verdict, libp2p::UnixTime now) {
    using opstack::rules::Verdict;
    if (verdict.local) return;
    const auto& outcome = verdict.outcome;
    switch (outcome.verdict) {
      case Verdict::reject: ++rejected[std::string(to_string(outcome.reason))]; return;
      case Verdict::ignore: ++ignored[std::string(to_string(outcome.reason))]; return;
      case Verdict::accept: ++accepted; break;
    }
    if (!outcome.envelope) return;
    const auto sent = libp2p::from_unix_seconds(static_cast<std::int64_t>(outcome.envelope->payload.timestamp));
    if (now >= sent) latency.add(now - sent);
  }
};

}  // namespace opp2p
