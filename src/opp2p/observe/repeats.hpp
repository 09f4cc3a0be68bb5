// Repeats: decides when one event that may come at any rate is told: the first one at once, later ones at most once an
// interval, together with how many came since. A pure engine: it is given the time and writes nothing. Its owner calls
// take() at due() for those that are left. Thread: one. Bounds: two numbers and a time.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/time.hpp"

namespace opp2p {

class Repeats {
 public:
  explicit Repeats(libp2p::Nanos interval) : interval_(interval) {}

  // Counts one; answers how many came since the last line, this one included, when a line may be written now.
  std::optional<std::uint64_t> count(libp2p::MonoTime now) {
    ++total_;
    ++untold_;
    return take(now);
  }
  // The same without a new one: nothing when there is none to tell, or not yet.
  std::optional<std::uint64_t> take(libp2p::MonoTime now) {
    if (untold_ == 0 || (told_at_ && now - *told_at_ < interval_)) return std::nullopt;
    OPP2P_ASSERT(!told_at_ || now >= *told_at_, "time goes on");
    told_at_ = now;
    return std::exchange(untold_, 0);
  }
  // The same at any time, for the end.
  std::optional<std::uint64_t> take_all() {
    if (untold_ == 0) return std::nullopt;
    return std::exchange(untold_, 0);
  }
  // When take() has something.
  std::optional<libp2p::MonoTime> due() const {
    if (untold_ == 0 || !told_at_) return std::nullopt;
    return *told_at_ + interval_;
  }
  std::uint64_t untold() const { return untold_; }
  std::uint64_t total() const { return total_; }
  void check() const {
    OPP2P_CHECK(untold_ <= total_, "what is not told yet has been counted", untold_, total_);
    OPP2P_CHECK(untold_ == 0 || told_at_, "the first one is told at once, so what waits has a due time", untold_);
  }

 private:
  libp2p::Nanos interval_;
  std::uint64_t total_ = 0;
  std::uint64_t untold_ = 0;
  std::optional<libp2p::MonoTime> told_at_;
};

}  // namespace opp2p
