#include "libp2p/host/connection_rates.hpp"

#include <algorithm>

namespace libp2p {

namespace {

// A burst that an operator wrote to mean "no limit" takes longer than Nanos can say.
Nanos refill_time(const RateLimit& limit, double tokens) {
  constexpr double kLongest = 3e8;  // seconds
  return std::chrono::duration_cast<Nanos>(
      std::chrono::duration<double>(std::min(tokens / limit.per_second, kLongest)));
}

}  // namespace

bool ConnectionRates::has_token(const Bytes& block, const RateLimit& limit, MonoTime now) const {
  const auto found = full_at_.find(block);
  if (found == full_at_.end()) return limit.burst >= 1;
  return found->second <= now + refill_time(limit, limit.burst - 1);
}

void ConnectionRates::take(const Bytes& block, const RateLimit& limit, MonoTime now) {
  const auto found = full_at_.find(block);
  MonoTime before = now;
  if (found != full_at_.end()) {
    before = std::max(now, found->second);
    forget(found->second, Bytes(block));
  }
  while (!by_time_.empty() && (full_at_.size() >= entries_ || by_time_.begin()->first <= now)) {
    forget(by_time_.begin()->first, Bytes(by_time_.begin()->second));
  }
  const MonoTime full_at = before + refill_time(limit, 1);
  full_at_.emplace(block, full_at);
  by_time_.emplace(full_at, block);
}

void ConnectionRates::forget(MonoTime full_at, const Bytes& block) {
  by_time_.erase({full_at, block});
  full_at_.erase(block);
}

ShareFull ConnectionRates::try_take(const AddressBlocks& blocks, MonoTime now) {
  if (!blocks.narrow.empty() && !has_token(blocks.narrow, narrow_, now)) return ShareFull::narrow;
  if (!blocks.wide.empty() && !has_token(blocks.wide, wide_, now)) return ShareFull::wide;
  if (!blocks.narrow.empty()) take(blocks.narrow, narrow_, now);
  if (!blocks.wide.empty()) take(blocks.wide, wide_, now);
  return ShareFull::none;
}

}  // namespace libp2p
