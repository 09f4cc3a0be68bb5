// Who may connect. A Gater is asked at five points of a connection's way, the same as go-libp2p's, so that op-node's
// gaters (S§3) have a place each; a refusal is an Error whose text says which rule it was. BlockingGater
// (blocking_gater.hpp) has the lists of an operator. Gaters are stacked: a decorator asks the inner one
// (gater_decorators.hpp).
//
// A gater may change its mind about who is connected already: it emits GaterStricter, and the host asks permits() about
// each connection and dial under way and closes those that are refused (Host::recheck_gater).
//
// Thread: the network thread. Owner: the application; must outlive the host. Re-entrancy: a hook must not call the
// host; what hears GaterStricter must not change the gater's rules.
#pragma once

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p {

// A rule has come that may refuse what was let in before.
struct GaterStricter {};

class Gater {
 public:
  Gater() = default;
  virtual ~Gater() = default;
  Gater(const Gater&) = delete;
  Gater& operator=(const Gater&) = delete;

  // Before a peer is dialled at all, and before each of its addresses (resolved: with an IP). `peer` is empty when
  // unknown.
  virtual Result<void> intercept_peer_dial(const PeerId& peer) = 0;
  virtual Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) = 0;
  // A connection came in, before a byte is read.
  virtual Result<void> intercept_accept(const Multiaddr& remote) = 0;
  // The peer has proved who it is.
  virtual Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) = 0;
  // The muxer is settled.
  virtual Result<void> intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) = 0;

  // Whether such a connection may be there, in either direction. Asked when a connection is about to be open, after the
  // hooks, and of connections and dials that are there when the rules have changed. `peer` is empty while it is not
  // known, `remote` where only the peer is. Asking changes nothing: it counts nothing, forgets nothing, reports
  // nothing.
  virtual Result<void> permits(const PeerId& peer, const Multiaddr& remote) const = 0;

  // Where GaterStricter is told: one source for a whole stack, that of its innermost gater.
  virtual EventSource<GaterStricter>& stricter() { return stricter_; }

 private:
  EventSource<GaterStricter> stricter_;
};

}  // namespace libp2p
