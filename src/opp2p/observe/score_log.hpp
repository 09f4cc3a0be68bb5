// ScoreLog: the lines about peers whose score fell below a threshold of GossipSub, or rose above it again: which peer,
// its score with the parts that are not zero, the threshold, and what follows.
//
// Owner: NodeLog. Thread: the network thread. Bounds: none of its own.
#pragma once

#include "opp2p/node/node_event.hpp"
#include "opp2p/observe/event_log.hpp"

namespace opp2p {

class ScoreLog final {
 public:
  explicit ScoreLog(EventLog& events) : events_(events) {}  // which outlives it

  void on(const PeerScoreCrossed& event);
  template <class Other>
  void on(const Other&) {}

 private:
  EventLog& events_;
};

}  // namespace opp2p
