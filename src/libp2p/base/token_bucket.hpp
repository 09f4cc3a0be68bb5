// A rate limit: `burst` tokens at most, refilled at `per_second`. It keeps no clock; every call gets the time. With a
// debt allowed, reserve() answers how long to wait for the tokens that were taken in advance.
#pragma once

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/time.hpp"

namespace libp2p {

class TokenBucket {
 public:
  TokenBucket(double per_second, double burst, MonoTime now)
      : per_second_(per_second), burst_(burst), tokens_(burst), updated_(now) {}

  // Takes n tokens if they are there.
  bool try_take(double n, MonoTime now) {
    OPP2P_ASSERT(n >= 0, "a bucket gives tokens and takes none", n);
    refill(now);
    if (tokens_ < n) return false;
    tokens_ -= n;
    return true;
  }

  // Takes n tokens now and answers after what delay they are due: zero when the bucket held them.
  Nanos reserve(double n, MonoTime now) {
    OPP2P_ASSERT(n >= 0, "a bucket gives tokens and takes none", n);
    refill(now);
    tokens_ -= n;
    return wait_for(0);
  }

  // How long until n tokens are there; zero when they already are.
  Nanos time_until(double n, MonoTime now) {
    refill(now);
    return wait_for(n);
  }

  // Gives back tokens of a reservation that was not used.
  void cancel(double n) {
    OPP2P_ASSERT(n >= 0, "only what was taken is given back", n);
    tokens_ = std::min(burst_, tokens_ + n);
  }

  double tokens(MonoTime now) {
    refill(now);
    return tokens_;
  }

  void check() const { OPP2P_CHECK(tokens_ <= burst_, "a bucket never holds more than its burst", tokens_, burst_); }

 private:
  void refill(MonoTime now) {
    if (now <= updated_) return;
    const std::chrono::duration<double> passed = now - updated_;
    tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    updated_ = now;
    OPP2P_ASSERT(tokens_ <= burst_, "a bucket never holds more than its burst", tokens_, burst_);
  }

  Nanos wait_for(double n) const {
    if (tokens_ >= n) return Nanos(0);
    const double seconds = (n - tokens_) / per_second_;
    return std::chrono::ceil<Nanos>(std::chrono::duration<double>(seconds));
  }

  double per_second_;
  double burst_;
  double tokens_;
  MonoTime updated_;
};

}  // namespace libp2p
