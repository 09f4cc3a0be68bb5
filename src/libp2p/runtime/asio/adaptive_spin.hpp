// How long the network thread looks for events before it sleeps in the kernel. Waking a sleeping thread takes tens of
// microseconds, which is longer than a round trip without sleep; looking for events uses a core. The window adapts to
// the waits. A wait that a longer window would have covered makes it grow. A wait longer than the largest window halves
// it, down to zero. A quiet node therefore sleeps as if there was no window.
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
