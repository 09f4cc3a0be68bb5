// BlockStats: what a node counts of its blocks for its status: verdicts by reason, blocks that came by request, blocks
// that it published, propagation latency. A plain value; the node's copy belongs to the network thread. Bounds: one
// number for each reason of the rules and for each kind of event of the chain, one latency window.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "opp2p/node/latency_window.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/sync/drive/follower_events.hpp"

namespace opp2p {

// How often each reason came.
class ReasonCounts {
 public:
  void add(opstack::rules::Reason reason) { ++counts_[static_cast<std::size_t>(reason)]; }
  std::uint64_t of(opstack::rules::Reason reason) const { return counts_[static_cast<std::size_t>(reason)]; }
  // How many different reasons came.
  std::size_t reasons() const;
  // Calls `take(reason, count)` for each reason that came, in the order of the checks.
  template <class Take>
  void each(Take take) const {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] > 0) take(static_cast<opstack::rules::Reason>(i), counts_[i]);
  }

 private:
  std::array<std::uint64_t, opstack::rules::kReasonCount> counts_{};
};

// The head went to another branch, or above a hole.
struct Reorganisation {
  opstack::payload::BlockRef from;
  opstack::payload::BlockRef to;
  std::optional<std::uint64_t> fork;  // the highest block that both have; none above a hole
  std::uint64_t depth = 0;            // blocks that are canonical no more
  std::string_view reason;            // OrphanReason's id
  libp2p::UnixTime at{};
};

struct BlockStats {
  std::uint64_t accepted = 0;
  ReasonCounts rejected;
  ReasonCounts ignored;
  std::uint64_t synced = 0;     // taken over from payload_by_number
  std::uint64_t published = 0;  // our own
  std::uint64_t reorganisations = 0;
  std::optional<Reorganisation> last_reorganisation;
  std::map<opstack::sync::ChainTraceKind, std::uint64_t> chain_events;  // how often each kind came
  // From a block's timestamp to its acceptance. The timestamp has whole seconds, so this is honest where the sequencer
  // publishes on the second, and an upper bound elsewhere.
  LatencyWindow latency;

  // Counts a verdict about a block that a peer sent; those about our own blocks are not counted.
  void count(const opstack::gossip::BlockVerdict& verdict, libp2p::UnixTime now);
};

}  // namespace opp2p
