// SyncLog: the lines about the chain and its gaps: each new head; a gap when reverse sync takes it up, its progress
// every kProgress, and its end; faults of peers; a store that refuses. All else is at debug level.
//
// Owner: NodeLog. Thread: the network thread. Bounds: one gap.
#pragma once

#include <optional>
#include <string>

#include "opp2p/node/node_event.hpp"
#include "opp2p/observe/event_log.hpp"

namespace opp2p {

class SyncLog {
 public:
  static constexpr libp2p::Nanos kProgress = libp2p::Seconds(10);
  static constexpr libp2p::Nanos kNoProgress = libp2p::Seconds(60);  // while nothing is done for the gap
  static constexpr libp2p::Nanos kStoreErrorInterval = libp2p::Seconds(10);

  // `events` outlives it. `self`: blocks that come from this id are our own.
  SyncLog(EventLog& events, libp2p::PeerId self) : events_(events), self_(std::move(self)) {}

  void on(const opstack::sync::BlockStored& event);
  void on(const StoreRefused& event);
  void on(const opstack::sync::SyncTrace& trace);
  void on(const opstack::sync::SyncFault& fault);
  void on(const opstack::sync::ServedRequest& request);
  template <class Other>
  void on(const Other&) {}

 private:
  struct Range {
    libp2p::MonoTime begun;
    libp2p::MonoTime told;
    std::uint64_t fetched = 0;
    std::optional<opstack::sync::SyncTraceKind> waits_for;  // since the last block that came
    // As of the last line: how many were fetched, and that nothing went on.
    std::uint64_t told_fetched = 0;
    bool told_idle = false;
  };
  void on_range_requested(const opstack::sync::SyncTrace& trace);
  void on_range_closed(std::optional<std::uint64_t> number);

  EventLog& events_;
  const libp2p::PeerId self_;
  std::optional<Range> range_;
  std::uint64_t store_refused_ = 0;
  std::optional<libp2p::MonoTime> told_of_store_;  // while it refuses
};

}  // namespace opp2p
