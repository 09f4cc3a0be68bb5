// ChainLog: the lines about the shape of the chain: a second block at a height, a reorganisation, holes below the head,
// blocks that wait above one, blocks whose time is not that of their number, and that nobody can be asked for what is
// missing. All else is at debug level.
//
// Owner: NodeLog. Thread: the network thread. Bounds: none of its own.
#pragma once

#include "opp2p/node/node_event.hpp"
#include "opp2p/observe/event_log.hpp"

namespace opp2p {

class ChainLog {
 public:
  // Both outlive it.
  ChainLog(EventLog& events, const opstack::chain::RollupConfig& rollup) : events_(events), rollup_(rollup) {}

  void on(const opstack::sync::HeadMoved& event);
  void on(const opstack::sync::HoleChanged& event);
  void on(const opstack::sync::GapSourcesChanged& event);
  void on(const opstack::sync::ChainTrace& trace);
  template <class Other>
  void on(const Other&) {}

 private:
  void on_wrong_time(const opstack::sync::ChainTrace& trace);

  EventLog& events_;
  const opstack::chain::RollupConfig& rollup_;
  std::size_t holes_ = 0;
};

}  // namespace opp2p
