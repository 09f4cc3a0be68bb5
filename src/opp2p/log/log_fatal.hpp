// Has the process end with its log written when a fatal signal comes (an assertion, std::terminate, a bad access): the
// handler waits until the log's thread has written what is queued, one second at most, and then lets the signal take
// its course. It reads one atomic number and sleeps, both of which a handler may do.
// std::quick_exit() waits in the same way: a database that turns out to be damaged while it is in use ends the process
// so.
//
// Owner: main, right after the log and destroyed before it; handlers of signals belong to the process, so there is one
// at a time. A log without a thread has nothing to wait for.
#pragma once

#include "opp2p/log/log.hpp"

namespace opp2p {

class FlushLogOnFatalSignals {
 public:
  explicit FlushLogOnFatalSignals(const Log& log);
  ~FlushLogOnFatalSignals();
  FlushLogOnFatalSignals(const FlushLogOnFatalSignals&) = delete;
  FlushLogOnFatalSignals& operator=(const FlushLogOnFatalSignals&) = delete;
};

}  // namespace opp2p
