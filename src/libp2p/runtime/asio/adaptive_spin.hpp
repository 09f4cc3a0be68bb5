// How long the network thread looks for events before it sleeps in the kernel. Waking a sleeping thread costs tens of
// microseconds, more than a whole round trip takes otherwise; looking costs a busy core. So the window follows the
// waits: one that would have been short enough makes it grow, one that was longer than it may ever be halves it, down
// to none. A quiet node therefore sleeps as if this was not there.
//
// Owner: AsioRuntime. Thread: the network thread.
#pragma once

#include <algorithm>

#include "libp2p/base/time.hpp"

namespace libp2p::runtime {

class AdaptiveSpin {
 public:
  // `most` is the longest window; zero means never to spin.
  explicit AdaptiveSpin(Nanos most) : most_(most) {}

  bool enabled() const { return most_ > Nanos(0); }
  Nanos window() const { return window_; }
  // An event came `idle` after there had been nothing to do.
  void on_wait(Nanos idle) {
    if (idle > most_) {
      window_ = window_ / 2 < kFirst ? Nanos(0) : window_ / 2;
    } else if (idle > window_) {
      window_ = std::min(most_, std::max(kFirst, window_ * 2));
    }
  }

 private:
  static constexpr Nanos kFirst = Micros(10);
  Nanos most_;
  Nanos window_{0};
};

}  // namespace libp2p::runtime
