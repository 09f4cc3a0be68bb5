#include "opp2p/base/end_signals.hpp"

#include <chrono>

namespace opp2p {

std::vector<int> end_signals() {
  std::vector<int> out = {SIGINT, SIGTERM};
  for (const int signal : {SIGHUP, SIGQUIT}) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_IGN) out.push_back(signal);
  }
  return out;
}

EndSignals::EndSignals() {
  ::sigemptyset(&set_);
  for (const int signal : end_signals()) ::sigaddset(&set_, signal);
  ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
}

// Signals that came twice are used up: they were meant for the run that is over.
EndSignals::~EndSignals() {
  while (wait(libp2p::Nanos(0))) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool EndSignals::wait(libp2p::Nanos time) {
  const auto seconds = std::chrono::duration_cast<libp2p::Seconds>(time);
  const timespec limit{seconds.count(), (time - seconds).count()};
  const bool now = ::sigtimedwait(&set_, nullptr, &limit) > 0;
  came_ = came_ || now;
  return now;
}

bool EndSignals::came() { return wait(libp2p::Nanos(0)) || came_; }

}  // namespace opp2p
