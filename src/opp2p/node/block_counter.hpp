// BlockCounter: the sink that counts blocks (BlockStats) and keeps the time of the head (HeadClock). The first sink of
// every node, so that whatever else hears of an event finds it counted.
//
// Owner: the node. Thread: the network thread; the clock may be read on any. Bounds: those of BlockStats.
#pragma once

#include "opp2p/node/block_stats.hpp"
#include "opp2p/node/head_clock.hpp"
#include "opp2p/node/node_event.hpp"

namespace opp2p {

class BlockCounter final : public NodeSink {
 public:
  void on(const NodeEvent& event, libp2p::Now now) override;
  const BlockStats& stats() const { return stats_; }
  const HeadClock& head_clock() const { return head_clock_; }

 private:
  BlockStats stats_;
  HeadClock head_clock_;
};

}  // namespace opp2p
