// LogLimiter: how many lines of a kind a node writes when other peers cause them: `burst` at once, then `per_minute`.
// Lines beyond that are left out and counted, and the count is told with the next line of the kind. Each kind has its
// own allowance. A pure engine: it is given the time and writes nothing. Thread: one. Bounds: a row for each kind.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/token_bucket.hpp"

namespace opp2p {

struct LogRate {
  double burst = 50;
  double per_minute = 10;
};

template <class Kind, std::size_t kKinds>
class LogLimiter {
 public:
  explicit LogLimiter(LogRate rate = {}) : rate_(rate) {}

  // Nothing when the line is left out; else how many of its kind were left out since the last one.
  std::optional<std::uint64_t> admit(Kind kind, libp2p::MonoTime now) {
    OPP2P_ASSERT(static_cast<std::size_t>(kind) < kKinds, "each kind has a row", static_cast<std::size_t>(kind));
    auto& row = rows_[static_cast<std::size_t>(kind)];
    if (!row.bucket) row.bucket.emplace(rate_.per_minute / 60, rate_.burst, now);
    if (row.bucket->try_take(1, now)) return std::exchange(row.left_out, 0);
    ++row.left_out;
    return std::nullopt;
  }
  std::uint64_t left_out(Kind kind) const { return rows_[static_cast<std::size_t>(kind)].left_out; }

  void check() const {
    for (const Row& row : rows_)
      OPP2P_CHECK(row.left_out == 0 || row.bucket, "only a kind that came can have left out lines", row.left_out);
  }

 private:
  struct Row {
    std::optional<libp2p::TokenBucket> bucket;
    std::uint64_t left_out = 0;
  };
  LogRate rate_;
  std::array<Row, kKinds> rows_;
};

}  // namespace opp2p
