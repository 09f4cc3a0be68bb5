// Peers that are not listened to for a time, as senders and as authors (go-libp2p-pubsub, "Blacklist"). Owned by the
// router. Bounded; the entry that ends first goes when there are too many.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::gossipsub {

class Blacklist {
 public:
  explicit Blacklist(std::size_t capacity) : capacity_(capacity) {}

  // Sets or prolongs; never shortens. Answers whom it had to let go early for it; that can be the peer itself.
  std::vector<PeerId> add(const PeerId& peer, MonoTime until);
  void remove(const PeerId& peer);
  bool contains(const PeerId& peer) const { return ends_.contains(peer); }
  // Those whose time is over; they are forgotten.
  std::vector<PeerId> take_expired(MonoTime now);
  std::size_t size() const { return ends_.size(); }
  void check() const;

 private:
  std::size_t capacity_;
  std::map<PeerId, MonoTime> ends_;
  std::set<std::pair<MonoTime, PeerId>> by_end_;
};

}  // namespace libp2p::gossipsub
