#include "libp2p/host/connection_rates.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

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
  OPP2P_ASSERT(full_at_.size() <= std::max<std::size_t>(1, entries_), "a bounded number of blocks has a bucket",
               full_at_);
}

void ConnectionRates::forget(MonoTime full_at, const Bytes& block) {
  const std::size_t in_order = by_time_.erase({full_at, block});
  const std::size_t in_table = full_at_.erase(block);
  OPP2P_ASSERT(in_order == 1 && in_table == 1, "a bucket that is forgotten was there", block);
}

void ConnectionRates::check() const {
  OPP2P_CHECK(full_at_.size() <= std::max<std::size_t>(1, entries_), "a bounded number of blocks has a bucket",
              full_at_);
  OPP2P_CHECK(by_time_.size() == full_at_.size(), "each bucket stands in the order of time once", by_time_, full_at_);
  for (const auto& [full_at, block] : by_time_) {
    const auto known = full_at_.find(block);
    OPP2P_CHECK(known != full_at_.end() && known->second == full_at, "order and table agree", block);
  }
}

ShareFull ConnectionRates::try_take(const AddressBlocks& blocks, MonoTime now) {
  if (!blocks.narrow.empty() && !has_token(blocks.narrow, narrow_, now)) return ShareFull::narrow;
  if (!blocks.wide.empty() && !has_token(blocks.wide, wide_, now)) return ShareFull::wide;
  if (!blocks.narrow.empty()) take(blocks.narrow, narrow_, now);
  if (!blocks.wide.empty()) take(blocks.wide, wide_, now);
  return ShareFull::none;
}

}  // namespace libp2p
