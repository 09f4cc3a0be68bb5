// Whom we must not graft, and who must not graft us, until when (gossipsub v1.1, "Prune Backoff and Peer Exchange"). It
// is the one thing that outlives a peer's connection, or a reconnect would undo a PRUNE; so it is kept by peer id, and
// ends by time. Owned by the router; bounded per topic, the backoff that ends
// last is forgotten: a peer can tell us a long one, and those that it brings under many names push out each other.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::gossipsub {

class Backoffs {
 public:
  Backoffs(Nanos slack, std::size_t max_per_topic) : slack_(slack), max_per_topic_(max_per_topic) {}

  // Sets or prolongs; never shortens.
  void add(std::string_view topic, const PeerId& peer, Nanos duration, MonoTime now);
  // The end of the backoff if it is not over: for judging the GRAFT of a peer.
  const MonoTime* active(std::string_view topic, const PeerId& peer, MonoTime now) const;
  // Whether a graft of ours must wait: the slack covers the difference between the two peers' clocks.
  bool blocks(std::string_view topic, const PeerId& peer, MonoTime now) const;
  void forget_expired(MonoTime now);
  std::size_t size() const;
  void check() const;

 private:
  using ByPeer = std::map<PeerId, MonoTime>;
  const MonoTime* end_of(std::string_view topic, const PeerId& peer) const;

  Nanos slack_;
  std::size_t max_per_topic_;
  std::map<std::string, ByPeer, std::less<>> topics_;
};

}  // namespace libp2p::gossipsub
