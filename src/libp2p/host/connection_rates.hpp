// How often each block of addresses may open a new connection: go-libp2p's token buckets, one per block, for the blocks
// of libp2p/base/share_pool.hpp. A bucket is kept as the one time at which it is full again, so that a block which has
// been quiet long enough needs no entry. Owned by the swarm. Pure. Thread: its. Bounds: `entries` blocks; when the
// table is full the bucket that is full again first goes, since it has the least to forget: whoever wants another
// bucket forgotten has to empty as many as the table holds. Source: op-node surface, section 2 (resource manager).
#pragma once

#include <map>
#include <set>

#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/time.hpp"

namespace libp2p {

struct RateLimit {
  double per_second = 0;
  double burst = 0;
};

class ConnectionRates {
 public:
  static constexpr std::size_t kEntries = 4096;

  ConnectionRates(RateLimit narrow, RateLimit wide, std::size_t entries = kEntries)
      : narrow_(narrow), wide_(wide), entries_(entries) {}

  // Takes a token of both blocks, or of none: ShareFull::narrow or wide says whose bucket is empty. Blocks that are
  // empty have none.
  ShareFull try_take(const AddressBlocks& blocks, MonoTime now);
  std::size_t size() const { return full_at_.size(); }
  void check() const;

 private:
  bool has_token(const Bytes& block, const RateLimit& limit, MonoTime now) const;
  void take(const Bytes& block, const RateLimit& limit, MonoTime now);
  void forget(MonoTime full_at, const Bytes& block);

  RateLimit narrow_;
  RateLimit wide_;
  std::size_t entries_;
  std::map<Bytes, MonoTime, BlockOrder> full_at_;
  std::set<std::pair<MonoTime, Bytes>> by_time_;  // the same, the soonest first
};

}  // namespace libp2p
