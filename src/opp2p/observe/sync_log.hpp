// What the log tells of the chain and its gaps: a gap once when reverse sync takes it up, its progress every
// kProgress, that it is given up, and its end; faults of peers; blocks that conflict; a store that refuses. All else
// at debug level.
//
// Owner: the node. Thread: the network thread. Bounds: one gap.
#pragma once

#include <optional>
#include <string>

#include "opp2p/observe/event_log.hpp"
#include "opstack/sync/drive/follower.hpp"
#include "opstack/sync/drive/sync_server.hpp"

namespace opp2p {

class SyncLog {
 public:
  static constexpr libp2p::Nanos kProgress = libp2p::Seconds(10);
  static constexpr libp2p::Nanos kNoProgress = libp2p::Seconds(60);  // while nothing is done for the gap
  static constexpr libp2p::Nanos kStoreErrorInterval = libp2p::Seconds(10);

  // Outlives it.
  explicit SyncLog(EventLog& events) : events_(events) {}

  // `self`: the block is our own.
  void on_stored(const libp2p::PeerId& from, bool self, const opstack::sync::Block& block);
  void on_store_refused(std::uint64_t number, const libp2p::Error& why);
  void on_chain_trace(const opstack::sync::ChainTrace& trace);
  void on_sync_trace(const opstack::sync::SyncTrace& trace);
  void on_fault(const opstack::sync::SyncFault& fault);
  void on_served(const opstack::sync::ServedRequest& request);

 private:
  struct Range {
    libp2p::MonoTime begun;
    libp2p::MonoTime told;
    std::uint64_t fetched = 0;
    std::string waits_for;  // since the last block that came
    std::string given_up;   // why nothing is asked for now
    // As of the last line: how many were fetched, and that nothing went on.
    std::uint64_t told_fetched = 0;
    bool told_idle = false;
  };
  void on_range_requested(const opstack::sync::SyncTrace& trace);
  void on_range_closed(std::optional<std::uint64_t> number);

  EventLog& events_;
  std::optional<Range> range_;
  std::uint64_t store_refused_ = 0;
  std::optional<libp2p::MonoTime> told_of_store_;  // while it refuses
};

}  // namespace opp2p
