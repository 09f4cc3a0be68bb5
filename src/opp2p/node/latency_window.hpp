// Quantiles of the last thousand durations. Bounded: one ring of 1,024 values.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "libp2p/base/time.hpp"

namespace opp2p {

class LatencyWindow {
 public:
  void add(libp2p::Nanos value) {
    if (values_.size() < kSize)
      values_.push_back(value);
    else
      values_[next_] = value;
    next_ = (next_ + 1) % kSize;
    ++total_;
  }

  // The least value that at least the share q (0 < q <= 1) of the window does not exceed; nothing when it is empty.
  std::optional<libp2p::Nanos> quantile(double q) const {
    if (values_.empty()) return std::nullopt;
    auto sorted = values_;
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(rank, 1, sorted.size()) - 1);
    std::nth_element(sorted.begin(), at, sorted.end());
    return *at;
  }

  std::uint64_t total() const { return total_; }

 private:
  static constexpr std::size_t kSize = 1024;
  std::vector<libp2p::Nanos> values_;
  std::size_t next_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace opp2p
