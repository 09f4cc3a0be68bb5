// Whom we must not graft, and who must not graft us, until when (gossipsub v1.1, "Prune Backoff and Peer Exchange"). It
// is the one thing that outlives a peer's connection, or a reconnect would undo a PRUNE; so it is kept by peer id, and
// ends by time. Owned by the router; bounded per topic, the backoff that ends last is forgotten: a peer can tell us a
// long one, and those that it brings under many names push out each other.
//
// A peer that has restarted knows nothing of backoffs from before, as go-libp2p does not keep them. Its first GRAFT on
// a new connection is therefore excused: it is refused, told the time that is left, and costs nothing. While a backoff
// lasts this happens kMostExcused times, so that reconnecting is no way to flood with GRAFTs.
//
// A node that restarts itself keeps its backoffs over it (Router::backoffs(), Router::restore_backoffs()), because its
// neighbours may run routers that excuse nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::gossipsub {

// A backoff that is not over, for those that keep it over a restart.
struct BackoffLeft {
  std::string topic;
  PeerId peer;
  Nanos left{};  // with the slack that we wait ourselves
  friend bool operator==(const BackoffLeft&, const BackoffLeft&) = default;
};

class Backoffs {
 public:
  static constexpr unsigned kMostExcused = 3;

  Backoffs(Nanos slack, std::size_t max_per_topic) : slack_(slack), max_per_topic_(max_per_topic) {}

  // Sets or prolongs; never shortens.
  void add(std::string_view topic, const PeerId& peer, Nanos duration, MonoTime now);
  // The end of the backoff if it is not over: for judging the GRAFT of a peer.
  const MonoTime* active(std::string_view topic, const PeerId& peer, MonoTime now) const;
  // Whether a GRAFT that breaks it is excused: the peer has connected since the backoff was last told.
  bool excuse(std::string_view topic, const PeerId& peer, MonoTime connected, MonoTime now);
  // Whether a graft of ours must wait: the slack covers the difference between the two peers' clocks.
  bool blocks(std::string_view topic, const PeerId& peer, MonoTime now) const;
  void forget_expired(MonoTime now);
  // All that are not over, in the order of topics and peers.
  std::vector<BackoffLeft> left(MonoTime now) const;
  // From before a restart: it keeps us from grafting, and a GRAFT of the peer is excused.
  void restore(const BackoffLeft& backoff, MonoTime now);
  // How often one was set or prolonged: the same number, and nothing is new.
  std::uint64_t changes() const { return changes_; }
  std::size_t size() const;
  void check() const;

 private:
  struct Entry {
    MonoTime end{};
    MonoTime told{};  // when we last told it, or were told
    unsigned excused = 0;
  };
  using ByPeer = std::map<PeerId, Entry>;
  const Entry* find(std::string_view topic, const PeerId& peer) const;
  Entry& put(std::string_view topic, const PeerId& peer, MonoTime end, MonoTime now);
  void bound(ByPeer& by_peer) const;

  Nanos slack_;
  std::size_t max_per_topic_;
  std::map<std::string, ByPeer, std::less<>> topics_;
  std::uint64_t changes_ = 0;
};

}  // namespace libp2p::gossipsub
