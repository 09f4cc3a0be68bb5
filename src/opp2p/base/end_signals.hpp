// The signals that end a command in an orderly way: SIGINT, SIGTERM, SIGHUP (the terminal was closed) and SIGQUIT. The
// last two stay ignored if they were ignored at the start, as nohup and background jobs of shells require.
#pragma once

#include <signal.h>

#include <vector>

#include "libp2p/base/time.hpp"

namespace opp2p {

std::vector<int> end_signals();

// Takes them on the thread that makes it, for a program that waits instead of running an event loop: they are blocked
// there and in the threads that it starts, and one that comes waits until it is asked for. Thread: that one.
class EndSignals {
 public:
  EndSignals();
  ~EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

  // Waits that long, or until one comes. True when one came in that time.
  bool wait(libp2p::Nanos time);
  // True when one has come, now or before.
  bool came();

 private:
  sigset_t set_{};
  sigset_t before_{};
  bool came_ = false;
};

}  // namespace opp2p
