// What happens to a host: connections, dials, peers, what it speaks and where. Host::subscribe() tells it from the
// runtime's queue, outside of any other call of the host, to those who had subscribed when it happened, and in the
// order in which it happened.
//
// Each ConnectionOpened has one ConnectionClosed. PeerConnected follows the ConnectionOpened of a peer's first
// connection, PeerDisconnected the ConnectionClosed of its last. By the time that an event is told the peer may have
// gone or come again: Host::connected() says how it stands. What ends with the host itself is not told.
//
// Thread: the network thread. Bounds: an event holds copies of plain values; a peer decides the size of
// PeerIdentified::protocols alone, and identify bounds that.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/host/connection_info.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p {

struct ConnectionOpened {
  ConnectionInfo connection;
};
struct ConnectionClosed {
  ConnectionInfo connection;
  Error why;
};
// An inbound connection that never was one: a limit, the gater, or a handshake that failed.
struct ConnectionRefused {
  Multiaddr remote;
  Error why;
};
// A dial has begun, which several may wait for. It ends in a ConnectionOpened or in DialFailed: with what was tried, or
// with Errc::cancelled when nobody waits for it any more. A dial that the gater does not let begin is told as
// DialFailed alone; one that a limit does not let begin is not told.
struct DialStarted {
  PeerId peer;  // empty: whoever answers
  std::vector<Multiaddr> addresses;
};
struct DialFailed {
  PeerId peer;
  Error why;
};
// The first connection to a peer, and the end of its last.
struct PeerConnected {
  PeerId peer;
  Direction direction;
};
struct PeerDisconnected {
  PeerId peer;
};
// identify has told what the peer speaks (libp2p/services/identify/identify_service.hpp).
struct PeerIdentified {
  PeerId peer;
  std::vector<std::string> protocols;
};
// Handlers have been set or removed; once for all changes of one turn of the runtime, also to who subscribed in
// that turn. Host::protocols() tells which.
struct ProtocolsChanged {};

// The host listens at one more address: Host::listen_addresses() says where. Not told: interfaces that come and go
// under 0.0.0.0, of which the runtime does not tell, and close().
struct AddressesChanged {};

using HostEvent = std::variant<ConnectionOpened, ConnectionClosed, ConnectionRefused, DialStarted, DialFailed,
                               PeerConnected, PeerDisconnected, PeerIdentified, ProtocolsChanged, AddressesChanged>;

}  // namespace libp2p
