// EventLog: writes lines at info and above that other peers can cause. Each kind of line has its own allowance
// (log_limiter.hpp), so that a peer that causes many lines of one kind suppresses no other kind. A line beyond the
// allowance is written at debug level.
//
// Owner: NodeLog. Thread: the network thread. Bounds: a row for each kind.
#pragma once

#include <initializer_list>
#include <string_view>

#include "libp2p/runtime/runtime.hpp"
#include "opp2p/log/log.hpp"
#include "opp2p/observe/log_limiter.hpp"

namespace opp2p {

enum class Told : std::uint8_t {
  static_connected,
  static_dial,
  static_dial_failed,
  static_disconnected,
  proven_connected,
  proven_disconnected,
  on_request,
  other_chain,
  refused_connections,
  rejected_blocks,
  two_blocks,
  wrong_time,
  waiting,
  reorganised,
  hole,
  broken_rule,
  sync_range,
  sync_fault,
  store_recovered,
  score_fell,
  score_recovered,
  banned,
  unbanned,
  blocked,
  gate_refused,
  common_fault,
  peerstore,
  kinds
};

class EventLog {
 public:
  // Both outlive it.
  EventLog(libp2p::runtime::Runtime& runtime, Log& log) : runtime_(runtime), log_(log) {}

  void tell(Told kind, LogLevel level, Component component, std::string_view message,
            std::initializer_list<Field> fields);
  // How many lines of each kind were left out since the last one of it.
  void tell_what_was_left_out();

  Log& log() { return log_; }
  libp2p::MonoTime now() const { return runtime_.now().mono; }

 private:
  libp2p::runtime::Runtime& runtime_;
  Log& log_;
  LogLimiter<Told, static_cast<std::size_t>(Told::kinds)> told_;
};

}  // namespace opp2p
